use super::*;

fn body(text: &str) -> JsonBody {
    JsonBody::parse(text.as_bytes()).unwrap()
}

/// The faults of a body that is asked for a quantity, a delta, a text and a location.
fn faults(text: &str) -> String {
    let mut body = body(text);
    body.quantity("quantity", 1);
    body.text("reason");
    body.location();
    body.finish(Faults::default()).map_or_else(|problem| format!("{problem:?}"), |()| String::new())
}

#[test]
fn a_good_body_is_taken_as_it_is() {
    let mut body = body(r#"{"quantity": 3, "reason": "ordered", "location_id": "north"}"#);
    assert_eq!(body.quantity("quantity", 1), 3);
    assert_eq!(body.text("reason").as_deref(), Some("ordered"));
    assert_eq!(body.location().as_str(), "north");
    assert!(body.finish(Faults::default()).is_ok());
}

#[test]
fn null_is_as_good_as_absent() {
    assert_eq!(faults(r#"{"quantity": 3, "reason": null}"#), "");
    assert!(faults(r#"{"quantity": null}"#).contains("is required"));
}

#[test]
fn every_fault_is_named_by_its_pointer() {
    let told = faults(r#"{"quantity": 0, "reason": 7, "location_id": "a b", "x/y": 1}"#);
    for pointer in ["\"/quantity\"", "\"/reason\"", "\"/location_id\"", "\"/x~1y\""] {
        assert!(told.contains(pointer), "{pointer} in {told}");
    }
}

#[test]
fn quantities_are_integers_in_range() {
    for bad in [
        "0",
        "-1",
        "1.5",
        "1.0",
        "1e2",
        "1000000000000",
        "18446744073709551616",
        "\"3\"",
        "true",
        "[]",
        "{}",
        "99999999999999999999999999999999",
    ] {
        let told = faults(&format!("{{\"quantity\": {bad}}}"));
        assert!(told.contains("/quantity"), "{bad}: {told}");
    }
    assert_eq!(faults(r#"{"quantity": 999999999999}"#), "");
}

#[test]
fn a_delta_is_not_zero() {
    for (text, valid) in
        [("-5", true), ("5", true), ("0", false), ("1000000000000", false), ("-1.5", false)]
    {
        let mut body = body(&format!("{{\"delta\": {text}}}"));
        body.delta("delta");
        assert_eq!(body.finish(Faults::default()).is_ok(), valid, "{text}");
    }
}

#[test]
fn repeated_members_are_refused() {
    let told = faults(r#"{"quantity": 1, "quantity": 2}"#);
    assert!(told.contains("more than once") && !told.contains("required"), "{told}");
}

#[test]
fn texts_have_a_length_and_no_control_characters() {
    for bad in ["", "a\\u0000b", "line\\nbreak", &"x".repeat(257)] {
        let told = faults(&format!("{{\"quantity\": 1, \"reason\": \"{bad}\"}}"));
        assert!(told.contains("/reason"), "{bad}");
    }
    let umlauts = "ü".repeat(256);
    assert_eq!(faults(&format!("{{\"quantity\": 1, \"reason\": \"{umlauts}\"}}")), "");
}

#[test]
fn keys_are_told_by_index() {
    let mut body = body(
        r#"{"keys": [{"product_id": "a"}, {"location_id": "x"}, 3, {"product_id": "b", "z": 1}]}"#,
    );
    body.keys("keys", 10);
    let told = format!("{:?}", body.finish(Faults::default()).unwrap_err());
    for pointer in ["\"/keys/1/product_id\"", "\"/keys/2\"", "\"/keys/3/z\""] {
        assert!(told.contains(pointer), "{pointer} in {told}");
    }
    assert!(!told.contains("/keys/0"));
}

#[test]
fn what_is_no_object_is_refused() {
    for bad in ["", "[]", "3", "null", "{", "{\"a\":}", "{} {}", "\u{feff}{}", "{'a': 1}"] {
        assert!(JsonBody::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    assert!(JsonBody::parse(b"{\"a\": \"\xff\"}").is_err(), "not UTF-8");
}

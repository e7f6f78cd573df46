use super::*;
use crate::{
    http::body::{List, Quantity, Text, object},
    model::{LocationId, ProductId},
};

object! {
    /// An item of a body.
    struct ItemBody {
        product_id: ProductId,
        location_id: Option<LocationId>,
    }
}

object! {
    /// A body.
    struct AnyBody {
        quantity: Quantity<1>,
        reason: Option<Text>,
        location_id: Option<LocationId>,
        keys: Option<List<ItemBody, 4>>,
    }
}

fn read(text: &str) -> Result<AnyBody, String> {
    let mut violations = Violations::default();
    let body = read_json(text.as_bytes(), &mut violations);
    violations.valid(body).map_err(|problem| format!("{problem:?}"))
}

/// Returns the problem of a body; empty where the body is valid.
fn refusal(text: &str) -> String {
    read(text).err().unwrap_or_default()
}

#[test]
fn a_valid_body_is_read() {
    let body = read(r#"{"quantity": 3, "reason": "ordered", "location_id": "north"}"#).unwrap();
    assert_eq!(body.quantity, Quantity(3));
    assert_eq!(body.reason, Some(Text("ordered".into())));
    assert_eq!(body.location_id.map(|id| id.as_str().to_owned()), Some("north".to_owned()));
    assert!(body.keys.is_none());
    let keys = read(r#"{"quantity": 1, "keys": [{"product_id": "a"}]}"#).unwrap().keys.unwrap();
    assert_eq!(keys.0[0].product_id.as_str(), "a");
    assert!(keys.0[0].location_id.is_none());
}

#[test]
fn null_means_absent() {
    assert_eq!(
        refusal(r#"{"quantity": 3, "reason": null, "location_id": null, "keys": null}"#),
        ""
    );
    assert!(refusal(r#"{"quantity": null}"#).contains("must be an integer"));
    assert!(refusal("{}").contains("is required"));
}

#[test]
fn every_violation_is_named_by_its_pointer() {
    let refusal =
        refusal(r#"{"quantity": 0, "reason": 7, "location_id": "a b", "x/y": 1, "z~": {}}"#);
    for pointer in ["\"/quantity\"", "\"/reason\"", "\"/location_id\"", "\"/x~1y\"", "\"/z~0\""] {
        assert!(refusal.contains(pointer), "{pointer} in {refusal}");
    }
}

#[test]
fn quantities_are_whole_and_in_range() {
    for bad in [
        "0",
        "-1",
        "1.5",
        "1000000000000",
        "1e12",
        "18446744073709551616",
        "\"3\"",
        "true",
        "[]",
        "{}",
        "99999999999999999999999999999999",
    ] {
        let refusal = refusal(&format!("{{\"quantity\": {bad}}}"));
        assert!(refusal.contains("/quantity"), "{bad}: {refusal}");
    }
    for (good, units) in [("999999999999", 999_999_999_999), ("1.0", 1), ("1e3", 1_000)] {
        let body = read(&format!("{{\"quantity\": {good}}}")).unwrap();
        assert_eq!(body.quantity, Quantity(units), "{good}");
    }
}

#[test]
fn repeated_members_are_refused() {
    let refusal = refusal(r#"{"quantity": 1, "quantity": 2}"#);
    assert!(refusal.contains("more than once") && !refusal.contains("required"), "{refusal}");
}

#[test]
fn texts_have_a_length_and_no_control_characters() {
    for bad in ["", "a\\u0000b", "line\\nbreak", &"x".repeat(257)] {
        let refusal = refusal(&format!("{{\"quantity\": 1, \"reason\": \"{bad}\"}}"));
        assert!(refusal.contains("/reason"), "{bad}");
    }
    let umlauts = "ü".repeat(256);
    assert_eq!(refusal(&format!("{{\"quantity\": 1, \"reason\": \"{umlauts}\"}}")), "");
}

#[test]
fn violations_of_items_have_their_index() {
    let refusal = refusal(
        r#"{"quantity": 1, "keys": [{"product_id": "a"}, {"location_id": "x"}, 3,
            {"product_id": "b", "z": 1}]}"#,
    );
    for pointer in ["\"/keys/1/product_id\"", "\"/keys/2\"", "\"/keys/3/z\""] {
        assert!(refusal.contains(pointer), "{pointer} in {refusal}");
    }
    assert!(!refusal.contains("/keys/0"));
}

#[test]
fn a_list_is_an_array_of_bounded_length() {
    for bad in ["[]", "[{}, {}, {}, {}, {}]", "{}", "3", "\"x\""] {
        assert!(
            refusal(&format!("{{\"quantity\": 1, \"keys\": {bad}}}")).contains("/keys"),
            "{bad}"
        );
    }
}

#[test]
fn a_body_that_is_not_an_object_is_refused() {
    for bad in ["", "[]", "[3]", "3", "null", "{", "{\"a\":}", "{} {}", "{'a': 1}"] {
        assert!(read(bad).is_err(), "{bad}");
    }
    let mut violations = Violations::default();
    assert!(read_json::<AnyBody>(b"{\"reason\": \"\xff\"}", &mut violations).is_none());
}

#[test]
fn a_violation_before_a_syntax_error_does_not_hide_it() {
    let refusal = refusal(r#"{"quantity": 0, "#);
    assert!(refusal.contains("/quantity") && refusal.contains("not JSON"), "{refusal}");
}

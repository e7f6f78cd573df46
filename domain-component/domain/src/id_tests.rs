use super::*;
use alloc::{string::String, vec, vec::Vec};

fn refusal(id: &str) -> String {
    let invalid = check_id("id", id).unwrap_err();
    assert_eq!((invalid.name, invalid.line), ("id", None));
    invalid.message
}

#[test]
fn looking_at_eight_bytes_at_a_time_is_the_same_as_at_one_at_a_time() {
    for place in 0..17 {
        for byte in 0..=u8::MAX {
            let mut bytes = [b'a'; 17];
            bytes[place] = byte;
            assert_eq!(is_printable(&bytes), byte.is_ascii_graphic(), "{byte} at {place}");
        }
    }
}

#[test]
fn an_id_has_1_to_128_characters() {
    assert_eq!(refusal(""), "must have 1 to 128 characters, has 0");
    assert_eq!(refusal(&"x".repeat(129)), "must have 1 to 128 characters, has 129");
    let good: Vec<String> = vec!["x".into(), "x".repeat(128)];
    assert!(good.iter().all(|id| check_id("id", id).is_ok()));
}

#[test]
fn an_id_that_is_not_printable_names_the_first_byte_that_is_not() {
    let last = "x".repeat(127) + " ";
    assert_eq!(refusal(" "), "must be printable ASCII without spaces, byte 0 is not");
    assert_eq!(refusal("ab\u{e4}c "), "must be printable ASCII without spaces, byte 2 is not");
    assert_eq!(refusal(&last), "must be printable ASCII without spaces, byte 127 is not");
}

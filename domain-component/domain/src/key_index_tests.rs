use super::*;
use alloc::{string::String, vec};

/// Keys that differ in one byte of one id, or in a length.
fn keys() -> Vec<StockKey> {
    let mut keys = Vec::new();
    for length in [1, 7, 8, 9, 16, 17] {
        for place in 0..length {
            for byte in *b"!a~" {
                let mut id = vec![b'm'; length];
                id[place] = byte;
                let id = String::from_utf8(id).unwrap();
                keys.push(StockKey::parse(id.clone(), "m".into()).unwrap());
                keys.push(StockKey::parse("m".into(), id).unwrap());
            }
        }
    }
    keys
}

#[test]
fn each_key_is_found_at_its_own_position_and_no_other_key_is_found() {
    let keys = keys();
    let mut index = KeyIndex::default();
    for (position, key) in keys.iter().enumerate() {
        let place = index.find(key, |at| keys.get(at)).unwrap_err();
        index.insert(place, position);
    }
    for (position, key) in keys.iter().enumerate() {
        assert_eq!(index.find(key, |at| keys.get(at)), Ok(position), "{key:?}");
    }
}

#[test]
fn a_place_behind_the_end_is_the_end() {
    let keys = keys();
    let mut index = KeyIndex::default();
    index.insert(7, 0);
    assert_eq!(index.find(&keys[0], |at| keys.get(at)), Ok(0));
}

#[test]
fn a_position_outside_the_list_is_not_found() {
    let keys = keys();
    let mut index = KeyIndex::default();
    index.insert(0, keys.len());
    assert_eq!(index.find(&keys[0], |at| keys.get(at)), Err(1));
}

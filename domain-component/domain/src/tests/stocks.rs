//! The commands on one stock.

use super::*;
use crate::{QUANTITY_MAX, Rejection};

fn invalid(refused: Rejection) -> Vec<(&'static str, String)> {
    let Rejection::InvalidRequest { invalid } = refused else { panic!("{refused:?}") };
    invalid.into_iter().map(|it| (it.name, it.message)).collect()
}

fn named(names: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    names.iter().map(|(name, message)| (*name, (*message).to_string())).collect()
}

#[test]
fn setting_creates_a_stock_once_and_then_changes_it() {
    let mut memory = Memory::default();
    let created = adjust_set(&mut memory, &at(5), raw("a"), 7, None).unwrap();
    assert!(created.created);
    assert_eq!(created.stock, memory.stocks[&key("a")]);
    assert_eq!((created.stock.created_at, created.stock.level().minimum().get()), (5, 0));
    let changed = adjust_set(&mut memory, &at(6), raw("a"), 7, Some(9)).unwrap();
    assert!(!changed.created);
    assert_eq!(changed.stock, memory.stocks[&key("a")]);
    assert_eq!(take_events(&mut memory), ["adjusted a", "adjusted a", "low a"]);
}

#[test]
fn a_stock_that_is_low_from_its_creation_on_is_detected_at_once() {
    let mut memory = Memory::default();
    adjust_set(&mut memory, &at(5), raw("a"), 1, Some(2)).unwrap();
    assert_eq!(take_events(&mut memory), ["adjusted a", "low a"]);
}

#[test]
fn setting_the_same_values_saves_nothing_and_publishes_nothing() {
    let mut memory = memory();
    let before = memory.clone();
    let same = adjust_set(&mut memory, &at(99), raw("a"), 10, Some(5)).unwrap();
    assert_eq!((same.created, same.stock.level().version()), (false, 1));
    assert_eq!(memory, before);
}

#[test]
fn every_invalid_argument_of_a_command_on_a_stock_is_named() {
    let mut memory = memory();
    let over = QUANTITY_MAX + 1;
    let nowhere = (String::new(), String::new());
    let empty = "must have 1 to 128 characters, has 0";
    let ids = [("product_id", empty), ("location_id", empty)];
    let refused = adjust_set(&mut memory, &at(2), nowhere.clone(), over, Some(over)).unwrap_err();
    let range = "must be from 0 to 999999999999, is 1000000000000";
    let numbers = [("total", range), ("minimum", range)];
    assert_eq!(invalid(refused), named(&[ids, numbers].concat()));
    let refused = adjust_by(&mut memory, &at(2), nowhere.clone(), 0).unwrap_err();
    assert_eq!(invalid(refused), named(&[&ids[..], &[("delta", "must not be 0")]].concat()));
    let range = "must be from 1 to 999999999999, is 0";
    for command in [reserve, release] {
        let refused = command(&mut memory, &at(2), nowhere.clone(), 0).unwrap_err();
        assert_eq!(invalid(refused), named(&[&ids[..], &[("quantity", range)]].concat()));
    }
    for command in [reserve, release] {
        let refused = command(&mut memory, &at(2), raw("a"), over).unwrap_err();
        assert_eq!(refused.code(), "invalid-request");
    }
}

#[test]
fn every_command_but_setting_needs_a_stock_that_exists() {
    let mut memory = Memory::default();
    let missing = Rejection::ProductNotFound { key: key("x") };
    assert_eq!(adjust_by(&mut memory, &at(2), raw("x"), 1).unwrap_err(), missing);
    assert_eq!(reserve(&mut memory, &at(2), raw("x"), 1).unwrap_err(), missing);
    assert_eq!(release(&mut memory, &at(2), raw("x"), 1).unwrap_err(), missing);
    assert_eq!(memory, Memory::default());
}

#[test]
fn a_version_can_be_demanded_of_every_command_on_a_stock() {
    let mut memory = memory();
    let before = memory.clone();
    let wrong = at_version(2, 7);
    let refusals = [
        adjust_set(&mut memory, &wrong, raw("a"), 20, None),
        adjust_by(&mut memory, &wrong, raw("a"), 1),
        reserve(&mut memory, &wrong, raw("a"), 1),
        release(&mut memory, &wrong, raw("a"), 1),
    ];
    for refused in refusals {
        let expected = Rejection::VersionMismatch { current_version: Some(1) };
        assert_eq!(refused.unwrap_err(), expected);
    }
    assert_eq!(memory, before);
    let absent = Context { precondition: Some(Precondition::Absent), ..at(2) };
    assert!(adjust_set(&mut memory, &absent, raw("a"), 20, None).is_err());
    assert!(adjust_set(&mut memory, &absent, raw("c"), 20, None).unwrap().created);
    let exists = Context { precondition: Some(Precondition::Exists), ..at(2) };
    assert_eq!(
        adjust_set(&mut memory, &exists, raw("d"), 20, None).unwrap_err(),
        Rejection::VersionMismatch { current_version: None }
    );
    assert!(reserve(&mut memory, &at_version(2, 1), raw("a"), 1).is_ok());
}

#[test]
fn an_accepted_command_saves_the_stock_and_publishes_its_events() {
    let mut memory = memory();
    let reserved = reserve(&mut memory, &at(2), raw("a"), 6).unwrap();
    assert_eq!((reserved.created, &reserved.stock), (false, &memory.stocks[&key("a")]));
    assert_eq!(numbers(&memory, "a"), (10, 6, 6, 2));
    release(&mut memory, &at(3), raw("a"), 2).unwrap();
    assert_eq!(numbers(&memory, "a"), (10, 4, 4, 3));
    adjust_by(&mut memory, &at(4), raw("a"), -3).unwrap();
    assert_eq!(numbers(&memory, "a"), (7, 4, 4, 4));
    adjust_by(&mut memory, &at(5), raw("a"), 5).unwrap();
    assert_eq!(numbers(&memory, "a"), (12, 4, 4, 5));
    let expected = [
        "reserved 6 a",
        "low a",
        "released 2 a",
        "fine a",
        "adjusted a",
        "low a",
        "adjusted a",
        "fine a",
    ];
    assert_eq!(take_events(&mut memory), expected);
}

#[test]
fn a_refused_command_on_a_stock_leaves_no_trace() {
    let mut memory = memory();
    reserve(&mut memory, &at(2), raw("a"), 6).unwrap();
    let before = memory.clone();
    let refusals = [
        adjust_set(&mut memory, &at(3), raw("a"), 5, None),
        adjust_by(&mut memory, &at(3), raw("a"), -5),
        reserve(&mut memory, &at(3), raw("a"), 5),
        release(&mut memory, &at(3), raw("a"), 7),
    ];
    let codes = refusals.map(|refused| refused.unwrap_err().code());
    let expected = [
        "adjust-below-reserved",
        "adjust-below-reserved",
        "insufficient-stock",
        "release-exceeds-reserved",
    ];
    assert_eq!(codes, expected);
    assert_eq!(memory, before);
}

//! Transfers between locations.

use super::*;
use crate::{QUANTITY_MAX, Rejection, ShortLine};

#[test]
fn a_transfer_moves_total_and_creates_its_target() {
    let mut memory = memory();
    let mut transfer_units = |from: &str, to: &str, quantity| {
        transfer(&mut memory, &at(2), "a".into(), from.into(), to.into(), quantity)
            .map(|it| (it.source.level().total().get(), it.target.level().total().get()))
            .map_err(|rejection| rejection.code())
    };
    assert_eq!(transfer_units("default", "north", 4), Ok((6, 4)));
    assert_eq!(transfer_units("default", "north", 1), Ok((5, 5)));
    assert_eq!(transfer_units("default", "north", 6), Err("insufficient-stock"));
    assert_eq!(transfer_units("north", "north", 1), Err("invalid-request"));
    assert_eq!(transfer_units("south", "north", 1), Err("product-not-found"));
    assert_eq!(take_events(&mut memory), ["out 4", "in 4", "out 1", "in 1"]);
}

#[test]
fn a_transfer_does_not_overfill_its_target() {
    let mut memory = memory();
    let north = ("a".to_string(), "north".to_string());
    adjust_set(&mut memory, &at(1), north, crate::QUANTITY_MAX, None).unwrap();
    let refused = transfer(&mut memory, &at(2), "a".into(), "default".into(), "north".into(), 1);
    assert_eq!(refused.unwrap_err().code(), "quantity-out-of-range");
    assert_eq!(numbers(&memory, "a").0, 10, "and leaves the source as it was");
}

fn at_location(location: &str) -> StockKey {
    StockKey::parse("a".to_string(), location.to_string()).unwrap()
}

fn transfer_north(
    memory: &mut Memory,
    context: &Context,
    quantity: u64,
) -> Result<TransferOutcome, Rejection> {
    transfer(memory, context, "a".into(), "default".into(), "north".into(), quantity)
}

#[test]
fn each_side_of_a_transfer_has_an_event_that_names_the_other_side() {
    let mut memory = memory();
    let source = memory.stocks[&key("a")].level();
    let outcome = transfer_north(&mut memory, &at(7), 4).unwrap();
    let quantity = Quantity::new(4).unwrap();
    let out = Event::InventoryTransferred {
        key: key("a"),
        quantity,
        incoming: false,
        counterpart_id: "north".to_string(),
        from: Some(source),
        to: outcome.source.level(),
    };
    let arrival = |from, to| Event::InventoryTransferred {
        key: at_location("north"),
        quantity,
        incoming: true,
        counterpart_id: "default".to_string(),
        from,
        to,
    };
    assert_eq!(memory.events, [out, arrival(None, outcome.target.level())]);
    assert_eq!(outcome.source, memory.stocks[&key("a")]);
    assert_eq!(outcome.target, memory.stocks[&at_location("north")]);
    assert_eq!((outcome.target.created_at, outcome.target.level().version()), (7, 1));
    adjust_by(&mut memory, &at(8), raw("a"), 4).unwrap();
    memory.events.clear();
    let before = outcome.target.level();
    let outcome = transfer_north(&mut memory, &at(9), 4).unwrap();
    assert_eq!(memory.events[1], arrival(Some(before), outcome.target.level()));
}

#[test]
fn both_sides_of_a_transfer_are_judged_by_the_low_stock_policy() {
    let mut memory = memory();
    let north = ("a".to_string(), "north".to_string());
    adjust_set(&mut memory, &at(1), north, 1, Some(5)).unwrap();
    take_events(&mut memory);
    transfer_north(&mut memory, &at(2), 6).unwrap();
    assert_eq!(take_events(&mut memory), ["out 6", "in 6", "low a", "fine a"]);
}

#[test]
fn a_transfer_takes_only_available_units_and_names_the_numbers() {
    let mut memory = memory();
    reserve(&mut memory, &at(2), raw("a"), 4).unwrap();
    let before = memory.clone();
    let line = ShortLine { index: 0, key: key("a"), requested: 7, available: 6 };
    let expected = Rejection::InsufficientStock { lines: [line].to_vec() };
    assert_eq!(transfer_north(&mut memory, &at(3), 7).unwrap_err(), expected);
    assert_eq!(memory, before);
    assert!(transfer_north(&mut memory, &at(3), 6).is_ok());
}

#[test]
fn the_refusal_of_a_transfer_names_a_total_that_would_overflow() {
    let mut memory = memory();
    let north = ("a".to_string(), "north".to_string());
    adjust_set(&mut memory, &at(1), north, QUANTITY_MAX - 2, None).unwrap();
    let before = memory.clone();
    let expected = Rejection::QuantityOutOfRange { requested_total: 1_000_000_000_001 };
    assert_eq!(transfer_north(&mut memory, &at(2), 4).unwrap_err(), expected);
    assert_eq!(memory, before);
    assert!(transfer_north(&mut memory, &at(2), 2).is_ok());
}

#[test]
fn the_version_that_a_transfer_demands_is_that_of_the_source() {
    let mut memory = memory();
    adjust_by(&mut memory, &at(2), raw("a"), 1).unwrap();
    let expected = Rejection::VersionMismatch { current_version: Some(2) };
    assert_eq!(transfer_north(&mut memory, &at_version(3, 1), 1).unwrap_err(), expected);
    assert!(transfer_north(&mut memory, &at_version(3, 2), 1).is_ok());
}

#[test]
fn every_invalid_argument_of_a_transfer_is_named() {
    let mut memory = memory();
    let same = " ".to_string();
    let refused = transfer(&mut memory, &at(1), "a".into(), same.clone(), same, 0).unwrap_err();
    let Rejection::InvalidRequest { invalid } = refused else { panic!("{refused:?}") };
    let names: Vec<_> = invalid.iter().map(|it| it.name).collect();
    assert_eq!(names, ["to_location_id", "quantity", "location_id", "location_id"]);
}

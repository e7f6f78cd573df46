//! The commands on reservations other than their expiry.

use super::*;
use crate::{LINES_MAX, Rejection, reservation::State};
use alloc::vec;

#[test]
fn a_hold_reserves_the_sum_per_stock_and_remembers_each_line() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 2), ("b", 1), ("a", 4)], Some(60));
    assert_eq!(take_events(&mut memory), ["reserved 6 a", "reserved 1 b", "low a"]);
    assert_eq!(numbers(&memory, "a"), (10, 6, 0, 2));
    let reservation = &memory.reservations["r"];
    assert_eq!(reservation.lines.len(), 3);
    assert_eq!(reservation.status.expires_at, Some(61_000));
}

#[test]
fn a_hold_that_is_short_names_each_short_line_with_the_whole_demand() {
    let mut memory = memory();
    let wanted = lines(&[("a", 6), ("b", 10), ("a", 5)]);
    let refused = hold(&mut memory, &at(1), "r".into(), wanted, None).unwrap_err();
    let Rejection::InsufficientStock { lines } = refused else { panic!("{refused:?}") };
    let short: Vec<_> = lines.iter().map(|it| (it.index, it.requested, it.available)).collect();
    assert_eq!(short, [(0, 11, 10), (2, 11, 10)]);
    assert!(memory.events.is_empty() && memory.reservations.is_empty());
}

#[test]
fn arguments_are_checked_line_by_line() {
    let mut memory = memory();
    let wanted = lines(&[("a", 0), ("x y", 1)]);
    let refused = hold(&mut memory, &at(1), String::new(), wanted, Some(0)).unwrap_err();
    let Rejection::InvalidRequest { invalid } = refused else { panic!("{refused:?}") };
    let named: Vec<_> = invalid.iter().map(|it| (it.name, it.line)).collect();
    let expected = [
        ("reservation_id", None),
        ("ttl_seconds", None),
        ("quantity", Some(0)),
        ("product_id", Some(1)),
    ];
    assert_eq!(named, expected);
    for count in [0, 101] {
        let wanted = vec![(raw("a"), 1); count];
        let refused = hold(&mut memory, &at(1), "r".into(), wanted, None).unwrap_err();
        assert_eq!(refused.code(), "invalid-request");
    }
}

#[test]
fn the_same_hold_again_is_the_same_and_another_one_is_refused() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 2)], Some(60));
    let mut again = |of: &[(&str, u64)], ttl, reference: Option<&str>| {
        let context = Context { reference: reference.map(String::from), ..at(2_000) };
        hold(&mut memory, &context, "r".into(), lines(of), ttl)
            .map(|outcome| outcome.created)
            .map_err(|rejection| rejection.code())
    };
    assert_eq!(again(&[("a", 2)], Some(60), None), Ok(false));
    for other in [
        again(&[("a", 3)], Some(60), None),
        again(&[("a", 2)], Some(61), None),
        again(&[("a", 2)], Some(60), Some("order")),
    ] {
        assert_eq!(other, Err("reservation-exists"));
    }
    assert_eq!(take_events(&mut memory), ["reserved 2 a"]);
}

#[test]
fn replacing_publishes_only_the_net_change() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 6), ("b", 2)], None);
    take_events(&mut memory);
    let outcome = replace(&mut memory, &at(2), "r".into(), lines(&[("a", 8), ("b", 2)])).unwrap();
    assert_eq!(outcome.reservation.status.version, 2);
    assert_eq!(take_events(&mut memory), ["reserved 2 a"]);
    replace(&mut memory, &at(2), "r".into(), lines(&[("a", 8), ("b", 2)])).unwrap();
    assert_eq!(memory.reservations["r"].status.version, 2, "the same lines change nothing");
    replace(&mut memory, &at(2), "r".into(), lines(&[("b", 10)])).unwrap();
    assert_eq!(take_events(&mut memory), ["reserved 8 b", "released 8 a", "low b", "fine a"]);
    let refused = replace(&mut memory, &at(2), "r".into(), lines(&[("b", 11)])).unwrap_err();
    assert_eq!(refused.code(), "insufficient-stock");
}

#[test]
fn replacing_a_partly_resolved_reservation_starts_with_new_lines() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 6)], None);
    fulfill(&mut memory, &at(2), "r".into(), Some(lines(&[("a", 4)]))).unwrap();
    take_events(&mut memory);
    replace(&mut memory, &at(3), "r".into(), lines(&[("a", 6)])).unwrap();
    assert_eq!(take_events(&mut memory), ["reserved 4 a", "low a"][..1], "2 were left");
    assert_eq!(numbers(&memory, "a").1, 6);
}

#[test]
fn fulfilled_units_leave_cancelled_units_are_free_and_the_last_unit_ends_the_reservation() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 3), ("a", 2)], None);
    take_events(&mut memory);
    fulfill(&mut memory, &at(2), "r".into(), Some(lines(&[("a", 4)]))).unwrap();
    assert_eq!(take_events(&mut memory), ["fulfilled 4 a"]);
    let left: Vec<_> = memory.reservations["r"].lines.iter().map(|line| line.remaining()).collect();
    assert_eq!(left, [Some(0), Some(1)], "line by line");
    let refused = cancel(&mut memory, &at(2), "r".into(), Some(lines(&[("a", 2)]))).unwrap_err();
    let exceeds = Rejection::QuantityExceedsLine {
        index: 0,
        key: StockKey::parse("a".into(), "default".into()).unwrap(),
        requested: 2,
        remaining: 1,
    };
    assert_eq!(refused, exceeds);
    cancel(&mut memory, &at(2), "r".into(), None).unwrap();
    assert_eq!(take_events(&mut memory), ["released 1 a", "Cancelled r"]);
    assert_eq!(numbers(&memory, "a"), (6, 0, 0, 4));
}

#[test]
fn a_final_state_stays() {
    for (end, state) in [("fulfill", "fulfilled"), ("cancel", "cancelled")] {
        let mut memory = memory();
        create_hold(&mut memory, "r", &[("a", 3)], None);
        let ended = if end == "fulfill" {
            fulfill(&mut memory, &at(2), "r".into(), None)
        } else {
            cancel(&mut memory, &at(2), "r".into(), None)
        };
        assert_eq!(ended.unwrap().reservation.status.state.name(), state);
        let refusals = [
            confirm(&mut memory, &at(3), "r".into()),
            extend(&mut memory, &at(3), "r".into(), 5),
            replace(&mut memory, &at(3), "r".into(), lines(&[("a", 1)])),
            fulfill(&mut memory, &at(3), "r".into(), None),
            cancel(&mut memory, &at(3), "r".into(), None),
        ];
        for refused in refusals {
            assert_eq!(refused.unwrap_err().code(), "reservation-not-active");
        }
    }
}

#[test]
fn the_version_of_a_reservation_can_be_demanded() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 1)], None);
    let version =
        |version| Context { precondition: Some(Precondition::VersionIn(vec![version])), ..at(2) };
    assert_eq!(
        confirm(&mut memory, &version(2), "r".into()).unwrap_err().code(),
        "version-mismatch"
    );
    assert!(confirm(&mut memory, &version(1), "r".into()).is_ok());
    let absent = Context { precondition: Some(Precondition::Absent), ..at(2) };
    let refused = hold(&mut memory, &absent, "r".into(), lines(&[("a", 1)]), None).unwrap_err();
    assert_eq!(refused.code(), "version-mismatch");
    assert!(hold(&mut memory, &absent, "s".into(), lines(&[("a", 1)]), None).is_ok());
    assert_eq!(
        confirm(&mut memory, &at(2), "none".into()).unwrap_err().code(),
        "reservation-not-found"
    );
}

#[test]
fn a_hold_has_up_to_100_lines_and_a_time_to_live_of_up_to_31_days() {
    let mut memory = memory();
    adjust_by(&mut memory, &at(1), raw("a"), 1_000).unwrap();
    let mut hold_lines = |id: &str, count, ttl| {
        let wanted = vec![(raw("a"), 1); count];
        hold(&mut memory, &at(1), id.into(), wanted, ttl)
            .map(|outcome| outcome.created)
            .map_err(|refused| refused.message())
    };
    assert_eq!(hold_lines("r", LINES_MAX, Some(2_678_400)), Ok(true));
    assert_eq!(hold_lines("s", 1, Some(1)), Ok(true));
    let refused = "invalid arguments: lines must be from 1 to 100, is 101".to_string();
    assert_eq!(hold_lines("t", 101, None), Err(refused));
    let refused = "invalid arguments: ttl_seconds must be from 1 to 2678400, is 2678401";
    assert_eq!(hold_lines("t", 1, Some(2_678_401)), Err(refused.to_string()));
}

#[test]
fn an_invalid_argument_anywhere_refuses_valid_lines_too() {
    let mut memory = memory();
    let before = memory.clone();
    let refused = hold(&mut memory, &at(1), String::new(), lines(&[("a", 1)]), None).unwrap_err();
    assert_eq!(refused.code(), "invalid-request");
    let refused = replace(&mut memory, &at(1), String::new(), lines(&[("", 1)])).unwrap_err();
    let expected = "invalid arguments: reservation_id must have 1 to 128 characters, has 0; \
                    product_id must have 1 to 128 characters, has 0";
    assert_eq!(refused.message(), expected);
    assert_eq!(memory, before);
}

#[test]
fn a_reservation_records_the_time_and_the_reference_of_its_hold() {
    let mut memory = memory();
    let context = Context { reference: Some("order".into()), ..at(7) };
    let outcome = hold(&mut memory, &context, "r".into(), lines(&[("a", 2)]), Some(3)).unwrap();
    assert_eq!(outcome.reservation, memory.reservations["r"]);
    let made = outcome.reservation;
    assert_eq!((made.created_at, made.updated_at, made.ttl_seconds), (7, 7, Some(3)));
    assert_eq!(made.reference.as_deref(), Some("order"));
    assert_eq!((made.status.state, made.status.version), (State::Held, 1));
    let Event::InventoryMoved { reservation_id, expires_at, .. } = &memory.events[0] else {
        panic!("{:?}", memory.events)
    };
    assert_eq!((reservation_id.as_deref(), *expires_at), (Some("r"), Some(3_007)));
}

#[test]
fn a_missing_product_is_refused_before_a_version_that_does_not_match() {
    let mut memory = memory();
    let refused = hold(&mut memory, &at_version(1, 1), "r".into(), lines(&[("x", 1)]), None);
    assert_eq!(refused.unwrap_err(), Rejection::ProductNotFound { key: key("x") });
    let refused = hold(&mut memory, &at_version(1, 1), "r".into(), lines(&[("a", 1)]), None);
    let expected = Rejection::VersionMismatch { current_version: None };
    assert_eq!(refused.unwrap_err(), expected);
}

#[test]
fn a_missing_product_is_refused_before_a_state_that_does_not_fit() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 1)], None);
    cancel(&mut memory, &at(2), "r".into(), None).unwrap();
    let refused = replace(&mut memory, &at(3), "r".into(), lines(&[("x", 1)])).unwrap_err();
    assert_eq!(refused, Rejection::ProductNotFound { key: key("x") });
}

#[test]
fn replacing_with_fewer_units_of_a_stock_releases_the_difference() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 7), ("b", 2)], Some(60));
    take_events(&mut memory);
    replace(&mut memory, &at(2_000), "r".into(), lines(&[("b", 3), ("a", 2)])).unwrap();
    let Event::InventoryMoved { expires_at, .. } = &memory.events[1] else {
        panic!("{:?}", memory.events)
    };
    assert_eq!(*expires_at, None, "released units do not expire");
    assert_eq!(take_events(&mut memory), ["reserved 1 b", "released 5 a", "fine a"]);
    assert_eq!((numbers(&memory, "a").1, numbers(&memory, "b").1), (2, 3));
    assert_eq!(memory.reservations["r"].updated_at, 2_000);
}

#[test]
fn replacing_may_use_held_and_available_units_and_no_more() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 4)], None);
    create_hold(&mut memory, "s", &[("a", 3)], None);
    let refused = replace(&mut memory, &at(2), "r".into(), lines(&[("a", 8)])).unwrap_err();
    let Rejection::InsufficientStock { lines: short } = refused else { panic!("{refused:?}") };
    assert_eq!((short[0].requested, short[0].available), (8, 7));
    assert!(replace(&mut memory, &at(2), "r".into(), lines(&[("a", 7)])).is_ok());
    assert_eq!(numbers(&memory, "a").1, 10);
}

#[test]
fn lines_in_another_order_are_other_lines_but_move_nothing() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 2), ("b", 1)], None);
    take_events(&mut memory);
    let outcome = replace(&mut memory, &at(2), "r".into(), lines(&[("b", 1), ("a", 2)])).unwrap();
    assert_eq!(outcome.reservation.status.version, 2);
    assert_eq!(outcome.reservation.lines[0].key, key("b"));
    assert_eq!(take_events(&mut memory), [""; 0]);
    assert_eq!(numbers(&memory, "a").3, 2, "the stock keeps its version");
}

#[test]
fn a_confirmed_reservation_cannot_be_replaced() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 2)], None);
    confirm(&mut memory, &at(2), "r".into()).unwrap();
    let before = memory.clone();
    let refused = replace(&mut memory, &at(3), "r".into(), lines(&[("a", 3)])).unwrap_err();
    let expected = Rejection::ReservationNotActive { id: "r".into(), state: State::Confirmed };
    assert_eq!(refused, expected);
    assert_eq!(memory, before);
}

#[test]
fn lines_to_resolve_are_checked_and_those_that_exceed_are_named_by_their_position() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 3), ("b", 2)], None);
    let before = memory.clone();
    let mut refused =
        |of: &[(&str, u64)]| fulfill(&mut memory, &at(2), "r".into(), Some(lines(of))).unwrap_err();
    assert_eq!(refused(&[]).code(), "invalid-request");
    assert_eq!(refused(&[("b", 0)]).code(), "invalid-request");
    let exceeds = |index, product, requested, remaining| {
        let key = key(product);
        Rejection::QuantityExceedsLine { index, key, requested, remaining }
    };
    assert_eq!(refused(&[("a", 2), ("a", 2), ("b", 3)]), exceeds(1, "a", 4, 3));
    assert_eq!(refused(&[("x", 1)]), exceeds(0, "x", 1, 0));
    assert_eq!(memory, before);
}

#[test]
fn a_partly_resolved_reservation_stays_active_and_counts_the_change() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 3), ("b", 2)], Some(60));
    take_events(&mut memory);
    let outcome = cancel(&mut memory, &at(2_000), "r".into(), Some(lines(&[("b", 2)]))).unwrap();
    let status = outcome.reservation.status;
    assert_eq!((status.state, status.version, status.expires_at), (State::Held, 2, Some(61_000)));
    assert_eq!(take_events(&mut memory), ["released 2 b"]);
    let outcome = fulfill(&mut memory, &at(3_000), "r".into(), None).unwrap();
    assert_eq!(take_events(&mut memory), ["fulfilled 3 a", "Fulfilled r"]);
    assert_eq!(outcome.reservation, memory.reservations["r"]);
    assert_eq!(outcome.reservation.status.expires_at, Some(61_000));
    assert_eq!((numbers(&memory, "a").0, numbers(&memory, "b").0), (7, 10));
}

#[test]
fn a_reservation_that_contradicts_its_stock_moves_nothing() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 3)], None);
    adjust_set(&mut memory, &at(2), raw("x"), 1, None).unwrap();
    take_events(&mut memory);
    memory.reservations.get_mut("r").unwrap().lines[0].key = key("x");
    fulfill(&mut memory, &at(3), "r".into(), None).unwrap();
    assert_eq!(
        take_events(&mut memory),
        ["Fulfilled r"],
        "the host's check of the invariants sees it"
    );
    assert_eq!(numbers(&memory, "x"), (1, 0, 0, 1));
}

#[test]
fn a_reservation_of_a_stock_that_is_gone_cannot_be_resolved_or_expired() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 3), ("b", 1)], Some(1));
    memory.stocks.remove(&key("b"));
    let before = memory.clone();
    let missing = Rejection::ProductNotFound { key: key("b") };
    assert_eq!(cancel(&mut memory, &at(1_500), "r".into(), None).unwrap_err(), missing);
    assert_eq!(expire(&mut memory, &at(9_000), "r".into()).unwrap_err(), missing);
    let refused = replace(&mut memory, &at(1_500), "r".into(), lines(&[("a", 1)])).unwrap_err();
    assert_eq!(refused, missing);
    assert_eq!(memory, before);
}

//! The expiry of holds: `extend`, `confirm` and `expire`.

use super::*;
use crate::{Change, Rejection, queries, reservation::State};

#[test]
fn a_confirmed_reservation_never_expires_and_can_only_be_resolved() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 3)], Some(1));
    confirm(&mut memory, &at(1_500), "r".into()).unwrap();
    assert_eq!(
        confirm(&mut memory, &at(1_500), "r".into()).unwrap_err().code(),
        "reservation-not-active"
    );
    assert_eq!(
        reserve(&mut memory, &at(99_000), raw("a"), 8).unwrap_err().code(),
        "insufficient-stock"
    );
    cancel(&mut memory, &at(99_000), "r".into(), None).unwrap();
}

#[test]
fn extending_never_brings_the_expiry_forward() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 3)], Some(60));
    create_hold(&mut memory, "for-good", &[("a", 3)], None);
    let mut expiry = |id: &str, ttl| {
        let outcome = extend(&mut memory, &at(2_000), id.into(), ttl).unwrap();
        (outcome.reservation.status.expires_at, outcome.reservation.status.version)
    };
    assert_eq!(expiry("r", 10), (Some(61_000), 1));
    assert_eq!(expiry("r", 60), (Some(62_000), 2));
    assert_eq!(expiry("for-good", 60), (None, 1));
}

#[test]
fn a_hold_that_is_due_expires_as_of_the_time_it_came_due() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 7), ("b", 1), ("a", 1)], Some(1));
    take_events(&mut memory);
    let outcome = expire(&mut memory, &at(5_000), "r".into()).unwrap();
    assert_eq!(take_events(&mut memory), ["released 8 a", "released 1 b", "Expired r", "fine a"]);
    let status = outcome.reservation.status;
    assert_eq!((status.state, status.version), (State::Expired, 2));
    assert!(outcome.reservation.lines.iter().all(|line| line.expired == line.quantity.get()));
    let b = queries::get_stock(&mut memory, raw("b")).unwrap();
    assert_eq!((b.updated_at(), b.level().version()), (2_000, 3));
    assert_eq!(memory.reservations["r"].updated_at, 2_000);
    let refused = confirm(&mut memory, &at(5_000), "r".into()).unwrap_err();
    assert_eq!(refused, Rejection::ReservationExpired { id: "r".into(), expired_at: Some(2_000) });
}

#[test]
fn a_reservation_that_is_not_due_does_not_expire() {
    let mut memory = memory();
    create_hold(&mut memory, "held", &[("a", 1)], Some(1));
    create_hold(&mut memory, "for-good", &[("a", 1)], None);
    create_hold(&mut memory, "confirmed", &[("a", 1)], Some(1));
    confirm(&mut memory, &at(1_500), "confirmed".into()).unwrap();
    create_hold(&mut memory, "ended", &[("a", 1)], Some(1));
    expire(&mut memory, &at(2_000), "ended".into()).unwrap();
    take_events(&mut memory);
    let mut refused =
        |id: &str, now| expire(&mut memory, &at(now), id.into()).map(|_| ()).unwrap_err();
    let not_due = |id: &str, state, expires_at| Rejection::ReservationNotDue {
        id: id.into(),
        state,
        expires_at,
    };
    assert_eq!(refused("held", 1_999), not_due("held", State::Held, Some(2_000)));
    assert_eq!(refused("for-good", 9_000), not_due("for-good", State::Held, None));
    assert_eq!(refused("confirmed", 9_000), not_due("confirmed", State::Confirmed, None));
    assert_eq!(refused("ended", 9_000), not_due("ended", State::Expired, Some(2_000)));
    assert_eq!(refused("none", 9_000).code(), "reservation-not-found");
    assert_eq!(refused("", 9_000).code(), "invalid-request");
    assert!(memory.events.is_empty());
}

#[test]
fn a_line_of_which_nothing_is_left_does_not_expire() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 3), ("b", 2)], Some(1));
    cancel(&mut memory, &at(1_500), "r".into(), Some(lines(&[("a", 3)]))).unwrap();
    take_events(&mut memory);
    expire(&mut memory, &at(2_000), "r".into()).unwrap();
    assert_eq!(take_events(&mut memory), ["released 2 b", "Expired r"]);
    assert_eq!(numbers(&memory, "a").3, 3);
}

#[test]
fn the_arguments_of_the_commands_on_an_expiry_are_checked() {
    let mut memory = memory();
    let long = crate::TTL_SECONDS_MAX + 1;
    let mut refusals = Vec::new();
    for (id, ttl) in [("", 0), ("r", 0), ("r", long)] {
        refusals.push(extend(&mut memory, &at(1), id.into(), ttl).unwrap_err().message());
    }
    refusals.push(confirm(&mut memory, &at(1), String::new()).unwrap_err().message());
    let id = "reservation_id must have 1 to 128 characters, has 0";
    let ttl = "ttl_seconds must be from 1 to 2678400, is";
    let expected = [
        format!("invalid arguments: {id}; {ttl} 0"),
        format!("invalid arguments: {ttl} 0"),
        format!("invalid arguments: {ttl} 2678401"),
        format!("invalid arguments: {id}"),
    ];
    assert_eq!(refusals, expected);
}

#[test]
fn a_hold_that_is_extended_or_confirmed_has_an_event_with_both_states() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 1)], Some(60));
    memory.events.clear();
    let held = memory.reservations["r"].status;
    let extended = extend(&mut memory, &at(2_000), "r".into(), 90).unwrap().reservation;
    let confirmed = confirm(&mut memory, &at(3_000), "r".into()).unwrap().reservation;
    let changed = |change, from, to| Event::ReservationChanged { change, id: "r".into(), from, to };
    let expected = [
        changed(Change::Extended, held, extended.status),
        changed(Change::Confirmed, extended.status, confirmed.status),
    ];
    assert_eq!(memory.events, expected);
    assert_eq!((extended.status.state, extended.updated_at), (State::Held, 2_000));
    assert_eq!((confirmed.status.expires_at, confirmed.updated_at), (None, 3_000));
    assert_eq!(memory.reservations["r"], confirmed);
}

#[test]
fn an_expiry_beyond_the_end_of_time_is_the_end_of_time() {
    let mut memory = memory();
    let late = at(u64::MAX - 5);
    let outcome = hold(&mut memory, &late, "r".into(), lines(&[("a", 1)]), Some(60)).unwrap();
    assert_eq!(outcome.reservation.status.expires_at, Some(u64::MAX));
}

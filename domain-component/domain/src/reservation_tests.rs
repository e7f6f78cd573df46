use super::*;
use alloc::vec;

fn line(quantity: u64, fulfilled: u64, released: u64, expired: u64) -> Line {
    let key = StockKey::parse("a".into(), "default".into()).unwrap();
    Line { key, quantity: Quantity::new(quantity).unwrap(), fulfilled, released, expired }
}

fn reservation(lines: Vec<Line>, state: State, expires_at: Option<u64>) -> Reservation {
    Reservation {
        id: "r".into(),
        lines,
        status: Status { state, expires_at, version: 3 },
        ttl_seconds: None,
        reference: None,
        created_at: 10,
        updated_at: 20,
    }
}

#[test]
fn the_units_left_of_a_line_are_those_that_are_not_resolved() {
    assert_eq!(line(9, 0, 0, 0).remaining(), Some(9));
    assert_eq!(line(9, 2, 3, 1).remaining(), Some(3));
    assert_eq!(line(9, 2, 3, 4).remaining(), Some(0));
}

#[test]
fn a_line_that_resolved_more_than_it_had_has_no_remaining_units() {
    assert_eq!(line(9, 2, 3, 5).remaining(), None);
    assert_eq!(line(9, u64::MAX, 1, 0).remaining(), None);
    assert_eq!(line(9, u64::MAX - 1, 1, 1).remaining(), None);
    let contradictory = reservation(vec![line(9, 9, 9, 9)], State::Held, None);
    assert!(!contradictory.is_whole() && !contradictory.is_resolved());
    assert_eq!(contradictory.holdings().iter().count(), 0);
}

#[test]
fn only_a_hold_is_due_and_from_the_very_millisecond_of_its_expiry() {
    for (state, expires_at, now, due) in [
        (State::Held, Some(5), 4, false),
        (State::Held, Some(5), 5, true),
        (State::Held, Some(5), 6, true),
        (State::Held, None, 6, false),
        (State::Confirmed, Some(5), 6, false),
        (State::Expired, Some(5), 6, false),
    ] {
        let reservation = reservation(vec![line(9, 0, 0, 0)], state, expires_at);
        assert_eq!(reservation.is_due(now), due, "{state:?} {expires_at:?} at {now}");
    }
}

#[test]
fn each_way_to_resolve_units_is_counted_by_itself_and_adds_up() {
    let mut it = reservation(vec![line(20, 1, 2, 3)], State::Held, None);
    for (resolution, units) in
        [(Resolution::Fulfill, 2), (Resolution::Release, 3), (Resolution::Expire, 4)]
    {
        let mut demand = Demand::default();
        demand.add(&it.lines[0].key.clone(), units);
        it.resolve(demand, resolution);
    }
    assert_eq!(it.lines, [line(20, 3, 5, 7)]);
    it.resolve_all(Resolution::Expire);
    assert_eq!(it.lines, [line(20, 3, 5, 12)]);
}

#[test]
fn the_time_of_the_last_change_never_goes_back() {
    let mut it = reservation(vec![line(1, 0, 0, 0)], State::Held, None);
    it.touch(19);
    assert_eq!((it.updated_at, it.status.version), (20, 4));
    it.touch(21);
    assert_eq!((it.updated_at, it.status.version), (21, 5));
}

//! The handlers over maps.

use super::*;
use crate::{
    Context, DeficitScan, Event, Movement, Precondition, Quantity, RawKey, RawLine, Rejection,
    Reservation, ReservationScan, Stock, StockKey, StockScan, World, queries, reservation::State,
};
use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};

#[derive(Default)]
struct Maps {
    stocks: BTreeMap<StockKey, Stock>,
    reservations: BTreeMap<String, Reservation>,
    events: Vec<Event>,
}

impl World for Maps {
    fn stock(&mut self, key: &StockKey) -> Option<Stock> {
        self.stocks.get(key).cloned()
    }

    fn scan_stocks(&mut self, _: StockScan) -> Vec<Stock> {
        self.stocks.values().cloned().collect()
    }

    fn scan_deficits(&mut self, _: DeficitScan) -> Vec<Stock> {
        self.stocks.values().cloned().collect()
    }

    fn save(&mut self, stock: &Stock) {
        self.stocks.insert(stock.key.clone(), stock.clone());
    }

    fn reservation(&mut self, id: &str) -> Option<Reservation> {
        self.reservations.get(id).cloned()
    }

    fn scan_reservations(&mut self, _: ReservationScan) -> (Vec<Reservation>, Option<u64>) {
        (self.reservations.values().cloned().collect(), None)
    }

    fn save_reservation(&mut self, reservation: Reservation) {
        self.reservations.insert(reservation.id.clone(), reservation);
    }

    fn publish(&mut self, events: Vec<Event>) {
        self.events.extend(events);
    }
}

fn at(now: u64) -> Context {
    Context { now, ..Context::default() }
}

fn raw(product: &str) -> RawKey {
    (product.to_string(), "default".to_string())
}

fn lines(of: &[(&str, u64)]) -> Vec<RawLine> {
    of.iter().map(|(product, quantity)| (raw(product), *quantity)).collect()
}

/// 10 of "a", 10 of "b", low below 5.
fn maps() -> Maps {
    let mut maps = Maps::default();
    for product in ["a", "b"] {
        adjust_set(&mut maps, &at(1), raw(product), 10, Some(5)).unwrap();
    }
    maps.events.clear();
    maps
}

fn make(maps: &mut Maps, id: &str, of: &[(&str, u64)], ttl: Option<u32>) {
    assert!(hold(maps, &at(1_000), id.to_string(), lines(of), ttl).unwrap().created);
}

/// Total, reserved, unattributed, version.
fn numbers(maps: &Maps, product: &str) -> (u64, u64, u64, u64) {
    let (product, location) = raw(product);
    let level = maps.stocks[&StockKey::parse(product, location).unwrap()].level();
    let [total, reserved, unattributed] =
        [level.total(), level.reserved(), level.unattributed()].map(Quantity::get);
    (total, reserved, unattributed, level.version())
}

/// What happened, in short.
fn told(maps: &mut Maps) -> Vec<String> {
    let short = |event: &Event| match event {
        Event::InventoryAdjusted { key, .. } => format!("adjusted {}", key.product_id()),
        Event::InventoryMoved { movement, key, quantity, .. } => {
            let verb = match movement {
                Movement::Reserved => "reserved",
                Movement::Released => "released",
                Movement::Fulfilled => "fulfilled",
            };
            format!("{verb} {} {}", quantity.get(), key.product_id())
        }
        Event::InventoryTransferred { incoming, quantity, .. } => {
            format!("{} {}", if *incoming { "in" } else { "out" }, quantity.get())
        }
        Event::ReservationChanged { change, id, .. } => format!("{change:?} {id}"),
        Event::LowStockChanged { detected, key, .. } => {
            format!("{} {}", if *detected { "low" } else { "fine" }, key.product_id())
        }
    };
    maps.events.drain(..).map(|event| short(&event)).collect()
}

#[test]
fn a_hold_reserves_the_sum_per_stock_and_remembers_each_line() {
    let mut maps = maps();
    make(&mut maps, "r", &[("a", 2), ("b", 1), ("a", 4)], Some(60));
    assert_eq!(told(&mut maps), ["reserved 6 a", "reserved 1 b", "low a"]);
    assert_eq!(numbers(&maps, "a"), (10, 6, 0, 2));
    let reservation = &maps.reservations["r"];
    assert_eq!(reservation.lines.len(), 3);
    assert_eq!(reservation.status.expires_at, Some(61_000));
}

#[test]
fn a_hold_that_is_short_names_each_short_line_with_the_whole_demand() {
    let mut maps = maps();
    let wanted = lines(&[("a", 6), ("b", 10), ("a", 5)]);
    let refused = hold(&mut maps, &at(1), "r".into(), wanted, None).unwrap_err();
    let Rejection::InsufficientStock { lines } = refused else { panic!("{refused:?}") };
    let told: Vec<_> = lines.iter().map(|it| (it.index, it.requested, it.available)).collect();
    assert_eq!(told, [(0, 11, 10), (2, 11, 10)]);
    assert!(maps.events.is_empty() && maps.reservations.is_empty());
}

#[test]
fn arguments_are_checked_line_by_line() {
    let mut maps = maps();
    let wanted = lines(&[("a", 0), ("x y", 1)]);
    let refused = hold(&mut maps, &at(1), String::new(), wanted, Some(0)).unwrap_err();
    let Rejection::InvalidRequest { invalid } = refused else { panic!("{refused:?}") };
    let told: Vec<_> = invalid.iter().map(|it| (it.name, it.line)).collect();
    let expected = [
        ("reservation_id", None),
        ("ttl_seconds", None),
        ("quantity", Some(0)),
        ("product_id", Some(1)),
    ];
    assert_eq!(told, expected);
    for count in [0, 101] {
        let wanted = vec![(raw("a"), 1); count];
        let refused = hold(&mut maps, &at(1), "r".into(), wanted, None).unwrap_err();
        assert_eq!(refused.code(), "invalid-request");
    }
}

#[test]
fn the_same_hold_again_is_the_same_and_another_one_is_refused() {
    let mut maps = maps();
    make(&mut maps, "r", &[("a", 2)], Some(60));
    let mut again = |of: &[(&str, u64)], ttl, reference: Option<&str>| {
        let context = Context { reference: reference.map(String::from), ..at(2_000) };
        hold(&mut maps, &context, "r".into(), lines(of), ttl)
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
    assert_eq!(told(&mut maps), ["reserved 2 a"]);
}

#[test]
fn replacing_tells_the_net_change_only() {
    let mut maps = maps();
    make(&mut maps, "r", &[("a", 6), ("b", 2)], None);
    told(&mut maps);
    let outcome = replace(&mut maps, &at(2), "r".into(), lines(&[("a", 8), ("b", 2)])).unwrap();
    assert_eq!(outcome.reservation.status.version, 2);
    assert_eq!(told(&mut maps), ["reserved 2 a"]);
    replace(&mut maps, &at(2), "r".into(), lines(&[("a", 8), ("b", 2)])).unwrap();
    assert_eq!(maps.reservations["r"].status.version, 2, "the same lines change nothing");
    replace(&mut maps, &at(2), "r".into(), lines(&[("b", 10)])).unwrap();
    assert_eq!(told(&mut maps), ["reserved 8 b", "released 8 a", "low b", "fine a"]);
    let refused = replace(&mut maps, &at(2), "r".into(), lines(&[("b", 11)])).unwrap_err();
    assert_eq!(refused.code(), "insufficient-stock");
}

#[test]
fn replacing_what_is_partly_resolved_begins_anew() {
    let mut maps = maps();
    make(&mut maps, "r", &[("a", 6)], None);
    fulfil(&mut maps, &at(2), "r".into(), Some(lines(&[("a", 4)]))).unwrap();
    told(&mut maps);
    replace(&mut maps, &at(3), "r".into(), lines(&[("a", 6)])).unwrap();
    assert_eq!(told(&mut maps), ["reserved 4 a", "low a"][..1], "2 were left");
    assert_eq!(numbers(&maps, "a").1, 6);
}

#[test]
fn what_is_resolved_leaves_or_is_free_again_and_the_last_unit_ends_it() {
    let mut maps = maps();
    make(&mut maps, "r", &[("a", 3), ("a", 2)], None);
    told(&mut maps);
    fulfil(&mut maps, &at(2), "r".into(), Some(lines(&[("a", 4)]))).unwrap();
    assert_eq!(told(&mut maps), ["fulfilled 4 a"]);
    let left: Vec<_> = maps.reservations["r"].lines.iter().map(|line| line.remaining()).collect();
    assert_eq!(left, [Some(0), Some(1)], "line by line");
    let refused = cancel(&mut maps, &at(2), "r".into(), Some(lines(&[("a", 2)]))).unwrap_err();
    let exceeds = Rejection::QuantityExceedsLine {
        index: 0,
        key: StockKey::parse("a".into(), "default".into()).unwrap(),
        requested: 2,
        remaining: 1,
    };
    assert_eq!(refused, exceeds);
    cancel(&mut maps, &at(2), "r".into(), None).unwrap();
    assert_eq!(told(&mut maps), ["released 1 a", "Cancelled r"]);
    assert_eq!(numbers(&maps, "a"), (6, 0, 0, 4));
}

#[test]
fn what_is_final_stays() {
    for (end, state) in [("fulfil", "fulfilled"), ("cancel", "cancelled")] {
        let mut maps = maps();
        make(&mut maps, "r", &[("a", 3)], None);
        let ended = if end == "fulfil" {
            fulfil(&mut maps, &at(2), "r".into(), None)
        } else {
            cancel(&mut maps, &at(2), "r".into(), None)
        };
        assert_eq!(ended.unwrap().reservation.status.state.name(), state);
        let refusals = [
            confirm(&mut maps, &at(3), "r".into()),
            extend(&mut maps, &at(3), "r".into(), 5),
            replace(&mut maps, &at(3), "r".into(), lines(&[("a", 1)])),
            fulfil(&mut maps, &at(3), "r".into(), None),
            cancel(&mut maps, &at(3), "r".into(), None),
        ];
        for refused in refusals {
            assert_eq!(refused.unwrap_err().code(), "reservation-not-active");
        }
    }
}

#[test]
fn a_confirmed_reservation_never_expires_and_can_only_be_resolved() {
    let mut maps = maps();
    make(&mut maps, "r", &[("a", 3)], Some(1));
    confirm(&mut maps, &at(1_500), "r".into()).unwrap();
    assert_eq!(
        confirm(&mut maps, &at(1_500), "r".into()).unwrap_err().code(),
        "reservation-not-active"
    );
    assert_eq!(
        reserve(&mut maps, &at(99_000), raw("a"), 8).unwrap_err().code(),
        "insufficient-stock"
    );
    cancel(&mut maps, &at(99_000), "r".into(), None).unwrap();
}

#[test]
fn extending_never_brings_the_expiry_forward() {
    let mut maps = maps();
    make(&mut maps, "r", &[("a", 3)], Some(60));
    make(&mut maps, "for-good", &[("a", 3)], None);
    let mut expiry = |id: &str, ttl| {
        let outcome = extend(&mut maps, &at(2_000), id.into(), ttl).unwrap();
        (outcome.reservation.status.expires_at, outcome.reservation.status.version)
    };
    assert_eq!(expiry("r", 10), (Some(61_000), 1));
    assert_eq!(expiry("r", 60), (Some(62_000), 2));
    assert_eq!(expiry("for-good", 60), (None, 1));
}

#[test]
fn a_hold_that_is_due_expires_as_of_the_time_it_came_due() {
    let mut maps = maps();
    make(&mut maps, "r", &[("a", 7), ("b", 1), ("a", 1)], Some(1));
    told(&mut maps);
    let outcome = expire(&mut maps, &at(5_000), "r".into()).unwrap();
    assert_eq!(told(&mut maps), ["released 8 a", "released 1 b", "Expired r", "fine a"]);
    let status = outcome.reservation.status;
    assert_eq!((status.state, status.version), (State::Expired, 2));
    assert!(outcome.reservation.lines.iter().all(|line| line.expired == line.quantity.get()));
    let b = queries::get_stock(&mut maps, raw("b")).unwrap();
    assert_eq!((b.updated_at(), b.level().version()), (2_000, 3));
    assert_eq!(maps.reservations["r"].updated_at, 2_000);
    let refused = confirm(&mut maps, &at(5_000), "r".into()).unwrap_err();
    assert_eq!(refused, Rejection::ReservationExpired { id: "r".into(), expired_at: Some(2_000) });
}

#[test]
fn what_is_not_due_does_not_expire() {
    let mut maps = maps();
    make(&mut maps, "held", &[("a", 1)], Some(1));
    make(&mut maps, "for-good", &[("a", 1)], None);
    make(&mut maps, "confirmed", &[("a", 1)], Some(1));
    confirm(&mut maps, &at(1_500), "confirmed".into()).unwrap();
    make(&mut maps, "ended", &[("a", 1)], Some(1));
    expire(&mut maps, &at(2_000), "ended".into()).unwrap();
    told(&mut maps);
    let mut refused =
        |id: &str, now| expire(&mut maps, &at(now), id.into()).map(|_| ()).unwrap_err();
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
    assert!(maps.events.is_empty());
}

#[test]
fn a_line_of_which_nothing_is_left_does_not_expire() {
    let mut maps = maps();
    make(&mut maps, "r", &[("a", 3), ("b", 2)], Some(1));
    cancel(&mut maps, &at(1_500), "r".into(), Some(lines(&[("a", 3)]))).unwrap();
    told(&mut maps);
    expire(&mut maps, &at(2_000), "r".into()).unwrap();
    assert_eq!(told(&mut maps), ["released 2 b", "Expired r"]);
    assert_eq!(numbers(&maps, "a").3, 3);
}

#[test]
fn a_reader_sees_what_is_due_as_free_and_writes_nothing() {
    let mut maps = maps();
    make(&mut maps, "r", &[("a", 7), ("b", 1)], Some(1));
    reserve(&mut maps, &at(1_500), raw("a"), 1).unwrap();
    told(&mut maps);
    let key = StockKey::parse("a".into(), "default".into()).unwrap();
    let stored = maps.stocks[&key].clone();
    let due = |units| {
        let (created, updated) = (stored.created_at, stored.updated_at());
        let units = Quantity::new(units).unwrap();
        Stock::restore(key.clone(), stored.level(), units, created, updated)
    };
    let seen = |stock: &Stock| {
        let level = stock.visible();
        (level.reserved().get(), level.available().get(), level.version())
    };
    assert_eq!(seen(&due(0)), (8, 2, 3));
    assert_eq!(seen(&due(7)), (1, 9, 3), "versions count what is recorded");
    assert_eq!(seen(&due(8)), (8, 2, 3), "more than holds can have is the host's mistake");
    let before = queries::get_reservation(&mut maps, 1_999, "r".into()).unwrap();
    assert_eq!(before.status.state, State::Held);
    let shown = queries::get_reservation(&mut maps, 2_000, "r".into()).unwrap();
    assert_eq!((shown.status.state, shown.status.version), (State::Expired, 1));
    assert_eq!((shown.updated_at, shown.lines[0].expired), (1_000, 7));
    assert_eq!(maps.reservations["r"].status.state, State::Held, "only shown so");
    assert!(maps.events.is_empty());
}

#[test]
fn a_list_of_held_reservations_leaves_out_what_is_due() {
    let mut maps = maps();
    make(&mut maps, "r", &[("a", 1)], Some(1));
    make(&mut maps, "s", &[("a", 1)], Some(2));
    let mut held = |now| {
        let scan = ReservationScan { state: Some(State::Held), limit: 9, ..Default::default() };
        let (found, _) = queries::list_reservations(&mut maps, now, scan).unwrap();
        found.into_iter().map(|it| it.id).collect::<Vec<_>>()
    };
    assert_eq!(held(1_999), ["r", "s"]);
    assert_eq!(held(2_000), ["s"]);
}

#[test]
fn the_version_of_a_reservation_can_be_demanded() {
    let mut maps = maps();
    make(&mut maps, "r", &[("a", 1)], None);
    let version =
        |version| Context { precondition: Some(Precondition::VersionIn(vec![version])), ..at(2) };
    assert_eq!(confirm(&mut maps, &version(2), "r".into()).unwrap_err().code(), "version-mismatch");
    assert!(confirm(&mut maps, &version(1), "r".into()).is_ok());
    let absent = Context { precondition: Some(Precondition::Absent), ..at(2) };
    let refused = hold(&mut maps, &absent, "r".into(), lines(&[("a", 1)]), None).unwrap_err();
    assert_eq!(refused.code(), "version-mismatch");
    assert!(hold(&mut maps, &absent, "s".into(), lines(&[("a", 1)]), None).is_ok());
    assert_eq!(
        confirm(&mut maps, &at(2), "none".into()).unwrap_err().code(),
        "reservation-not-found"
    );
}

#[test]
fn a_transfer_moves_total_and_creates_its_target() {
    let mut maps = maps();
    let mut go = |from: &str, to: &str, quantity| {
        transfer(&mut maps, &at(2), "a".into(), from.into(), to.into(), quantity)
            .map(|it| (it.source.level().total().get(), it.target.level().total().get()))
            .map_err(|rejection| rejection.code())
    };
    assert_eq!(go("default", "north", 4), Ok((6, 4)));
    assert_eq!(go("default", "north", 1), Ok((5, 5)));
    assert_eq!(go("default", "north", 6), Err("insufficient-stock"));
    assert_eq!(go("north", "north", 1), Err("invalid-request"));
    assert_eq!(go("south", "north", 1), Err("product-not-found"));
    assert_eq!(told(&mut maps), ["out 4", "in 4", "out 1", "in 1"]);
}

#[test]
fn a_transfer_does_not_overfill_its_target() {
    let mut maps = maps();
    let north = ("a".to_string(), "north".to_string());
    adjust_set(&mut maps, &at(1), north, crate::QUANTITY_MAX, None).unwrap();
    let refused = transfer(&mut maps, &at(2), "a".into(), "default".into(), "north".into(), 1);
    assert_eq!(refused.unwrap_err().code(), "quantity-out-of-range");
    assert_eq!(numbers(&maps, "a").0, 10, "and leaves the source as it was");
}

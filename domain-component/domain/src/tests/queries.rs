//! The queries.

use super::*;
use crate::{
    PAGE_ITEMS_MAX, QUANTITY_MAX, Rejection,
    queries::{self, StockFilter},
    reservation::State,
};
use alloc::vec;

#[test]
fn a_reader_sees_due_units_as_free_and_writes_nothing() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 7), ("b", 1)], Some(1));
    reserve(&mut memory, &at(1_500), raw("a"), 1).unwrap();
    take_events(&mut memory);
    let key = StockKey::parse("a".into(), "default".into()).unwrap();
    let stored = memory.stocks[&key].clone();
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
    let before = queries::get_reservation(&mut memory, 1_999, "r".into()).unwrap();
    assert_eq!(before.status.state, State::Held);
    let shown = queries::get_reservation(&mut memory, 2_000, "r".into()).unwrap();
    assert_eq!((shown.status.state, shown.status.version), (State::Expired, 1));
    assert_eq!((shown.updated_at, shown.lines[0].expired), (1_000, 7));
    assert_eq!(memory.reservations["r"].status.state, State::Held, "only shown so");
    assert!(memory.events.is_empty());
}

#[test]
fn a_list_of_held_reservations_leaves_out_due_holds() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 1)], Some(1));
    create_hold(&mut memory, "s", &[("a", 1)], Some(2));
    let mut held = |now| {
        let scan = ReservationScan { state: Some(State::Held), limit: 9, ..Default::default() };
        let (found, _) = queries::list_reservations(&mut memory, now, scan).unwrap();
        found.into_iter().map(|it| it.id).collect::<Vec<_>>()
    };
    assert_eq!(held(1_999), ["s", "r"]);
    assert_eq!(held(2_000), ["s"]);
}

/// Five stocks of which "a" to "c" are low by 1, 3 and 3, "d" is not low, and "e" is elsewhere.
fn stocks() -> Memory {
    let mut memory = Memory::default();
    for (product, location, total) in [
        ("a", "default", 4),
        ("b", "default", 2),
        ("c", "default", 2),
        ("d", "default", 5),
        ("e", "north", 0),
    ] {
        let key = (product.to_string(), location.to_string());
        adjust_set(&mut memory, &at(1), key, total, Some(5)).unwrap();
    }
    memory.events.clear();
    memory
}

fn products(stocks: &[Stock]) -> Vec<&str> {
    stocks.iter().map(|stock| stock.key.product_id()).collect()
}

/// The names of the invalid arguments of a refused query.
fn invalid<T: core::fmt::Debug>(answer: Result<T, Rejection>) -> Vec<&'static str> {
    match answer {
        Err(Rejection::InvalidRequest { invalid }) => invalid.iter().map(|it| it.name).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_stock_is_found_by_its_key() {
    let mut memory = stocks();
    assert_eq!(queries::get_stock(&mut memory, raw("a")).unwrap(), memory.stocks[&key("a")]);
    let missing = Rejection::ProductNotFound { key: key("x") };
    assert_eq!(queries::get_stock(&mut memory, raw("x")), Err(missing));
    assert_eq!(invalid(queries::get_stock(&mut memory, raw(""))), ["product_id"]);
}

#[test]
fn a_reservation_is_found_by_its_id() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 1)], None);
    let found = queries::get_reservation(&mut memory, 2, "r".into()).unwrap();
    assert_eq!(found, memory.reservations["r"]);
    let missing = Rejection::ReservationNotFound { id: "x".into() };
    assert_eq!(queries::get_reservation(&mut memory, 2, "x".into()), Err(missing));
    let refused = queries::get_reservation(&mut memory, 2, String::new());
    assert_eq!(invalid(refused), ["reservation_id"]);
}

#[test]
fn pages_of_stocks_follow_each_other_without_a_gap_and_the_last_one_has_no_next() {
    let mut memory = stocks();
    let mut pages = Vec::new();
    let mut after = None;
    loop {
        let filter = StockFilter::default();
        let (stocks, next) = queries::list_stocks(&mut memory, filter, after, 2).unwrap();
        pages.push(products(&stocks).concat());
        let Some(next) = next else { break };
        assert_eq!(next, stocks.last().unwrap().key);
        after = Some(next.into_ids());
    }
    assert_eq!(pages, ["ab", "cd", "e"]);
    let (all, next) = queries::list_stocks(&mut memory, StockFilter::default(), None, 5).unwrap();
    assert_eq!((all.len(), next), (5, None), "a page that is exactly full is the last one");
}

#[test]
fn stocks_are_filtered_by_location_start_of_the_product_and_low_stock() {
    let mut memory = stocks();
    let mut list = |location: Option<&str>, prefix: Option<&str>, low| {
        let [location_id, product_prefix] =
            [location, prefix].map(|text| text.map(ToString::to_string));
        let filter = StockFilter { location_id, product_prefix, low };
        let (stocks, _) = queries::list_stocks(&mut memory, filter, None, 9).unwrap();
        products(&stocks).concat()
    };
    assert_eq!(list(Some("north"), None, None), "e");
    assert_eq!(list(None, Some("b"), None), "b");
    assert_eq!(list(None, None, Some(true)), "abce");
    assert_eq!(list(None, None, Some(false)), "d");
    assert_eq!(list(Some("default"), Some("d"), Some(true)), "");
}

#[test]
fn low_stocks_come_by_deficit_and_then_by_key_page_by_page() {
    let mut memory = stocks();
    let mut pages = Vec::new();
    let mut after = None;
    loop {
        let (stocks, next) = queries::low_stock(&mut memory, None, after, 2).unwrap();
        pages.push(products(&stocks).concat());
        let Some(DeficitPosition { deficit, key }) = next else { break };
        assert_eq!(key, stocks.last().unwrap().key);
        after = Some((deficit.get(), key.into_ids()));
    }
    assert_eq!(pages, ["eb", "ca"]);
    let (found, next) = queries::low_stock(&mut memory, Some("north".into()), None, 1).unwrap();
    assert_eq!((products(&found).concat(), next), ("e".to_string(), None));
}

#[test]
fn a_stock_that_is_low_only_by_due_units_is_listed_as_not_low() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 6)], Some(1));
    let stored = memory.stocks[&key("a")].clone();
    let due = Quantity::new(6).unwrap();
    let times = (stored.created_at, stored.updated_at());
    memory.save(&Stock::restore(key("a"), stored.level(), due, times.0, times.1));
    assert_eq!(memory.stocks[&key("a")].due(), due);
    assert!(queries::low_stock(&mut memory, None, None, 9).unwrap().0.is_empty());
    let mut list = |low| {
        let filter = StockFilter { low, ..StockFilter::default() };
        products(&queries::list_stocks(&mut memory, filter, None, 9).unwrap().0).concat()
    };
    assert_eq!(list(Some(true)), "");
    assert_eq!(list(Some(false)), "ab");
}

#[test]
fn a_page_has_1_to_500_items() {
    let mut memory = stocks();
    for (limit, good) in [(0, false), (1, true), (PAGE_ITEMS_MAX, true), (501, false)] {
        let scan = ReservationScan { limit, ..ReservationScan::default() };
        let answers = [
            queries::list_stocks(&mut memory, StockFilter::default(), None, limit).map(|_| ()),
            queries::low_stock(&mut memory, None, None, limit).map(|_| ()),
            queries::list_reservations(&mut memory, 1, scan).map(|_| ()),
        ];
        for answer in answers {
            let message = format!("invalid arguments: limit must be from 1 to 500, is {limit}");
            let expected = if good { Ok(()) } else { Err(message) };
            assert_eq!(answer.map_err(|refused| refused.message()), expected);
        }
    }
}

#[test]
fn every_invalid_argument_of_a_list_is_named() {
    let mut memory = stocks();
    let bad = || Some(String::new());
    let filter =
        StockFilter { location_id: bad(), product_prefix: bad(), ..StockFilter::default() };
    let refused = queries::list_stocks(&mut memory, filter, Some(raw("")), 0);
    assert_eq!(invalid(refused), ["location_id", "product_prefix", "product_id", "limit"]);
    let after = Some((QUANTITY_MAX + 1, raw("")));
    let refused = queries::low_stock(&mut memory, bad(), after, 0);
    assert_eq!(invalid(refused), ["location_id", "deficit", "product_id", "limit"]);
    let scan =
        ReservationScan { product_id: bad(), location_id: bad(), ..ReservationScan::default() };
    let refused = queries::list_reservations(&mut memory, 1, scan);
    assert_eq!(invalid(refused), ["product_id", "location_id", "limit"]);
}

#[test]
fn reservations_are_listed_newest_first_page_by_page_and_filtered() {
    let mut memory = memory();
    let north = ("b".to_string(), "north".to_string());
    adjust_set(&mut memory, &at(1), north.clone(), 9, None).unwrap();
    create_hold(&mut memory, "r", &[("a", 1)], Some(1));
    create_hold(&mut memory, "s", &[("a", 1), ("b", 1)], Some(9));
    let named = Context { reference: Some("order".into()), ..at(1_000) };
    hold(&mut memory, &named, "t".into(), vec![(north, 1)], None).unwrap();
    confirm(&mut memory, &at(1_000), "s".into()).unwrap();
    let mut list = |scan: ReservationScan, limit| {
        let scan = ReservationScan { limit, ..scan };
        let (found, next) = queries::list_reservations(&mut memory, 1_000, scan).unwrap();
        (found.into_iter().map(|it| it.id).collect::<Vec<_>>().concat(), next)
    };
    let (first, next) = list(ReservationScan::default(), 2);
    assert_eq!((first.as_str(), next.is_some()), ("ts", true));
    let rest = ReservationScan { after: next, ..ReservationScan::default() };
    assert_eq!(list(rest, 2), ("r".to_string(), None));
    let mut filtered = |scan| list(scan, 9).0;
    let all = ReservationScan::default;
    assert_eq!(filtered(ReservationScan { product_id: Some("b".into()), ..all() }), "ts");
    assert_eq!(filtered(ReservationScan { location_id: Some("default".into()), ..all() }), "sr");
    assert_eq!(filtered(ReservationScan { reference: Some("order".into()), ..all() }), "t");
    assert_eq!(filtered(ReservationScan { expires_before: Some(2_001), ..all() }), "r");
    assert_eq!(filtered(ReservationScan { state: Some(State::Confirmed), ..all() }), "s");
}

#[test]
fn a_list_of_all_states_shows_a_hold_that_is_due_as_expired() {
    let mut memory = memory();
    create_hold(&mut memory, "r", &[("a", 1)], Some(1));
    let scan = ReservationScan { limit: 9, ..ReservationScan::default() };
    let (found, _) = queries::list_reservations(&mut memory, 2_000, scan).unwrap();
    assert_eq!(found[0].status.state, State::Expired);
}

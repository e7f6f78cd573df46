use super::*;
use alloc::string::ToString;

fn quantity(units: u64) -> Quantity {
    Quantity::new(units).unwrap()
}

fn stock(total: u64, reserved: u64, unattributed: u64) -> Stock {
    let key = StockKey::parse("a".to_string(), "default".to_string()).unwrap();
    let level = Level::restore(total, reserved, unattributed, 2, 4).unwrap();
    Stock::restore(key, level, Quantity::ZERO, 10, 20)
}

fn numbers(stock: &Stock) -> (u64, u64, u64, u64, u64) {
    let level = stock.level();
    let parts = [level.total(), level.reserved(), level.unattributed(), level.minimum()];
    let [total, reserved, unattributed, minimum] = parts.map(Quantity::get);
    (total, reserved, unattributed, minimum, level.version())
}

#[test]
fn a_created_stock_has_version_1_and_nothing_reserved() {
    let key = StockKey::parse("a".to_string(), "b".to_string()).unwrap();
    let (stock, event) = Stock::create(key, quantity(7), quantity(3), 99);
    assert_eq!(numbers(&stock), (7, 0, 0, 3, 1));
    assert_eq!((stock.created_at, stock.updated_at()), (99, 99));
    assert!(
        matches!(event, Event::InventoryAdjusted { from: None, to, .. } if to == stock.level())
    );
}

#[test]
fn setting_changes_total_and_minimum_in_one_version() {
    let mut it = stock(10, 4, 4);
    let from = it.level();
    let event = it.adjust_set(quantity(20), Some(quantity(5)), 30).unwrap().unwrap();
    assert_eq!(numbers(&it), (20, 4, 4, 5, 5));
    assert_eq!(it.updated_at(), 30);
    let to = it.level();
    assert_eq!(event, Event::InventoryAdjusted { key: it.key.clone(), from: Some(from), to });
}

#[test]
fn an_absent_minimum_stays() {
    let mut it = stock(10, 4, 4);
    assert!(it.adjust_set(quantity(11), None, 30).unwrap().is_some());
    assert_eq!(numbers(&it), (11, 4, 4, 2, 5));
}

#[test]
fn setting_the_same_values_changes_nothing() {
    let mut it = stock(10, 4, 4);
    assert_eq!(it.adjust_set(quantity(10), None, 30), Ok(None));
    assert_eq!(it.adjust_set(quantity(10), Some(quantity(2)), 30), Ok(None));
    assert_eq!(it, stock(10, 4, 4));
}

#[test]
fn a_total_may_fall_to_the_reserved_units_and_no_further() {
    let mut it = stock(10, 4, 4);
    let refused = it.adjust_set(quantity(3), None, 30);
    let expected = Rejection::AdjustBelowReserved { requested_total: 3, reserved: quantity(4) };
    assert_eq!(refused, Err(expected.clone()));
    assert_eq!(it.adjust_by(-7, 30), Err(expected));
    assert_eq!(it, stock(10, 4, 4));
    assert!(it.clone().adjust_set(quantity(4), None, 30).is_ok());
    assert!(it.adjust_by(-6, 30).is_ok());
    assert_eq!(numbers(&it), (4, 4, 4, 2, 5));
}

#[test]
fn the_refusal_of_a_delta_names_a_negative_total() {
    let refused = stock(10, 0, 0).adjust_by(-15, 30);
    assert_eq!(
        refused,
        Err(Rejection::AdjustBelowReserved { requested_total: -5, reserved: Quantity::ZERO })
    );
    assert!(stock(10, 0, 0).adjust_by(i64::MIN, 30).is_err());
}

#[test]
fn a_delta_past_the_largest_quantity_is_refused_not_wrapped() {
    let mut it = stock(10, 4, 4);
    let excess = i64::try_from(QUANTITY_MAX).unwrap() - 9;
    assert_eq!(
        it.adjust_by(excess, 30),
        Err(Rejection::QuantityOutOfRange { requested_total: 1_000_000_000_000 })
    );
    assert!(matches!(it.adjust_by(i64::MAX, 30), Err(Rejection::QuantityOutOfRange { .. })));
    assert!(it.adjust_by(excess - 1, 30).is_ok());
    assert_eq!(it.level().total().get(), QUANTITY_MAX);
}

#[test]
fn reserving_takes_up_to_the_available_units() {
    let mut it = stock(10, 4, 1);
    let from = it.level();
    let event = it.reserve(quantity(6), 30).unwrap();
    assert_eq!(numbers(&it), (10, 10, 7, 2, 5));
    let expected = Event::InventoryMoved {
        movement: Movement::Reserved,
        reservation_id: None,
        expires_at: None,
        key: it.key.clone(),
        quantity: quantity(6),
        from,
        to: it.level(),
    };
    assert_eq!(event, expected);
}

#[test]
fn reserving_more_than_available_names_the_numbers_and_changes_nothing() {
    let mut it = stock(10, 4, 4);
    let Err(Rejection::InsufficientStock { lines }) = it.reserve(quantity(7), 30) else {
        panic!("7 of 6 must be refused");
    };
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0].index, lines[0].requested, lines[0].available), (0, 7, 6));
    assert_eq!(it, stock(10, 4, 4));
}

#[test]
fn releasing_frees_only_units_that_no_reservation_owns() {
    let mut it = stock(10, 6, 4);
    assert_eq!(
        it.release(quantity(5), 30),
        Err(Rejection::ReleaseExceedsReserved {
            requested: quantity(5),
            releasable: quantity(4),
            reserved: quantity(6),
        })
    );
    assert_eq!(it, stock(10, 6, 4));
    let from = it.level();
    let event = it.release(quantity(4), 30).unwrap();
    assert_eq!(numbers(&it), (10, 2, 0, 2, 5));
    let expected = Event::InventoryMoved {
        movement: Movement::Released,
        reservation_id: None,
        expires_at: None,
        key: it.key.clone(),
        quantity: quantity(4),
        from,
        to: it.level(),
    };
    assert_eq!(event, expected);
}

#[test]
fn reserve_then_release_restores_the_numbers() {
    let mut it = stock(10, 4, 4);
    it.reserve(quantity(3), 30).unwrap();
    it.release(quantity(3), 31).unwrap();
    assert_eq!(numbers(&it), (10, 4, 4, 2, 6));
}

#[test]
fn a_reservation_moves_no_units_that_the_stock_does_not_have() {
    let mut it = stock(10, 4, 1);
    for movement in [Movement::Reserved, Movement::Released, Movement::Fulfilled] {
        for units in [7, QUANTITY_MAX + 1] {
            assert_eq!(it.move_for_reservation(movement, units, "r", None, 30), None);
        }
    }
    assert_eq!(it, stock(10, 4, 1));
    let from = it.level();
    let event = it.move_for_reservation(Movement::Reserved, 6, "r", Some(99), 30);
    let expected = Event::InventoryMoved {
        movement: Movement::Reserved,
        reservation_id: Some("r".to_string()),
        expires_at: Some(99),
        key: it.key.clone(),
        quantity: quantity(6),
        from,
        to: it.level(),
    };
    assert_eq!(event, Some(expected));
    assert_eq!(numbers(&it), (10, 10, 1, 2, 5));
}

#[test]
fn the_time_of_the_last_change_never_goes_back() {
    let mut it = stock(10, 4, 4);
    it.reserve(quantity(1), 19).unwrap();
    assert_eq!(it.updated_at(), 20);
    it.reserve(quantity(1), 21).unwrap();
    assert_eq!(it.updated_at(), 21);
}

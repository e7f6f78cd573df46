use super::*;
use crate::quantity::QUANTITY_MAX;

fn quantity(units: u64) -> Quantity {
    Quantity::new(units).unwrap()
}

fn level(total: u64, reserved: u64, unattributed: u64) -> Level {
    Level::restore(total, reserved, unattributed, 2, 4).unwrap()
}

/// Total, reserved, unattributed, minimum, version.
fn numbers(level: Level) -> (u64, u64, u64, u64, u64) {
    let parts = [level.total(), level.reserved(), level.unattributed(), level.minimum()];
    let [total, reserved, unattributed, minimum] = parts.map(Quantity::get);
    (total, reserved, unattributed, minimum, level.version())
}

#[test]
fn contradictory_numbers_are_no_level() {
    assert!(Level::restore(5, 5, 5, 0, 1).is_some());
    assert!(Level::restore(5, 6, 0, 0, 1).is_none());
    assert!(Level::restore(5, 4, 5, 0, 1).is_none());
    assert!(Level::restore(5, 4, 4, 0, 0).is_none());
    let over = QUANTITY_MAX + 1;
    assert!(Level::restore(over, 0, 0, 0, 1).is_none());
    assert!(Level::restore(over, over, 0, 0, 1).is_none());
    assert!(Level::restore(over, over, over, 0, 1).is_none());
    assert!(Level::restore(0, over, over, 0, 1).is_none());
    assert!(Level::restore(0, 0, over, 0, 1).is_none());
    assert!(Level::restore(0, 0, 0, over, 1).is_none());
}

#[test]
fn the_numbers_of_a_level_add_up() {
    let level = level(10, 6, 4);
    assert_eq!((level.attributed().get(), level.available().get()), (2, 4));
}

#[test]
fn a_change_within_its_bound_gives_the_next_version_and_one_beyond_it_gives_none() {
    type Change = fn(Level, Quantity) -> Option<Level>;
    type Numbers = (u64, u64, u64);
    let cases: [(&str, Change, u64, Numbers); 6] = [
        ("reserve", Level::reserve, 4, (10, 10, 8)),
        ("release", Level::release, 4, (10, 2, 0)),
        ("hold", Level::hold, 4, (10, 10, 4)),
        ("release_held", Level::release_held, 2, (10, 4, 4)),
        ("fulfill", Level::fulfill, 2, (8, 4, 4)),
        ("send", Level::send, 4, (6, 6, 4)),
    ];
    for (name, change, most, (total, reserved, unattributed)) in cases {
        let level = level(10, 6, 4);
        let changed = change(level, quantity(most)).unwrap();
        assert_eq!(numbers(changed), (total, reserved, unattributed, 2, 5), "{name}");
        assert_eq!(change(level, quantity(most + 1)), None, "{name}");
        assert_eq!(change(level, quantity(QUANTITY_MAX)), None, "{name}");
    }
}

#[test]
fn a_total_falls_to_the_reserved_units_and_grows_to_the_largest_quantity() {
    let full = level(10, 6, 4);
    assert_eq!(numbers(full.set(quantity(6), quantity(1)).unwrap()), (6, 6, 4, 1, 5));
    assert_eq!(full.set(quantity(5), quantity(1)), None);
    let most = full.receive(quantity(QUANTITY_MAX - 10)).unwrap();
    assert_eq!(numbers(most), (QUANTITY_MAX, 6, 4, 2, 5));
    assert_eq!(full.receive(quantity(QUANTITY_MAX - 9)), None);
}

#[test]
fn units_that_are_due_count_as_free_as_far_as_reservations_have_them() {
    let full = level(10, 6, 4);
    assert_eq!(numbers(full.without_due(quantity(0))), (10, 6, 4, 2, 4));
    assert_eq!(numbers(full.without_due(quantity(2))), (10, 4, 4, 2, 4));
    assert_eq!(full.without_due(quantity(3)), full);
}

use super::*;

fn change(stock_id: i64, at: Timestamp, number: i64, units: u64, removed: bool) -> DueChange {
    DueChange { stock_id, at, number, units, removed }
}

#[test]
fn sums_are_exact_at_every_time_and_per_stock() {
    let mut sums = DueSums::folded(100);
    let changes =
        [change(1, 50, 1, 2, false), change(1, 200, 2, 3, false), change(2, 200, 2, 5, false)];
    sums.apply(&changes);
    assert_eq!([150, 199, 200, 999].map(|at| sums.until(1, at)), [2, 2, 5, 5]);
    assert_eq!([199, 200].map(|at| sums.until(2, at)), [0, 5]);
    assert_eq!(sums.until(3, 999), 0);
    sums.apply(&[change(1, 50, 1, 2, true), change(1, 200, 2, 1, true)]);
    assert_eq!([199, 200].map(|at| sums.until(1, at)), [0, 2]);
}

#[test]
fn a_copy_stays_as_it_was() {
    let mut sums = DueSums::folded(0);
    sums.apply(&[change(1, 10, 1, 2, false)]);
    let copy = sums.clone();
    sums.apply(&[change(1, 10, 1, 2, true)]);
    assert_eq!((sums.until(1, 10), copy.until(1, 10)), (0, 2));
}

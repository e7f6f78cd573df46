use super::*;
use crate::model::StockEventKind;

fn key(product: &str) -> StockKey {
    StockKey::parse(product.to_owned(), "default".to_owned()).unwrap()
}

fn level(total: u64, reserved: u64, version: u64) -> Level {
    Level { total, reserved, unattributed: reserved, minimum: 0, version }
}

fn stock(level: Level) -> Stock {
    Stock { level, due: 0, created_at: 1, updated_at: 1 }
}

fn event(kind: StockEventKind, from: Option<Level>, to: Level) -> Event {
    Event::Stock(StockEvent {
        kind,
        key: key("a"),
        quantity: None,
        reservation_id: None,
        expires_at: None,
        counterpart_id: None,
        from,
        to,
    })
}

fn reserved(from: Level, to: Level) -> Event {
    event(StockEventKind::InventoryReserved, Some(from), to)
}

fn check(
    stocks: &[(StockKey, Stock)],
    events: &[Event],
    before: Option<&Stock>,
) -> Result<(), String> {
    let writes = Draft { stocks, reservations: &[], events };
    writes.check(&|_| before, &|_| None)
}

/// Whether a command that finds `before` may write `after` and publish `events`.
fn verdict(before: Option<Level>, after: Level, events: &[Event]) -> Result<(), String> {
    let before = before.map(stock);
    check(&[(key("a"), stock(after))], events, before.as_ref())
}

#[test]
fn a_change_with_its_event_breaks_no_invariant() {
    let (from, to) = (level(10, 0, 1), level(10, 3, 2));
    assert_eq!(verdict(Some(from), to, &[reserved(from, to)]), Ok(()));
    let born = level(10, 0, 1);
    let adjusted = event(StockEventKind::InventoryAdjusted, None, born);
    assert_eq!(verdict(None, born, &[adjusted]), Ok(()));
}

#[test]
fn several_changes_of_one_command_must_chain() {
    let (a, b, c) = (level(10, 0, 1), level(10, 3, 2), level(10, 5, 3));
    assert_eq!(verdict(Some(a), c, &[reserved(a, b), reserved(b, c)]), Ok(()));
    assert!(verdict(Some(a), c, &[reserved(b, c), reserved(a, b)]).is_err());
    assert!(verdict(Some(a), c, &[reserved(a, b)]).is_err());
}

#[test]
fn more_reserved_than_there_is_breaks_an_invariant() {
    let (from, to) = (level(10, 0, 1), level(10, 11, 2));
    assert!(verdict(Some(from), to, &[reserved(from, to)]).is_err());
}

#[test]
fn more_unattributed_than_reserved_breaks_an_invariant() {
    let from = level(10, 0, 1);
    let to = Level { unattributed: 4, ..level(10, 3, 2) };
    assert!(verdict(Some(from), to, &[reserved(from, to)]).is_err());
}

#[test]
fn quantities_out_of_range_break_an_invariant() {
    let from = level(10, 0, 1);
    let to = level(QUANTITY_MAX + 1, 0, 2);
    assert!(verdict(Some(from), to, &[reserved(from, to)]).is_err());
    let to = Level { minimum: QUANTITY_MAX + 1, ..level(10, 0, 2) };
    assert!(verdict(Some(from), to, &[reserved(from, to)]).is_err());
}

#[test]
fn a_version_rises_by_exactly_one() {
    let from = level(10, 0, 1);
    for version in [1, 3, 0, u64::MAX] {
        let to = level(10, 3, version);
        assert!(verdict(Some(from), to, &[reserved(from, to)]).is_err(), "{version}");
    }
    let born = level(10, 0, 2);
    assert!(verdict(None, born, &[event(StockEventKind::InventoryAdjusted, None, born)]).is_err());
}

#[test]
fn a_write_without_an_event_breaks_an_invariant() {
    assert!(verdict(Some(level(10, 0, 1)), level(10, 3, 2), &[]).is_err());
}

#[test]
fn an_event_without_a_write_breaks_an_invariant() {
    let (from, to) = (level(10, 0, 1), level(10, 3, 2));
    assert!(check(&[], &[reserved(from, to)], None).is_err());
}

#[test]
fn an_event_with_a_wrong_level_before_breaks_an_invariant() {
    let (from, to) = (level(10, 0, 1), level(10, 3, 2));
    assert!(verdict(Some(from), to, &[reserved(level(12, 0, 1), to)]).is_err());
}

#[test]
fn an_event_that_changes_nothing_spans_the_whole_command() {
    let (from, to) = (level(10, 0, 1), level(10, 8, 2));
    let low_stock = |from, to| event(StockEventKind::LowStockDetected, Some(from), to);
    assert_eq!(verdict(Some(from), to, &[reserved(from, to), low_stock(from, to)]), Ok(()));
    assert!(verdict(Some(from), to, &[reserved(from, to), low_stock(to, to)]).is_err());
}

#[test]
fn the_creation_time_stays() {
    let (from, to) = (level(10, 0, 1), level(10, 3, 2));
    let before = Stock { created_at: 7, ..stock(from) };
    let writes = [(key("a"), stock(to))];
    assert!(check(&writes, &[reserved(from, to)], Some(&before)).is_err());
}

#[test]
fn a_giant_text_breaks_an_invariant() {
    let (from, to) = (level(10, 0, 1), level(10, 3, 2));
    let Event::Stock(event) = reserved(from, to) else { unreachable!() };
    let giant = Event::Stock(StockEvent { reservation_id: Some("x".repeat(129)), ..event });
    assert!(verdict(Some(from), to, &[giant]).is_err());
}

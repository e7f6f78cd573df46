use super::*;
use alloc::string::ToString;

fn level(total: u64, reserved: u64, minimum: u64) -> Level {
    Level::restore(total, reserved, 0, minimum, 1).unwrap()
}

fn key() -> StockKey {
    StockKey::parse("a".to_string(), "default".to_string()).unwrap()
}

#[test]
fn low_is_less_available_than_the_minimum() {
    assert!(is_low(&level(10, 6, 5)));
    assert!(!is_low(&level(10, 5, 5)));
    assert_eq!(deficit(&level(10, 6, 5)).get(), 1);
    assert_eq!(deficit(&level(10, 5, 5)).get(), 0);
}

#[test]
fn without_a_minimum_nothing_is_low() {
    assert!(!is_low(&level(0, 0, 0)));
    assert!(!is_low(&level(5, 5, 0)));
}

#[test]
fn only_the_change_is_an_event() {
    let (fine, low) = (level(10, 0, 5), level(10, 9, 5));
    assert!(matches!(
        judge(&key(), Some(&fine), &low),
        Some(Event::LowStockChanged { detected: true, .. })
    ));
    assert!(matches!(
        judge(&key(), Some(&low), &fine),
        Some(Event::LowStockChanged { detected: false, .. })
    ));
    assert_eq!(judge(&key(), Some(&low), &low), None);
    assert_eq!(judge(&key(), Some(&fine), &fine), None);
}

#[test]
fn a_stock_that_is_low_at_its_creation_is_detected_at_once() {
    assert!(matches!(
        judge(&key(), None, &level(1, 0, 5)),
        Some(Event::LowStockChanged { detected: true, from: None, .. })
    ));
    assert_eq!(judge(&key(), None, &level(5, 0, 5)), None);
}

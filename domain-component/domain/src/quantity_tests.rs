use super::*;

#[test]
fn a_quantity_has_bounds() {
    assert_eq!(Quantity::new(QUANTITY_MAX).map(Quantity::get), Some(QUANTITY_MAX));
    assert_eq!(Quantity::new(QUANTITY_MAX + 1), None);
    assert_eq!(Quantity::new(u64::MAX), None);
}

#[test]
fn an_argument_out_of_bounds_is_named_with_its_limits() {
    assert!(Quantity::parse("quantity", 1, 1).is_ok());
    let invalid = Quantity::parse("quantity", 0, 1).unwrap_err();
    assert_eq!(invalid.name, "quantity");
    assert_eq!(invalid.message, "must be from 1 to 999999999999, is 0");
    assert!(Quantity::parse("total", QUANTITY_MAX + 1, 0).is_err());
}

#[test]
fn arithmetic_never_wraps() {
    let max = Quantity::new(QUANTITY_MAX).unwrap();
    let one = Quantity::new(1).unwrap();
    assert_eq!(max.plus(one), None);
    assert_eq!(Quantity::ZERO.minus(one), None);
    assert_eq!(max.minus(max), Some(Quantity::ZERO));
    assert_eq!(one.plus(one), Quantity::new(2));
}

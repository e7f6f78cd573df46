use super::*;
use alloc::{format, string::ToString};

fn key() -> StockKey {
    StockKey::parse("sku-1".to_string(), "north".to_string()).unwrap()
}

fn quantity(units: u64) -> Quantity {
    Quantity::new(units).unwrap()
}

fn line(index: u32) -> ShortLine {
    ShortLine { index, key: key(), requested: quantity(7), available: quantity(2) }
}

#[test]
fn every_rejection_has_a_code_details_and_a_message_with_the_numbers() {
    let argument = |name| InvalidArgument { name, message: "must be kind".to_string() };
    let unsigned = Value::Unsigned;
    let cases = [
        (
            Rejection::from(vec![argument("total"), argument("minimum")]),
            "invalid-request",
            vec![],
            "invalid arguments: total must be kind; minimum must be kind",
        ),
        (
            Rejection::ProductNotFound { key: key() },
            "product-not-found",
            vec![
                ("product_id", Value::Text("sku-1".to_string())),
                ("location_id", Value::Text("north".to_string())),
            ],
            "there is no stock of product sku-1 at location north",
        ),
        (
            Rejection::VersionMismatch { current_version: Some(3) },
            "version-mismatch",
            vec![("current_version", unsigned(3))],
            "the current version is 3, which the precondition excludes",
        ),
        (
            Rejection::VersionMismatch { current_version: None },
            "version-mismatch",
            vec![],
            "it does not exist, which the precondition excludes",
        ),
        (
            Rejection::InsufficientStock { lines: vec![line(0)] },
            "insufficient-stock",
            vec![],
            "7 requested of product sku-1 at location north, 2 available",
        ),
        (
            Rejection::InsufficientStock { lines: vec![line(0), line(4)] },
            "insufficient-stock",
            vec![],
            "2 lines ask for more than is available",
        ),
        (
            Rejection::ReleaseExceedsReserved {
                requested: quantity(9),
                releasable: quantity(1),
                reserved: quantity(5),
            },
            "release-exceeds-reserved",
            vec![("requested", unsigned(9)), ("releasable", unsigned(1)), ("reserved", unsigned(5))],
            "9 to be released, 1 releasable of 5 reserved",
        ),
        (
            Rejection::AdjustBelowReserved { requested_total: -4, reserved: quantity(5) },
            "adjust-below-reserved",
            vec![("requested_total", Value::Signed(-4)), ("reserved", unsigned(5))],
            "a total of -4 would be below the 5 reserved",
        ),
        (
            Rejection::QuantityOutOfRange { requested_total: 1_000_000_000_000 },
            "quantity-out-of-range",
            vec![
                ("requested_total", Value::Signed(1_000_000_000_000)),
                ("maximum_total", unsigned(QUANTITY_MAX)),
            ],
            "a total of 1000000000000 would exceed 999999999999",
        ),
    ];
    for (rejection, code, details, message) in cases {
        assert_eq!(rejection.code(), code);
        assert_eq!(rejection.details(), details, "{code}");
        assert_eq!(format!("{rejection}"), message);
    }
}

#[test]
fn a_single_invalid_argument_is_a_rejection_too() {
    let argument = InvalidArgument { name: "quantity", message: "must be kind".to_string() };
    let expected = Rejection::InvalidRequest { invalid: vec![argument.clone()] };
    assert_eq!(Rejection::from(argument), expected);
}

use super::*;
use alloc::string::ToString;

fn key() -> StockKey {
    StockKey::parse("sku-1".to_string(), "north".to_string()).unwrap()
}

fn quantity(units: u64) -> Quantity {
    Quantity::new(units).unwrap()
}

fn line(index: u32) -> ShortLine {
    ShortLine { index, key: key(), requested: 7, available: 2 }
}

#[test]
fn every_rejection_has_a_code_details_and_a_message_with_the_numbers() {
    let argument = |name| InvalidArgument::new(name, "must be kind".to_string());
    let unsigned = Value::Unsigned;
    let text = |text: &str| Value::Text(text.to_string());
    let cases = [
        (
            Rejection::from(vec![argument("total"), argument("minimum")]),
            "invalid-request",
            vec![("total", text("must be kind")), ("minimum", text("must be kind"))],
            "invalid arguments: total must be kind; minimum must be kind",
        ),
        (
            Rejection::ProductNotFound { key: key() },
            "product-not-found",
            vec![("product_id", text("sku-1")), ("location_id", text("north"))],
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
            "the stock or reservation does not exist, which the precondition excludes",
        ),
        (
            Rejection::ReleaseExceedsReserved {
                requested: quantity(9),
                releasable: quantity(1),
                reserved: quantity(5),
            },
            "release-exceeds-reserved",
            vec![
                ("requested", unsigned(9)),
                ("releasable", unsigned(1)),
                ("reserved", unsigned(5)),
            ],
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
    check(cases);
}

#[test]
fn every_rejection_of_a_reservation_has_a_code_details_and_a_message() {
    let unsigned = Value::Unsigned;
    let text = |text: &str| Value::Text(text.to_string());
    let named = ("reservation_id", text("r"));
    let id = || "r".to_string();
    check([
        (
            Rejection::ReservationNotFound { id: id() },
            "reservation-not-found",
            vec![named.clone()],
            "there is no reservation r",
        ),
        (
            Rejection::ReservationExists { id: id() },
            "reservation-exists",
            vec![named.clone()],
            "there is a reservation r with other content",
        ),
        (
            Rejection::ReservationNotActive { id: id(), state: State::Cancelled },
            "reservation-not-active",
            vec![named.clone(), ("state", text("cancelled"))],
            "reservation r is cancelled",
        ),
        (
            Rejection::ReservationExpired { id: id(), expired_at: Some(7) },
            "reservation-expired",
            vec![named.clone(), ("state", text("expired")), ("expired_at", unsigned(7))],
            "reservation r has expired",
        ),
        (
            Rejection::ReservationNotDue { id: id(), state: State::Held, expires_at: Some(9) },
            "reservation-not-due",
            vec![named.clone(), ("state", text("held")), ("expires_at", unsigned(9))],
            "reservation r is held and not due",
        ),
        (
            Rejection::ReservationNotDue { id: id(), state: State::Confirmed, expires_at: None },
            "reservation-not-due",
            vec![named.clone(), ("state", text("confirmed"))],
            "reservation r is confirmed and not due",
        ),
    ]);
}

#[test]
fn a_line_that_exceeds_the_units_left_is_named_and_the_numbers_are_those_of_the_request() {
    let exceeds =
        Rejection::QuantityExceedsLine { index: 3, key: key(), requested: 7, remaining: 2 };
    assert_eq!(exceeds.code(), "quantity-exceeds-line");
    assert_eq!(
        exceeds.message(),
        "7 of product sku-1 at location north, where the reservation has 2 left"
    );
    let expected = [
        (Some(3), "product_id", Value::Text("sku-1".to_string())),
        (Some(3), "location_id", Value::Text("north".to_string())),
        (None, "requested", Value::Unsigned(7)),
        (None, "remaining", Value::Unsigned(2)),
    ];
    let expected = expected.map(|(line, name, value)| Detail { line, name, value });
    assert_eq!(exceeds.into_details(), expected);
}

type Case = (Rejection, &'static str, Vec<(&'static str, Value)>, &'static str);

fn check(cases: impl IntoIterator<Item = Case>) {
    for (rejection, code, details, message) in cases {
        assert_eq!(rejection.code(), code);
        assert_eq!(rejection.to_string(), message);
        let expected = details.into_iter().map(|(name, value)| Detail { line: None, name, value });
        assert_eq!(rejection.into_details(), expected.collect::<Vec<_>>(), "{code}");
    }
}

#[test]
fn every_short_line_is_named_with_its_numbers() {
    let one = Rejection::InsufficientStock { lines: vec![line(0)] };
    assert_eq!(one.code(), "insufficient-stock");
    assert_eq!(one.message(), "7 requested of product sku-1 at location north, 2 available");
    let two = Rejection::InsufficientStock { lines: vec![line(0), line(4)] };
    assert_eq!(two.message(), "2 lines ask for more than is available");
    let facts = |line| {
        [
            ("product_id", Value::Text("sku-1".to_string())),
            ("location_id", Value::Text("north".to_string())),
            ("requested", Value::Unsigned(7)),
            ("available", Value::Unsigned(2)),
        ]
        .map(|(name, value)| Detail { line: Some(line), name, value })
    };
    assert_eq!(two.into_details(), [facts(0), facts(4)].concat());
}

#[test]
fn a_single_invalid_argument_is_a_rejection_too() {
    let argument = InvalidArgument::new("quantity", "must be kind".to_string());
    let expected = Rejection::InvalidRequest { invalid: vec![argument.clone()] };
    assert_eq!(Rejection::from(argument), expected);
}

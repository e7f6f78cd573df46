use crate::{
    QUANTITY_MAX, Quantity, StockKey, Timestamp, Version,
    reservation::State,
    text::{
        Part::{Count, Signed, Text},
        text,
    },
};
use alloc::{string::String, vec, vec::Vec};
use core::fmt;

/// An argument that is not what its command asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvalidArgument {
    /// The argument, in `snake_case`.
    pub name: &'static str,
    /// What is wrong, with the limits.
    pub message: String,
    /// The line it is in, from 0; none: the command as a whole.
    pub line: Option<u32>,
}

impl InvalidArgument {
    /// An argument of the command as a whole.
    #[must_use]
    pub const fn new(name: &'static str, message: String) -> Self {
        Self { name, message, line: None }
    }

    /// A number outside its range.
    #[must_use]
    pub fn out_of_range(name: &'static str, least: u64, most: u64, is: u64) -> Self {
        let message = text(&[
            Text("must be from "),
            Count(least),
            Text(" to "),
            Count(most),
            Text(", is "),
            Count(is),
        ]);
        Self::new(name, message)
    }
}

/// A line that asks for more than its stock has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShortLine {
    /// Position among the command's lines, from 0.
    pub index: u32,
    /// The stock.
    pub key: StockKey,
    /// What all lines of the command together asked for of this stock.
    pub requested: u64,
    /// What could have been had.
    pub available: u64,
}

/// An expected refusal of a command or query.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the members are the details their messages spell out")]
pub enum Rejection {
    /// Arguments break the contract; at least one is listed.
    InvalidRequest { invalid: Vec<InvalidArgument> },
    /// There is no such stock.
    ProductNotFound { key: StockKey },
    /// The precondition does not hold.
    VersionMismatch { current_version: Option<Version> },
    /// More was asked for than is available.
    InsufficientStock { lines: Vec<ShortLine> },
    /// More was to be given back than is reserved without a reservation.
    ReleaseExceedsReserved { requested: Quantity, releasable: Quantity, reserved: Quantity },
    /// The total would fall below what is reserved.
    AdjustBelowReserved { requested_total: i64, reserved: Quantity },
    /// The total would exceed what a quantity can be.
    QuantityOutOfRange { requested_total: i64 },
    /// There is no such reservation.
    ReservationNotFound { id: String },
    /// There is one of this id already, with other content.
    ReservationExists { id: String },
    /// The reservation is past what the command needs.
    ReservationNotActive { id: String, state: State },
    /// The hold came due before the command.
    ReservationExpired { id: String, expired_at: Option<Timestamp> },
    /// More is to be resolved than the reservation holds of a stock.
    QuantityExceedsLine { index: u32, key: StockKey, requested: u64, remaining: u64 },
    /// The reservation is not a hold whose time is up.
    ReservationNotDue { id: String, state: State, expires_at: Option<Timestamp> },
}

/// A value in a rejection's details.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// A text.
    Text(String),
    /// A count.
    Unsigned(u64),
    /// A number that can be negative.
    Signed(i64),
}

/// A named fact about a refusal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Detail {
    /// The line of the command it is about, from 0; none: the command as a whole.
    pub line: Option<u32>,
    /// In `snake_case`.
    pub name: &'static str,
    /// The fact.
    pub value: Value,
}

impl Rejection {
    /// The stable code: it is the contract, the message is not.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest { .. } => "invalid-request",
            Self::ProductNotFound { .. } => "product-not-found",
            Self::VersionMismatch { .. } => "version-mismatch",
            Self::InsufficientStock { .. } => "insufficient-stock",
            Self::ReleaseExceedsReserved { .. } => "release-exceeds-reserved",
            Self::AdjustBelowReserved { .. } => "adjust-below-reserved",
            Self::QuantityOutOfRange { .. } => "quantity-out-of-range",
            Self::ReservationNotFound { .. } => "reservation-not-found",
            Self::ReservationExists { .. } => "reservation-exists",
            Self::ReservationNotActive { .. } => "reservation-not-active",
            Self::ReservationExpired { .. } => "reservation-expired",
            Self::QuantityExceedsLine { .. } => "quantity-exceeds-line",
            Self::ReservationNotDue { .. } => "reservation-not-due",
        }
    }

    /// The facts behind the refusal. For invalid arguments: the name of each and what
    /// is wrong with it.
    #[must_use]
    pub fn into_details(self) -> Vec<Detail> {
        let fact = |name, value| Detail { line: None, name, value };
        let count = |name, units: u64| fact(name, Value::Unsigned(units));
        let units = |name, quantity: Quantity| count(name, quantity.get());
        let reservation = |id| fact("reservation_id", Value::Text(id));
        match self {
            Self::InvalidRequest { invalid } => invalid
                .into_iter()
                .map(|InvalidArgument { name, message, line }| Detail {
                    line,
                    name,
                    value: Value::Text(message),
                })
                .collect(),
            Self::ProductNotFound { key } => Vec::from(key_details(None, key)),
            Self::VersionMismatch { current_version: None } => Vec::new(),
            Self::VersionMismatch { current_version: Some(version) } => {
                vec![fact("current_version", Value::Unsigned(version))]
            }
            Self::InsufficientStock { lines } => {
                let mut details = Vec::with_capacity(lines.len() * 4);
                for ShortLine { index, key, requested, available } in lines {
                    let line = Some(index);
                    details.extend(key_details(line, key));
                    details.push(Detail { line, ..count("requested", requested) });
                    details.push(Detail { line, ..count("available", available) });
                }
                details
            }
            Self::ReleaseExceedsReserved { requested, releasable, reserved } => vec![
                units("requested", requested),
                units("releasable", releasable),
                units("reserved", reserved),
            ],
            Self::AdjustBelowReserved { requested_total, reserved } => vec![
                fact("requested_total", Value::Signed(requested_total)),
                units("reserved", reserved),
            ],
            Self::QuantityOutOfRange { requested_total } => vec![
                fact("requested_total", Value::Signed(requested_total)),
                fact("maximum_total", Value::Unsigned(QUANTITY_MAX)),
            ],
            Self::ReservationNotFound { id } | Self::ReservationExists { id } => {
                vec![reservation(id)]
            }
            Self::ReservationNotActive { id, state } => {
                vec![reservation(id), fact("state", Value::Text(state.name().into()))]
            }
            Self::ReservationExpired { id, expired_at } => {
                let mut details =
                    vec![reservation(id), fact("state", Value::Text(State::Expired.name().into()))];
                details.extend(expired_at.map(|at| count("expired_at", at)));
                details
            }
            Self::ReservationNotDue { id, state, expires_at } => {
                let mut details =
                    vec![reservation(id), fact("state", Value::Text(state.name().into()))];
                details.extend(expires_at.map(|at| count("expires_at", at)));
                details
            }
            Self::QuantityExceedsLine { index, key, requested, remaining } => {
                let line = Some(index);
                let mut details = Vec::from(key_details(line, key));
                details.push(count("requested", requested));
                details.push(count("remaining", remaining));
                details
            }
        }
    }
}

fn key_details(line: Option<u32>, key: StockKey) -> [Detail; 2] {
    let (product_id, location_id) = key.into_ids();
    [("product_id", product_id), ("location_id", location_id)].map(|(name, id)| Detail {
        line,
        name,
        value: Value::Text(id),
    })
}

impl Rejection {
    /// One sentence for a person, with the numbers.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::InvalidRequest { invalid } => {
                let mut message = String::from("invalid arguments:");
                for (i, argument) in invalid.iter().enumerate() {
                    let separator = if i == 0 { " " } else { "; " };
                    for part in [separator, argument.name, " ", &argument.message] {
                        message.push_str(part);
                    }
                }
                message
            }
            Self::ProductNotFound { key } => text(&[
                Text("there is no stock of product "),
                Text(key.product_id()),
                Text(" at location "),
                Text(key.location_id()),
            ]),
            Self::VersionMismatch { current_version: Some(version) } => text(&[
                Text("the current version is "),
                Count(*version),
                Text(", which the precondition excludes"),
            ]),
            Self::VersionMismatch { current_version: None } => {
                "it does not exist, which the precondition excludes".into()
            }
            Self::InsufficientStock { lines } => match lines.as_slice() {
                [line] => text(&[
                    Count(line.requested),
                    Text(" requested of product "),
                    Text(line.key.product_id()),
                    Text(" at location "),
                    Text(line.key.location_id()),
                    Text(", "),
                    Count(line.available),
                    Text(" available"),
                ]),
                lines => text(&[
                    Count(lines.len() as u64),
                    Text(" lines ask for more than is available"),
                ]),
            },
            Self::ReleaseExceedsReserved { requested, releasable, reserved } => text(&[
                Count(requested.get()),
                Text(" to be released, "),
                Count(releasable.get()),
                Text(" releasable of "),
                Count(reserved.get()),
                Text(" reserved"),
            ]),
            Self::AdjustBelowReserved { requested_total, reserved } => text(&[
                Text("a total of "),
                Signed(*requested_total),
                Text(" would be below the "),
                Count(reserved.get()),
                Text(" reserved"),
            ]),
            Self::QuantityOutOfRange { requested_total } => text(&[
                Text("a total of "),
                Signed(*requested_total),
                Text(" would exceed "),
                Count(QUANTITY_MAX),
            ]),
            Self::ReservationNotFound { id } => text(&[Text("there is no reservation "), Text(id)]),
            Self::ReservationExists { id } => {
                text(&[Text("there is a reservation "), Text(id), Text(" with other content")])
            }
            Self::ReservationNotActive { id, state } => {
                text(&[Text("reservation "), Text(id), Text(" is "), Text(state.name())])
            }
            Self::ReservationExpired { id, .. } => {
                text(&[Text("reservation "), Text(id), Text(" has expired")])
            }
            Self::QuantityExceedsLine { key, requested, remaining, .. } => text(&[
                Count(*requested),
                Text(" of product "),
                Text(key.product_id()),
                Text(" at location "),
                Text(key.location_id()),
                Text(", where the reservation has "),
                Count(*remaining),
                Text(" left"),
            ]),
            Self::ReservationNotDue { id, state, .. } => text(&[
                Text("reservation "),
                Text(id),
                Text(" is "),
                Text(state.name()),
                Text(" and not due"),
            ]),
        }
    }
}

impl From<Vec<InvalidArgument>> for Rejection {
    fn from(invalid: Vec<InvalidArgument>) -> Self {
        Self::InvalidRequest { invalid }
    }
}

impl From<InvalidArgument> for Rejection {
    fn from(invalid: InvalidArgument) -> Self {
        Self::InvalidRequest { invalid: vec![invalid] }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl core::error::Error for Rejection {}

#[cfg(test)]
#[path = "rejection_tests.rs"]
mod tests;

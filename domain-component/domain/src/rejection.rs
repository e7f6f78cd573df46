//! The reasons for which a command or query is refused, with their codes and details. Their
//! messages are in `message.rs`.

use crate::{
    argument::InvalidArgument,
    key::StockKey,
    quantity::{QUANTITY_MAX, Quantity},
    status::State,
    units::{Timestamp, Version},
};
use alloc::{string::String, vec, vec::Vec};

/// A line of a request that asks for more than is available.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShortLine {
    /// The position of the line in the request, counted from 0.
    pub index: u32,
    /// The stock that is short.
    pub key: StockKey,
    /// The units that all lines of the request together ask of this stock.
    pub requested: u64,
    /// The units that the request could have had.
    pub available: u64,
}

/// An expected refusal of a command or query. The command changes nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the fields are the details that `into_details` names")]
pub enum Rejection {
    /// One or more arguments break the contract.
    InvalidRequest { invalid: Vec<InvalidArgument> },
    /// The stock does not exist.
    ProductNotFound { key: StockKey },
    /// The precondition does not hold. `current_version` is `None` where nothing exists.
    VersionMismatch { current_version: Option<Version> },
    /// Lines ask for more units than are available.
    InsufficientStock { lines: Vec<ShortLine> },
    /// More units are to be released than are unattributed (`releasable`).
    ReleaseExceedsReserved { requested: Quantity, releasable: Quantity, reserved: Quantity },
    /// The total would be less than the units that are reserved.
    AdjustBelowReserved { requested_total: i64, reserved: Quantity },
    /// The total would exceed [`QUANTITY_MAX`].
    QuantityOutOfRange { requested_total: i64 },
    /// The reservation does not exist.
    ReservationNotFound { id: String },
    /// A reservation with this id, but with other content, exists already.
    ReservationExists { id: String },
    /// The command does not apply to a reservation in this state.
    ReservationNotActive { id: String, state: State },
    /// The hold came due before the command.
    ReservationExpired { id: String, expired_at: Option<Timestamp> },
    /// Lines ask to resolve more units of a stock than the reservation has left of it.
    QuantityExceedsLine { index: u32, key: StockKey, requested: u64, remaining: u64 },
    /// The reservation is not a hold that is due, so it cannot expire.
    ReservationNotDue { id: String, state: State, expires_at: Option<Timestamp> },
}

/// The value of a [`Detail`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// A text, such as an id.
    Text(String),
    /// A number that is never negative: units, a version or a time.
    Unsigned(u64),
    /// A number that can be negative: the total that an adjustment asks for.
    Signed(i64),
}

/// A named fact about a refusal, for programs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Detail {
    /// The position of the line that the fact is about, counted from 0; `None` where the fact is
    /// about the whole request.
    pub line: Option<u32>,
    /// The name of the fact in `snake_case`.
    pub name: &'static str,
    /// The value of the fact.
    pub value: Value,
}

impl Detail {
    /// Describes a fact about the whole request.
    const fn new(name: &'static str, value: Value) -> Self {
        Self { line: None, name, value }
    }

    /// Describes a number that is never negative.
    const fn count(name: &'static str, number: u64) -> Self {
        Self::new(name, Value::Unsigned(number))
    }
}

impl Rejection {
    /// Returns the stable code of the refusal. The code is part of the contract, the message is
    /// not.
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

    /// Returns the facts behind the refusal. For invalid arguments these are the name of each
    /// argument and its message.
    #[must_use]
    pub fn into_details(self) -> Vec<Detail> {
        let units = |name, quantity: Quantity| Detail::count(name, quantity.get());
        let signed = |name, units| Detail::new(name, Value::Signed(units));
        let reservation = |id| Detail::new("reservation_id", Value::Text(id));
        let state = |state: State| Detail::new("state", Value::Text(state.name().into()));
        match self {
            Self::InvalidRequest { invalid } => invalid
                .into_iter()
                .map(|InvalidArgument { name, message, line }| Detail {
                    line,
                    name,
                    value: Value::Text(message),
                })
                .collect(),
            Self::ProductNotFound { key } => Vec::from(ids(None, key)),
            Self::VersionMismatch { current_version } => {
                let version =
                    current_version.map(|version| Detail::count("current_version", version));
                version.into_iter().collect()
            }
            Self::InsufficientStock { lines } => {
                let mut details = Vec::with_capacity(lines.len() * 4);
                for ShortLine { index, key, requested, available } in lines {
                    let line = Some(index);
                    details.extend(ids(line, key));
                    details.push(Detail { line, ..Detail::count("requested", requested) });
                    details.push(Detail { line, ..Detail::count("available", available) });
                }
                details
            }
            Self::ReleaseExceedsReserved { requested, releasable, reserved } => vec![
                units("requested", requested),
                units("releasable", releasable),
                units("reserved", reserved),
            ],
            Self::AdjustBelowReserved { requested_total, reserved } => {
                vec![signed("requested_total", requested_total), units("reserved", reserved)]
            }
            Self::QuantityOutOfRange { requested_total } => vec![
                signed("requested_total", requested_total),
                Detail::count("maximum_total", QUANTITY_MAX),
            ],
            Self::ReservationNotFound { id } | Self::ReservationExists { id } => {
                vec![reservation(id)]
            }
            Self::ReservationNotActive { id, state: is } => vec![reservation(id), state(is)],
            Self::ReservationExpired { id, expired_at } => {
                let mut details = vec![reservation(id), state(State::Expired)];
                details.extend(expired_at.map(|at| Detail::count("expired_at", at)));
                details
            }
            Self::ReservationNotDue { id, state: is, expires_at } => {
                let mut details = vec![reservation(id), state(is)];
                details.extend(expires_at.map(|at| Detail::count("expires_at", at)));
                details
            }
            Self::QuantityExceedsLine { index, key, requested, remaining } => {
                // The numbers sum up several lines, so they are facts about the whole request.
                let mut details = Vec::from(ids(Some(index), key));
                details.push(Detail::count("requested", requested));
                details.push(Detail::count("remaining", remaining));
                details
            }
        }
    }
}

/// Returns the two ids of a key as facts.
fn ids(line: Option<u32>, key: StockKey) -> [Detail; 2] {
    let (product_id, location_id) = key.into_ids();
    [("product_id", product_id), ("location_id", location_id)].map(|(name, id)| Detail {
        line,
        name,
        value: Value::Text(id),
    })
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

#[cfg(test)]
#[path = "rejection_tests.rs"]
mod tests;

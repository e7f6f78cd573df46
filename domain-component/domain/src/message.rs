//! The messages of refusals, for people.

use crate::{
    argument::InvalidArgument,
    key::StockKey,
    quantity::QUANTITY_MAX,
    rejection::Rejection,
    text::{
        Part::{Count, Signed, Text},
        text,
    },
};
use alloc::string::String;
use core::fmt;

impl Rejection {
    /// Returns one sentence for a person, with the numbers of the refusal.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::InvalidRequest { invalid } => invalid_arguments(invalid),
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
                "the stock or reservation does not exist, which the precondition excludes".into()
            }
            Self::InsufficientStock { lines } => match lines.as_slice() {
                [line] => on_stock(
                    line.requested,
                    " requested",
                    &line.key,
                    ", ",
                    line.available,
                    " available",
                ),
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
                reservation_is(id, " is ", state.name(), "")
            }
            Self::ReservationExpired { id, .. } => reservation_is(id, " has expired", "", ""),
            Self::ReservationNotDue { id, state, .. } => {
                reservation_is(id, " is ", state.name(), " and not due")
            }
            Self::QuantityExceedsLine { key, requested, remaining, .. } => {
                on_stock(*requested, "", key, ", where the reservation has ", *remaining, " left")
            }
        }
    }
}

/// Lists invalid arguments, each with what is wrong with it.
fn invalid_arguments(invalid: &[InvalidArgument]) -> String {
    let mut message = String::from("invalid arguments:");
    let mut separator = " ";
    for argument in invalid {
        for part in [separator, argument.name, " ", &argument.message] {
            message.push_str(part);
        }
        separator = "; ";
    }
    message
}

/// Compares the units that were requested of a stock with the most that could be had.
fn on_stock(
    requested: u64,
    verb: &str,
    key: &StockKey,
    where_most: &str,
    most: u64,
    unit: &str,
) -> String {
    text(&[
        Count(requested),
        Text(verb),
        Text(" of product "),
        Text(key.product_id()),
        Text(" at location "),
        Text(key.location_id()),
        Text(where_most),
        Count(most),
        Text(unit),
    ])
}

/// Joins a statement about a reservation.
fn reservation_is(id: &str, verb: &str, state: &str, rest: &str) -> String {
    text(&[Text("reservation "), Text(id), Text(verb), Text(state), Text(rest)])
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl core::error::Error for Rejection {}

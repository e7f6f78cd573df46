use crate::{QUANTITY_MAX, Quantity, StockKey, Version};
use alloc::{string::String, vec, vec::Vec};
use core::fmt;

/// An argument that is not what its command asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvalidArgument {
    /// The argument, in `snake_case`.
    pub name: &'static str,
    /// What is wrong, with the limits.
    pub message: String,
}

/// A line that asks for more than its stock has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShortLine {
    /// Position among the command's lines, from 0.
    pub index: u32,
    /// The stock.
    pub key: StockKey,
    /// What was asked for.
    pub requested: Quantity,
    /// What could have been had.
    pub available: Quantity,
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
pub type Detail = (&'static str, Value);

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
        }
    }

    /// The facts behind the refusal, by name.
    #[must_use]
    pub fn details(&self) -> Vec<Detail> {
        let units = |quantity: &Quantity| Value::Unsigned(quantity.get());
        match self {
            Self::InvalidRequest { .. } | Self::InsufficientStock { .. } => Vec::new(),
            Self::ProductNotFound { key } => vec![
                ("product_id", Value::Text(key.product_id().into())),
                ("location_id", Value::Text(key.location_id().into())),
            ],
            Self::VersionMismatch { current_version } => current_version
                .map(|version| ("current_version", Value::Unsigned(version)))
                .into_iter()
                .collect(),
            Self::ReleaseExceedsReserved { requested, releasable, reserved } => vec![
                ("requested", units(requested)),
                ("releasable", units(releasable)),
                ("reserved", units(reserved)),
            ],
            Self::AdjustBelowReserved { requested_total, reserved } => {
                vec![
                    ("requested_total", Value::Signed(*requested_total)),
                    ("reserved", units(reserved)),
                ]
            }
            Self::QuantityOutOfRange { requested_total } => vec![
                ("requested_total", Value::Signed(*requested_total)),
                ("maximum_total", Value::Unsigned(QUANTITY_MAX)),
            ],
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
        match self {
            Self::InvalidRequest { invalid } => {
                write!(f, "invalid arguments:")?;
                for (i, argument) in invalid.iter().enumerate() {
                    let separator = if i == 0 { "" } else { ";" };
                    write!(f, "{separator} {} {}", argument.name, argument.message)?;
                }
                Ok(())
            }
            Self::ProductNotFound { key } => write!(
                f,
                "there is no stock of product {} at location {}",
                key.product_id(),
                key.location_id()
            ),
            Self::VersionMismatch { current_version: Some(version) } => {
                write!(f, "the current version is {version}, which the precondition excludes")
            }
            Self::VersionMismatch { current_version: None } => {
                write!(f, "it does not exist, which the precondition excludes")
            }
            Self::InsufficientStock { lines } => match lines.as_slice() {
                [line] => write!(
                    f,
                    "{} requested of product {} at location {}, {} available",
                    line.requested.get(),
                    line.key.product_id(),
                    line.key.location_id(),
                    line.available.get()
                ),
                lines => write!(f, "{} lines ask for more than is available", lines.len()),
            },
            Self::ReleaseExceedsReserved { requested, releasable, reserved } => write!(
                f,
                "{} to be released, {} releasable of {} reserved",
                requested.get(),
                releasable.get(),
                reserved.get()
            ),
            Self::AdjustBelowReserved { requested_total, reserved } => {
                write!(
                    f,
                    "a total of {requested_total} would be below the {} reserved",
                    reserved.get()
                )
            }
            Self::QuantityOutOfRange { requested_total } => {
                write!(f, "a total of {requested_total} would exceed {QUANTITY_MAX}")
            }
        }
    }
}

impl core::error::Error for Rejection {}

#[cfg(test)]
#[path = "rejection_tests.rs"]
mod tests;

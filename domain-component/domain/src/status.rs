//! The state of a reservation in its life.

use crate::units::{Timestamp, Version};

/// The state of a reservation. `Fulfilled`, `Cancelled` and `Expired` are final.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Units are reserved until the hold expires, is confirmed or is resolved.
    Held,
    /// Units are reserved without an expiry.
    Confirmed,
    /// Every unit was resolved, the last ones by a fulfillment.
    Fulfilled,
    /// Every unit was resolved, the last ones by a cancellation.
    Cancelled,
    /// The hold came due, and its remaining units were released.
    Expired,
}

impl State {
    /// Returns the name that the contract gives to the state.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Confirmed => "confirmed",
            Self::Fulfilled => "fulfilled",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// Returns whether a reservation in this state still reserves units.
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Held | Self::Confirmed)
    }
}

/// The part of a reservation that can change without a change of any stock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Status {
    /// The state in the reservation's life.
    pub state: State,
    /// The time at which the hold comes due or came due; `None` where it never expires.
    pub expires_at: Option<Timestamp>,
    /// The number of accepted changes, the creation included.
    pub version: Version,
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;

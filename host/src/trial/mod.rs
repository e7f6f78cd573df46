//! What a component makes of a command, beside what another one made of it.
//!
//! It knows the host's words and nothing else: neither who decided nor where the state came from.

mod comparison;

pub use comparison::{Comparison, Count, Difference};

use crate::model::{Decision, Event, Reservation, Stock, StockKey};
use serde::Serialize;

/// What a component made of a command: its decision, what it would write and say.
#[derive(Clone, Debug, Serialize)]
pub struct Trial {
    /// The decision.
    pub decision: Decision,
    /// Stocks that it would write.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stocks: Vec<(StockKey, Stock)>,
    /// Reservations that it would write, by id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reservations: Vec<(String, Reservation)>,
    /// What it would say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
}

impl Trial {
    /// One that leaves no trace: a refusal, or a fault.
    #[must_use]
    pub fn declined(decision: Decision) -> Self {
        Self { decision, stocks: Vec::new(), reservations: Vec::new(), events: Vec::new() }
    }

    /// In one form, whatever order it wrote in.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.stocks.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.reservations.sort_by(|(a, _), (b, _)| a.cmp(b));
        self
    }

    /// Whether it comes to the same: how a refusal is worded does not matter, nor how a component
    /// failed.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        match (&self.decision, &other.decision) {
            (Decision::Accepted(a), Decision::Accepted(b)) => {
                a == b
                    && self.events == other.events
                    && self.stocks == other.stocks
                    && self.reservations == other.reservations
            }
            (Decision::Rejected(a), Decision::Rejected(b)) => {
                (&a.code, &a.details) == (&b.code, &b.details)
            }
            (Decision::Fault(_), Decision::Fault(_)) => true,
            _ => false,
        }
    }
}

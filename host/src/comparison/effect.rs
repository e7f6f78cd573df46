//! The effect of a command.

use crate::model::{Decided, Event, Reservation, Stock, StockKey};

/// The effect of a command under a component: the decision, the writes and the events.
#[derive(Clone, Debug)]
pub struct Effect {
    /// The decision.
    pub decision: Decided,
    /// The stocks that the component writes.
    pub stocks: Vec<(StockKey, Stock)>,
    /// The reservations that the component writes, by id.
    pub reservations: Vec<(String, Reservation)>,
    /// The events that the component publishes.
    pub events: Vec<Event>,
}

impl Effect {
    /// The effect of a decision that writes nothing and publishes nothing: a rejection, or a
    /// fault.
    #[must_use]
    pub fn without_writes(decision: Decided) -> Self {
        Self { decision, stocks: Vec::new(), reservations: Vec::new(), events: Vec::new() }
    }

    /// The same effect with its writes sorted by key: the order in which a component writes does
    /// not matter for a comparison.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.stocks.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.reservations.sort_by(|(a, _), (b, _)| a.cmp(b));
        self
    }

    /// Whether two effects, both sorted, are equal. Rejections may differ in their messages, and
    /// all faults are equal.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        match (&self.decision, &other.decision) {
            (Decided::Accepted(a), Decided::Accepted(b)) => {
                a == b
                    && self.events == other.events
                    && self.stocks == other.stocks
                    && self.reservations == other.reservations
            }
            (Decided::Rejected(a), Decided::Rejected(b)) => {
                (&a.code, &a.details) == (&b.code, &b.details)
            }
            (Decided::Fault(_), Decided::Fault(_)) => true,
            _ => false,
        }
    }
}

use super::{Command, Digest, Outcome, Rejection, Reservation, Stock, StockKey, Timestamp};
use serde::{Deserialize, Serialize};

/// What became of a command.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It changed something, or found that nothing had to change.
    Accepted(Outcome),
    /// It was refused.
    Rejected(Rejection),
    /// The component failed: how.
    Fault(String),
}

impl Decision {
    /// In one word: `accepted`, `fault`, or the code of the refusal.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Accepted(_) => "accepted",
            Self::Rejected(rejection) => &rejection.code,
            Self::Fault(_) => "fault",
        }
    }
}

/// Some stocks and reservations as they once were; none: there was none.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct State {
    /// Stocks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stocks: Vec<(StockKey, Option<Stock>)>,
    /// Reservations, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reservations: Vec<(String, Option<Reservation>)>,
}

impl State {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stocks.is_empty() && self.reservations.is_empty()
    }
}

/// A command as it was decided.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// What was asked.
    pub command: Command,
    /// When.
    pub at: Timestamp,
    /// The component that decided.
    pub component: Digest,
    /// What came of it.
    pub decision: Decision,
    /// The number of its first event, where it has some.
    pub first_sequence: Option<u64>,
    /// How many it has.
    pub event_count: u64,
    /// What was there in the place of what it wrote.
    pub replaced: State,
}

use super::{Command, Digest, Outcome, Rejection, Reservation, Stock, StockKey, Timestamp};

/// The decision on a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decided {
    /// The domain accepted the command. The command changed something, or found that nothing had
    /// to change.
    Accepted(Outcome),
    /// The domain refused the command.
    Rejected(Rejection),
    /// The component failed, in the way that the text describes.
    Fault(String),
}

impl Decided {
    /// The decision in one word: `accepted`, `fault`, or the code of the rejection.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Accepted(_) => "accepted",
            Self::Rejected(rejection) => &rejection.code,
            Self::Fault(_) => "fault",
        }
    }
}

/// The stocks and reservations that a command wrote, as they were before it. `None` stands for a
/// stock or a reservation that the command created.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct StateBefore {
    /// The stocks.
    pub stocks: Vec<(StockKey, Option<Stock>)>,
    /// The reservations, by id.
    pub reservations: Vec<(String, Option<Reservation>)>,
}

impl StateBefore {
    /// Whether the command wrote nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stocks.is_empty() && self.reservations.is_empty()
    }
}

/// A command as it was decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recorded {
    /// The command.
    pub command: Command,
    /// The time of the decision.
    pub at: Timestamp,
    /// The component that decided.
    pub component: Digest,
    /// The decision.
    pub decision: Decided,
    /// The sequence of the command's first event; `None` where the command has no events.
    pub first_sequence: Option<u64>,
    /// The number of the command's events.
    pub event_count: u64,
    /// The stocks and reservations that the command wrote, as they were before it.
    pub replaced: StateBefore,
}

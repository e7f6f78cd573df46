use super::{Identity, LineRequest, LocationId, ProductId, Reservation, StockKey, StockView};
use std::sync::Arc;
use uuid::Uuid;

/// A request to change state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// The unique id that names the command in the log.
    pub id: Uuid,
    /// The caller and the reason.
    pub origin: Origin,
    /// The condition without which the command changes nothing.
    pub precondition: Option<Precondition>,
    /// The command's name and arguments.
    pub action: Action,
}

/// The caller of a command and the caller's reason. The command's events carry both.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Origin {
    /// The caller's name; `None` for the anonymous identity.
    pub caller: Option<Arc<str>>,
    /// The reason, in the caller's words.
    pub reason: Option<Arc<str>>,
    /// The caller's name for the business transaction.
    pub reference: Option<Arc<str>>,
}

impl Origin {
    /// The origin of a command that this identity asks for, without a reason or a reference.
    #[must_use]
    pub fn of(identity: &Identity) -> Self {
        Self { caller: identity.caller().cloned(), reason: None, reference: None }
    }
}

/// A command of the contract and its arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the commands and arguments are the contract's, by name")]
pub enum Action {
    AdjustSet { key: StockKey, total: u64, minimum: Option<u64> },
    AdjustBy { key: StockKey, delta: i64 },
    Reserve { key: StockKey, quantity: u64 },
    Release { key: StockKey, quantity: u64 },
    Transfer { product_id: ProductId, from: LocationId, to: LocationId, quantity: u64 },
    Hold { id: String, lines: Vec<LineRequest>, ttl_seconds: Option<u32> },
    Replace { id: String, lines: Vec<LineRequest> },
    Extend { id: String, ttl_seconds: u32 },
    Confirm { id: String },
    Fulfill { id: String, lines: Option<Vec<LineRequest>> },
    Cancel { id: String, lines: Option<Vec<LineRequest>> },
    Expire { id: String },
}

impl Action {
    /// The reservation that the command is about; `None` for commands on stocks.
    #[must_use]
    pub fn reservation_id(&self) -> Option<&str> {
        match self {
            Self::Hold { id, .. }
            | Self::Replace { id, .. }
            | Self::Extend { id, .. }
            | Self::Confirm { id }
            | Self::Fulfill { id, .. }
            | Self::Cancel { id, .. }
            | Self::Expire { id } => Some(id),
            _ => None,
        }
    }

    /// The stock that a command on one stock is about; `None` for other commands.
    #[must_use]
    pub const fn stock(&self) -> Option<&StockKey> {
        match self {
            Self::AdjustSet { key, .. }
            | Self::AdjustBy { key, .. }
            | Self::Reserve { key, .. }
            | Self::Release { key, .. } => Some(key),
            _ => None,
        }
    }

    /// The stocks that the command names. A command on a reservation can touch more.
    #[must_use]
    pub fn stocks(&self) -> Vec<StockKey> {
        if let Some(key) = self.stock() {
            return vec![key.clone()];
        }
        match self {
            Self::Transfer { product_id, from, to, .. } => [from, to]
                .map(|location_id| StockKey {
                    product_id: product_id.clone(),
                    location_id: location_id.clone(),
                })
                .into(),
            _ => self.lines().iter().map(|line| line.key.clone()).collect(),
        }
    }

    /// The lines that the command names. A command that names no lines can be about all lines of a
    /// reservation.
    #[must_use]
    pub fn lines(&self) -> &[LineRequest] {
        match self {
            Self::Hold { lines, .. } | Self::Replace { lines, .. } => lines,
            Self::Fulfill { lines, .. } | Self::Cancel { lines, .. } => {
                lines.as_deref().unwrap_or_default()
            }
            _ => &[],
        }
    }

    /// The name of the command, spelled alike wherever the host shows a command: as
    /// `POST /v1/batch` spells it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AdjustSet { .. } => "set",
            Self::AdjustBy { .. } => "adjust",
            Self::Reserve { .. } => "reserve",
            Self::Release { .. } => "release",
            Self::Transfer { .. } => "transfer",
            Self::Hold { .. } => "hold",
            Self::Replace { .. } => "replace",
            Self::Extend { .. } => "extend",
            Self::Confirm { .. } => "confirm",
            Self::Fulfill { .. } => "fulfill",
            Self::Cancel { .. } => "cancel",
            Self::Expire { .. } => "expire",
        }
    }
}

/// A condition without which a command changes nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Precondition {
    /// The stock or reservation exists.
    Exists,
    /// The stock or reservation does not exist yet.
    Absent,
    /// The stock or reservation exists and has one of these versions.
    VersionIn(Vec<u64>),
}

/// The result of an accepted command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// A command on one stock.
    Stock {
        /// The stock after the command.
        view: StockView,
        /// Whether the command created it.
        created: bool,
    },
    /// A transfer.
    Transfer {
        /// The stock that the units left, after the command.
        source: StockView,
        /// The stock that the units arrived at, after the command.
        target: StockView,
    },
    /// A command on one reservation.
    Reservation {
        /// The id of the reservation.
        id: String,
        /// The reservation after the command.
        reservation: Box<Reservation>,
        /// Whether the command created the reservation.
        created: bool,
    },
}

#[cfg(test)]
impl Action {
    /// One action of each command, for tests of what has to know every command.
    pub(crate) fn one_of_each() -> Vec<Self> {
        let key = StockKey::parse("a".to_owned(), "north".to_owned()).unwrap();
        let first = Self::AdjustSet { key, total: 3, minimum: None };
        std::iter::successors(Some(first), Self::example_after).collect()
    }

    /// The example after this one. The match has no other arm, so that a new command must be added.
    fn example_after(&self) -> Option<Self> {
        let key = StockKey::parse("a".to_owned(), "north".to_owned()).unwrap();
        let (from, to) = (LocationId::default(), key.location_id.clone());
        let (id, quantity) = ("r".to_owned(), 3);
        let lines = vec![LineRequest { key: key.clone(), quantity }];
        Some(match self {
            Self::AdjustSet { .. } => Self::AdjustBy { key, delta: -3 },
            Self::AdjustBy { .. } => Self::Reserve { key, quantity },
            Self::Reserve { .. } => Self::Release { key, quantity },
            Self::Release { .. } => {
                Self::Transfer { product_id: key.product_id, from, to, quantity }
            }
            Self::Transfer { .. } => Self::Hold { id, lines, ttl_seconds: None },
            Self::Hold { .. } => Self::Replace { id, lines },
            Self::Replace { .. } => Self::Extend { id, ttl_seconds: 7 },
            Self::Extend { .. } => Self::Confirm { id },
            Self::Confirm { .. } => Self::Fulfill { id, lines: Some(lines) },
            Self::Fulfill { .. } => Self::Cancel { id, lines: None },
            Self::Cancel { .. } => Self::Expire { id },
            Self::Expire { .. } => return None,
        })
    }
}

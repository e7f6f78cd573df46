use super::{Identity, LineRequest, LocationId, ProductId, Reservation, StockKey, StockView};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// A request to change state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Command {
    /// Unique; names the command in the log.
    pub id: Uuid,
    /// Who and why.
    pub origin: Origin,
    /// What must be so first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precondition: Option<Precondition>,
    /// What to do.
    pub action: Action,
}

/// Who asks for a command and why. The command's events carry it.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Origin {
    /// The caller's name; `None` for the anonymous identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<Arc<str>>,
    /// The reason, in the caller's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
    /// The caller's name for the business transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Arc<str>>,
}

impl Origin {
    /// The origin of a command that this identity asks for, without a reason or a reference.
    #[must_use]
    pub fn of(identity: &Identity) -> Self {
        Self { caller: identity.caller().cloned(), reason: None, reference: None }
    }
}

/// What to do: a command of the contract and its arguments.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
    Fulfil { id: String, lines: Option<Vec<LineRequest>> },
    Cancel { id: String, lines: Option<Vec<LineRequest>> },
    Expire { id: String },
}

impl Action {
    /// The reservation that the command is about, where it is about one.
    #[must_use]
    pub fn reservation_id(&self) -> Option<&str> {
        match self {
            Self::Hold { id, .. }
            | Self::Replace { id, .. }
            | Self::Extend { id, .. }
            | Self::Confirm { id }
            | Self::Fulfil { id, .. }
            | Self::Cancel { id, .. }
            | Self::Expire { id } => Some(id),
            _ => None,
        }
    }

    /// The stocks that the command names itself.
    #[must_use]
    pub fn stocks(&self) -> Vec<StockKey> {
        match self {
            Self::AdjustSet { key, .. }
            | Self::AdjustBy { key, .. }
            | Self::Reserve { key, .. }
            | Self::Release { key, .. } => vec![key.clone()],
            Self::Transfer { product_id, from, to, .. } => [from, to]
                .map(|location_id| StockKey {
                    product_id: product_id.clone(),
                    location_id: location_id.clone(),
                })
                .into(),
            _ => self.lines().iter().map(|line| line.key.clone()).collect(),
        }
    }

    /// The lines that the command names itself.
    #[must_use]
    pub fn lines(&self) -> &[LineRequest] {
        match self {
            Self::Hold { lines, .. } | Self::Replace { lines, .. } => lines,
            Self::Fulfil { lines, .. } | Self::Cancel { lines, .. } => {
                lines.as_deref().unwrap_or_default()
            }
            _ => &[],
        }
    }

    /// The command's name in the contract.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AdjustSet { .. } => "adjust-set",
            Self::AdjustBy { .. } => "adjust-by",
            Self::Reserve { .. } => "reserve",
            Self::Release { .. } => "release",
            Self::Transfer { .. } => "transfer",
            Self::Hold { .. } => "hold",
            Self::Replace { .. } => "replace",
            Self::Extend { .. } => "extend",
            Self::Confirm { .. } => "confirm",
            Self::Fulfil { .. } => "fulfil",
            Self::Cancel { .. } => "cancel",
            Self::Expire { .. } => "expire",
        }
    }
}

/// What must be so before a command may change anything.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precondition {
    /// It exists.
    Exists,
    /// It does not exist yet.
    Absent,
    /// It exists and has one of these versions.
    VersionIn(Vec<u64>),
}

/// What an accepted command did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A command on one stock.
    Stock {
        /// The stock after it.
        view: StockView,
        /// Whether the command created it.
        created: bool,
    },
    /// A transfer.
    Transfer {
        /// Where the units were, after it.
        source: StockView,
        /// Where they are.
        target: StockView,
    },
    /// A command on one reservation.
    Reservation {
        /// Its id.
        id: String,
        /// The reservation after it.
        reservation: Box<Reservation>,
        /// Whether the command made it.
        created: bool,
    },
}

use super::{StockKey, StockView};
use std::sync::Arc;
use uuid::Uuid;

/// A request to change state.
#[derive(Clone, Debug)]
pub struct Command {
    /// Unique; names the command in the log.
    pub id: Uuid,
    /// Who and why.
    pub origin: Origin,
    /// What must be so first.
    pub precondition: Option<Precondition>,
    /// Which stock.
    pub key: StockKey,
    /// What to do with it.
    pub action: Action,
}

/// Who asks for a command and why; kept with its events.
#[derive(Clone, Default, Debug)]
pub struct Origin {
    /// As authenticated.
    pub caller: Option<Arc<str>>,
    /// In the caller's words.
    pub reason: Option<String>,
    /// The caller's name for the business transaction.
    pub reference: Option<String>,
}

/// What to do with a stock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the arguments are the contract's, by name")]
pub enum Action {
    /// `adjust-set` of the contract.
    AdjustSet { total: u64, minimum: Option<u64> },
    /// `adjust-by` of the contract.
    AdjustBy { delta: i64 },
    /// `reserve` of the contract.
    Reserve { quantity: u64 },
    /// `release` of the contract.
    Release { quantity: u64 },
}

/// What must be so before a command may change anything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Precondition {
    /// It exists.
    Exists,
    /// It does not exist yet.
    Absent,
    /// It exists and has one of these versions.
    VersionIn(Vec<u64>),
}

/// What an accepted command on one stock did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StockOutcome {
    /// The stock after it.
    pub view: StockView,
    /// Whether the command created it.
    pub created: bool,
}

use super::StockKey;
use std::{fmt, sync::Arc};

/// Why a call into the domain ended without a decision.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Ended {
    /// The component failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The host's world failed.
    #[error(transparent)]
    Failure(#[from] StoreFailure),
    /// It met something on which holds are due: they expire first, then it is made again.
    #[error("holds are due on {0}: they expire first")]
    Due(Due),
}

/// On what holds are due.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Due {
    /// Holds of this stock.
    Stock(StockKey),
    /// The hold of this id.
    Reservation(String),
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stock(key) => write!(f, "stock {key}"),
            Self::Reservation(id) => write!(f, "reservation {id}"),
        }
    }
}

/// A defect of the component: it trapped, exceeded a limit or broke an invariant.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the domain component failed: {0}")]
pub struct Fault(pub String);

/// The store failed: disk, file system, lost connection.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the store failed while {doing}: {cause}")]
pub struct StoreFailure {
    /// What was being done.
    pub doing: &'static str,
    /// The error of the store.
    pub cause: Arc<dyn std::error::Error + Send + Sync>,
    /// Whether what was being done may be there after a restart. Otherwise it is certainly not.
    pub outcome_unknown: bool,
    /// Whether nothing failed: what was being done is a query, and it was stopped.
    pub stopped: bool,
}

impl StoreFailure {
    /// Wraps an error of the store.
    pub fn new(doing: &'static str, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { doing, cause: Arc::new(cause), outcome_unknown: false, stopped: false }
    }
}

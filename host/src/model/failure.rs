use super::StockKey;
use std::{fmt, sync::Arc};

/// The reason why a call of the component ended without a decision.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Ended {
    /// The component failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The store failed.
    #[error(transparent)]
    Failure(#[from] StoreFailure),
    /// The call read a stock or a reservation on which holds are due. The host expires these holds
    /// and then repeats the call.
    #[error("holds are due on {0}: they expire first")]
    Due(Due),
}

/// A stock or a reservation on which holds are due.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Due {
    /// Holds on this stock are due.
    Stock(StockKey),
    /// The reservation with this id is due.
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

/// A failure of the store, such as a full disk, an error of the file system or a lost connection.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the store failed while {doing}: {cause}")]
pub struct StoreFailure {
    /// The activity that failed, such as `reading a stock`.
    pub doing: &'static str,
    /// The error of the store.
    pub cause: Arc<dyn std::error::Error + Send + Sync>,
    /// Whether the commit that failed may be there after a restart. If false, nothing of it is.
    pub outcome_unknown: bool,
    /// Whether the activity was a query that ended at its deadline or was cancelled. The store
    /// itself did not fail then.
    pub stopped: bool,
}

impl StoreFailure {
    /// A failure of the activity `doing`, with a known outcome.
    pub fn new(doing: &'static str, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { doing, cause: Arc::new(cause), outcome_unknown: false, stopped: false }
    }
}

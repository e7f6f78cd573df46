use std::sync::Arc;

/// Why a call into the domain ended without a decision.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Ended {
    /// The component failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The host's world failed.
    #[error(transparent)]
    Failure(#[from] StoreFailure),
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
}

impl StoreFailure {
    /// Wraps an error of the store.
    pub fn new(doing: &'static str, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { doing, cause: Arc::new(cause), outcome_unknown: false }
    }
}

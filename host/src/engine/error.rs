use crate::{
    component::Refused,
    model::{Ended, Rejection, StoreFailure},
};
use std::time::Duration;

/// Why a command or query has no result.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The domain refused it.
    #[error("{}", .0.message)]
    Rejected(Rejection),
    /// A command of several that stand or fall together was refused; nothing was written.
    #[error("command {index}: {cause}")]
    InBatch {
        /// Its place among them, from 0.
        index: usize,
        /// Why.
        cause: Box<Error>,
    },
    /// The key names another request already; nothing was written.
    #[error("the key was used for another request; nothing was written")]
    KeyReused,
    /// The commands of the request have too many lines together; nothing was written.
    #[error("{lines} lines in one request, {most} are allowed; nothing was written")]
    TooManyLines {
        /// How many they have.
        lines: usize,
        /// The bound.
        most: usize,
    },
    /// There was no decision in time. It may still be made.
    #[error("no decision within {} ms: it may still be made", .within.as_millis())]
    Late {
        /// The bound.
        within: Duration,
    },
    /// The query took longer than it may.
    #[error("the query was stopped after {} ms: ask for less, or later", .within.as_millis())]
    QueryTimeout {
        /// The bound.
        within: Duration,
    },
    /// The component failed; nothing was written.
    #[error("the domain component failed; nothing was written")]
    Fault,
    /// The queue is full; nothing was written.
    #[error("{waiting} commands are waiting already; nothing was written")]
    Overloaded {
        /// The bound that is reached.
        waiting: usize,
    },
    /// The store refused a write a moment ago and is being tried; nothing was written.
    #[error("the store cannot be written at the moment; nothing was written")]
    ReadOnly,
    /// The store failed; nothing was written.
    #[error("the store failed; nothing was written")]
    StoreUnavailable,
    /// The store failed so that the outcome cannot be known before it can be written again.
    #[error(
        "the store failed as it committed, and what was asked for may still come into force: ask \
         again with the same Idempotency-Key; without one, look first whether it has"
    )]
    OutcomeUnknown,
    /// The process is ending; nothing was written.
    #[error("the server is stopping; nothing was written")]
    Stopping,
}

impl From<Ended> for Error {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Fault(fault) => {
                tracing::error!(cause = %fault, "domain fault");
                Self::Fault
            }
            Ended::Failure(failure) => failure.into(),
            // Only commands meet what is due, and they are made again.
            Ended::Due(due) => {
                tracing::error!(%due, "a query ended at something that is due");
                Self::Fault
            }
        }
    }
}

impl From<StoreFailure> for Error {
    fn from(failure: StoreFailure) -> Self {
        if failure.stopped {
            return Self::Stopping;
        }
        tracing::error!(%failure, "store failure");
        if failure.outcome_unknown { Self::OutcomeUnknown } else { Self::StoreUnavailable }
    }
}

/// Why the engine cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The component is not accepted.
    #[error("the domain component is not accepted: {0}")]
    Component(#[from] Refused),
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreFailure),
    /// No thread for the writer.
    #[error("the writer's thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
}

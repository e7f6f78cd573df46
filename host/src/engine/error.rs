//! The errors of the engine.

use crate::{
    component::Refused,
    model::{Ended, Rejection, StoreFailure},
};
use std::time::Duration;

/// The reason why a request or a query has no result.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The domain rejected the command or the query.
    #[error("{}", .0.message)]
    Rejected(Rejection),
    /// One command of an all-or-nothing request was refused; nothing was written.
    #[error("command {index}: {cause}")]
    InBatch {
        /// The index of the command, from 0.
        index: usize,
        /// The reason of the refusal.
        cause: Box<Error>,
    },
    /// The idempotency key was used for another request; nothing was written.
    #[error("the key was used for another request; nothing was written")]
    KeyReused,
    /// The commands of the request have too many lines together; nothing was written.
    #[error("{lines} lines in one request, {most} are allowed; nothing was written")]
    TooManyLines {
        /// The number of lines.
        lines: usize,
        /// The bound on lines.
        most: usize,
    },
    /// The request was not decided within the deadline. It may still be decided.
    #[error("no decision within {} ms: it may still be made", .within.as_millis())]
    Late {
        /// The deadline.
        within: Duration,
    },
    /// The query was stopped at its deadline.
    #[error("the query was stopped after {} ms: ask for less, or later", .within.as_millis())]
    QueryTimeout {
        /// The deadline.
        within: Duration,
    },
    /// The component failed; nothing was written.
    #[error("the domain component failed; nothing was written")]
    Fault,
    /// The queue is full; nothing was written.
    #[error("{waiting} commands are waiting already; nothing was written")]
    Overloaded {
        /// The number of commands that wait.
        waiting: usize,
    },
    /// The store failed to write and is being recovered; nothing was written.
    #[error("the store cannot be written at the moment; nothing was written")]
    ReadOnly,
    /// The store failed; nothing was written.
    #[error("the store failed; nothing was written")]
    StoreUnavailable,
    /// The store failed during the commit, so that the outcome is unknown until the store has
    /// recovered.
    #[error(
        "the store failed during the commit, and the commit may still have happened: send the \
         request again with the same Idempotency-Key; without a key, read first whether it happened"
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
            // Only commands meet due holds, and the executor decides such commands again.
            Ended::Due(due) => {
                tracing::error!(%due, "a query ended because holds are due");
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

/// The reason why the engine cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The component does not fit the contract.
    #[error("the domain component is not accepted: {0}")]
    Component(#[from] Refused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreFailure),
    /// The operating system gave no thread for the writer.
    #[error("the writer's thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
}

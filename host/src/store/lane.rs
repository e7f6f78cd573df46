//! The trait of the one writer of a store.

use super::{Batch, BatchKeys, Decidable, IdempotencyKey, IdempotencyRecord, LargeRecords};
use crate::model::{Installed, StoreFailure, Timestamp};

/// The end of the event log.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LogEnd {
    /// The sequence of the last event; 0 where there is none.
    pub sequence: u64,
    /// The time of the last event, in milliseconds since the epoch; 0 where there is none.
    pub at: Timestamp,
}

/// The time up to which a lane knows all holds that come due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LookAhead {
    /// The lane knows every hold that comes due before this time. More need not be read yet.
    Known(Timestamp),
    /// The lane knows every hold that comes due before this time. The next step should be read at
    /// once.
    More(Timestamp),
}

/// The sequences and handles that a commit assigned to a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Committed<H> {
    /// The sequence of the first event of the batch; the batch's other events follow without a gap.
    /// `None` where the batch has no event.
    pub first_sequence: Option<u64>,
    /// The handle of each reservation of the batch, in the order of the batch.
    pub reservation_handles: Vec<H>,
}

/// The reason why a batch was not committed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommitError {
    /// Another writer has changed the state on which the batch was decided. Nothing was written.
    /// The lane reads the new state, and the batch must be decided again on it.
    #[error("another writer changed the state that the batch was decided on; nothing was written")]
    Conflict,
    /// The store failed. Nothing was written, now or after any restart, unless
    /// [`StoreFailure::outcome_unknown`] is set. Call [`Lane::recover`] before the next batch.
    #[error(transparent)]
    Failed(#[from] StoreFailure),
}

/// The one writer of a store.
#[allow(clippy::missing_errors_doc, reason = "every function fails where the store does")]
pub trait Lane: Decidable {
    /// Begins a batch. All reads until its commit belong to the batch. `keys` are the keys that the
    /// batch's commands name; the store may fetch all of them in one round trip.
    fn begin_batch(&mut self, keys: &BatchKeys<'_>) -> Result<(), StoreFailure>;
    /// Makes the whole batch durable, or nothing of it, and ends the batch.
    fn commit(
        &mut self,
        batch: Batch<'_, '_, Self>,
    ) -> Result<Committed<Self::ReservationHandle>, CommitError>
    where
        Self: Sized;
    /// Between batches: reads ahead a bounded number of holds that come due soon, so that the lane
    /// knows their stocks when they come due. The result says when to call it again at the latest.
    fn look_ahead(&mut self, now: Timestamp) -> Result<LookAhead, StoreFailure>;
    /// The time at which the next hold comes due, as of the latest commit, in milliseconds since the
    /// epoch; an earlier time where the exact one is not known. `None` when no hold can come due. A
    /// hold that comes due after the time that was read ahead may be missing.
    /// After a conflict, holds of other writers count too: where they are not known, the time is 0.
    fn next_due(&self) -> Option<Timestamp>;
    /// The end of the log as of the last commit.
    fn log_end(&mut self) -> Result<LogEnd, StoreFailure>;
    /// The component that decides; `None` in a store that has never recorded one.
    fn installed(&mut self) -> Result<Option<Installed>, StoreFailure>;
    /// The idempotency record of this key, unless it was written before `since`.
    fn idempotency_record(
        &mut self,
        key: &IdempotencyKey,
        since: Timestamp,
    ) -> Result<Option<IdempotencyRecord>, StoreFailure>;
    /// Within a batch: deletes up to `limit` idempotency records that were written before `before`,
    /// fewer where they are large. Returns whether more of them may be left.
    fn delete_idempotency_records(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<bool, StoreFailure>;
    /// Figures of the idempotency records of large answers.
    fn large_records(&self) -> LargeRecords {
        LargeRecords::default()
    }
    /// Whether batches can be begun, as far as the lane knows. If not, call [`Lane::recover`]
    /// first.
    fn writable(&self) -> bool {
        true
    }
    /// Recovery after a failure: makes the lane ready to write, and proves it with a test write.
    fn recover(&mut self) -> Result<(), StoreFailure>;
    /// Closes the lane before the process ends: writes rows that lag behind the log, and
    /// checkpoints.
    fn close(&mut self) -> Result<(), StoreFailure>;
}

//! Writing: the one writer of a store.

use super::{Batch, BatchKeys, Decidable, IdempotencyKey, IdempotencyRecord, LargeRecords};
use crate::model::{Installed, StoreFailure, Timestamp};

/// The end of the event log.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LogEnd {
    /// The sequence of the last event; 0 where there is none.
    pub sequence: u64,
    /// The latest time that was recorded, in milliseconds since the epoch.
    pub at: Timestamp,
}

/// How well a lane knows what comes due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LookAhead {
    /// Everything that comes due before this time is known.
    Known(Timestamp),
    /// Everything that comes due before this time is known, and the next step can be read at once.
    More(Timestamp),
}

/// What a commit gave to a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Committed<H> {
    /// The sequence of the first event of the batch, whose other events follow it without a gap;
    /// `None` where the batch has no event.
    pub first_sequence: Option<u64>,
    /// The handle of each reservation of the batch, in order.
    pub reservation_handles: Vec<H>,
}

/// Why a batch was not committed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommitError {
    /// The batch was decided on a state that another writer has changed. Nothing was written; the
    /// lane reads the new state, on which the batch is to be decided again.
    #[error("another writer changed what the batch was decided on; nothing was written")]
    Conflict,
    /// The store failed. Nothing was written, now or after any restart, unless the failure says
    /// that its outcome is unknown. [`Lane::recover`] comes before the next batch.
    #[error(transparent)]
    Failed(#[from] StoreFailure),
}

/// The one writer.
#[allow(clippy::missing_errors_doc, reason = "every function fails where the store does")]
pub trait Lane: Decidable {
    /// Begins a batch: all reads until its commit are made for it. `keys` are the keys that its
    /// commands name, which the store may fetch at once.
    fn begin_batch(&mut self, keys: &BatchKeys<'_>) -> Result<(), StoreFailure>;
    /// Makes all of the batch durable, or nothing, and ends the batch.
    fn commit(
        &mut self,
        batch: Batch<'_, '_, Self>,
    ) -> Result<Committed<Self::ReservationHandle>, CommitError>
    where
        Self: Sized;
    /// Between batches: reads ahead some of the holds that come due soon, so that their stocks are
    /// known when they do. Returns when to call it again at the latest.
    fn look_ahead(&mut self, now: Timestamp) -> Result<LookAhead, StoreFailure>;
    /// The end of the log as of the last commit.
    fn log_end(&mut self) -> Result<LogEnd, StoreFailure>;
    /// The component that decides, where that is written down.
    fn installed(&mut self) -> Result<Option<Installed>, StoreFailure>;
    /// The answer that a request with this key was given since `since`.
    fn idempotency_record(
        &mut self,
        key: &IdempotencyKey,
        since: Timestamp,
    ) -> Result<Option<IdempotencyRecord>, StoreFailure>;
    /// Within a batch: deletes up to `limit` answers from before `before`, fewer where they are
    /// large. Returns whether there may be more.
    fn delete_idempotency_records(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<bool, StoreFailure>;
    /// The idempotency records of large answers.
    fn large_records(&self) -> LargeRecords {
        LargeRecords::default()
    }
    /// Whether batches can be begun, as far as is known. If not, [`Lane::recover`] comes first.
    fn writable(&self) -> bool {
        true
    }
    /// After a failure: gets ready to write again, and proves it by writing.
    fn recover(&mut self) -> Result<(), StoreFailure>;
    /// Leaves the store as compact as it can be, before the process ends.
    fn close(&mut self) -> Result<(), StoreFailure>;
}

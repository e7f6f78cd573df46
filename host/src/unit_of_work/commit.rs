//! Batches over a lane: how one begins, what the lane remembers, and the commit.

use super::UnitOfWork;
use crate::{
    model::{Installed, StoreFailure, Timestamp},
    store::{
        Batch, BatchKeys, CommitError, Committed, IdempotencyKey, IdempotencyRecord, Lane,
        LargeRecords, LogEnd, LookAhead, ReservationWrite, StockWrite, StoredReservation,
    },
};

/// The most reservations that are remembered from earlier batches, a kilobyte each or less.
const RECENT_RESERVATIONS_MAX: usize = 4_096;

impl<L: Lane> UnitOfWork<L> {
    /// Begins a batch. `keys` are the keys that its commands name.
    ///
    /// # Errors
    /// Where the store fails; there is no batch then.
    pub fn begin(&mut self, keys: &BatchKeys<'_>) -> Result<(), StoreFailure> {
        self.state.begin_batch(keys)
    }

    /// The end of the log as of the last commit.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn log_end(&mut self) -> Result<LogEnd, StoreFailure> {
        self.state.log_end()
    }

    /// Between batches: reads ahead some of the holds that come due soon.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn look_ahead(&mut self, now: Timestamp) -> Result<LookAhead, StoreFailure> {
        self.state.look_ahead(now)
    }

    /// The component that decides, where that is written down.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn installed(&mut self) -> Result<Option<Installed>, StoreFailure> {
        self.state.installed()
    }

    /// The answer that a request with this key was given, in this batch or since `since`.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn answered(
        &mut self,
        key: &IdempotencyKey,
        since: Timestamp,
    ) -> Result<Option<IdempotencyRecord>, StoreFailure> {
        match self.answers.get(key) {
            Some(answered) => Ok(Some(answered.clone())),
            None => self.state.idempotency_record(key, since),
        }
    }

    /// Deletes some answers from before `before`. Returns whether there may be more.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn forget_answers(&mut self, before: Timestamp, limit: u32) -> Result<bool, StoreFailure> {
        self.state.delete_idempotency_records(before, limit)
    }

    /// What the store keeps of large answers.
    #[must_use]
    pub fn large_answers(&self) -> LargeRecords {
        self.state.large_records()
    }

    /// Makes the batch durable and ends it. Returns the sequence of its first event, where it has
    /// one. After an error nothing of the batch remains in this unit of work.
    ///
    /// # Errors
    /// [`CommitError`]. Nothing is written then, unless the outcome is unknown. After a conflict
    /// the batch can be begun and decided again.
    pub fn commit(&mut self, now: Timestamp) -> Result<Option<u64>, CommitError> {
        self.abandon();
        self.undo = None;
        let result = self.commit_dirty(now);
        if result.is_err() {
            self.recent.clear();
        }
        self.stocks.clear();
        self.reservations.clear();
        self.log.clear();
        self.installed = None;
        self.recorded.clear();
        self.answers.clear();
        match &result {
            Ok(_) => {
                if let Err(failure) = self.look_for_next_due(now) {
                    // What is committed stays so; until it is known again, everything is looked
                    // at.
                    tracing::warn!(
                        %failure, "the next hold that comes due could not be looked up"
                    );
                }
            }
            // The other writer may have made holds that come due earlier: look at everything.
            Err(CommitError::Conflict) => self.next_due = Some(0),
            Err(CommitError::Failed(_)) => {}
        }
        result
    }

    /// After a commit: looks when the next hold comes due, where that was due by `now`.
    fn look_for_next_due(&mut self, now: Timestamp) -> Result<(), StoreFailure> {
        if self.something_due(now) {
            self.next_due = self.state.first_due(1)?.first().map(|(_, at)| *at);
        }
        Ok(())
    }

    fn commit_dirty(&mut self, now: Timestamp) -> Result<Option<u64>, CommitError> {
        let dirty = self.stocks.iter_mut().filter(|(_, touched)| touched.dirty);
        let mut stocks: Vec<_> = dirty
            .filter_map(|(key, touched)| {
                let (stock, before) = (touched.stock.as_ref()?, touched.before.as_ref());
                Some(StockWrite { key, handle: &mut touched.handle, before, stock })
            })
            .collect();
        let changed = self.reservations.iter().filter_map(|(id, touched)| {
            let reservation = touched.changed.as_ref()?;
            Some(ReservationWrite { id, stored: touched.stored.as_ref(), reservation })
        });
        let mut reservations: Vec<_> = changed.collect();
        // In key order: neighbours share pages.
        stocks.sort_unstable_by_key(|write| write.key);
        reservations.sort_unstable_by_key(|write| (write.reservation.created_at, write.id));
        let Committed { first_sequence, reservation_handles } = self.state.commit(Batch {
            stocks: &mut stocks,
            reservations: &reservations,
            log: &self.log,
            idempotency_records: &self.answers,
            idempotency_bounds: self.idempotency_bounds,
            installed: self.installed,
            recorded: &mut self.recorded,
            recorded_max: self.recorded_max,
            now,
        })?;
        let ids = reservations.iter().map(|write| write.id.to_owned());
        let committed: Vec<_> = ids.zip(reservation_handles).collect();
        self.remember(committed);
        Ok(first_sequence)
    }

    /// Remembers reservations as they were just committed, as long as something can still
    /// become of them.
    fn remember(&mut self, committed: Vec<(String, L::ReservationHandle)>) {
        if self.recent.len() + committed.len() > RECENT_RESERVATIONS_MAX {
            self.recent.clear();
        }
        for (id, handle) in committed {
            let changed = self.reservations.remove(&id).and_then(|touched| touched.changed);
            match changed.filter(|it| it.status.state.is_active()) {
                Some(reservation) => {
                    self.recent.insert(id, StoredReservation { handle, reservation });
                }
                None => {
                    self.recent.remove(&id);
                }
            }
        }
    }

    /// Whether batches can be begun; otherwise [`UnitOfWork::recover`] comes first.
    #[must_use]
    pub fn writable(&self) -> bool {
        self.state.writable()
    }

    /// After a failed commit: gets the store ready to write again.
    ///
    /// # Errors
    /// Where it is not.
    pub fn recover(&mut self) -> Result<(), StoreFailure> {
        self.state.recover()?;
        self.next_due = self.state.first_due(1)?.first().map(|(_, at)| *at);
        Ok(())
    }

    /// Leaves the store as compact as it can be, before the process ends.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn close(&mut self) -> Result<(), StoreFailure> {
        self.state.close()
    }
}

//! The life of a batch over a lane: its beginning, its commit, and recovery after a failed commit.

use super::UnitOfWork;
use crate::{
    model::{Installed, StoreFailure, Timestamp},
    store::{
        Batch, BatchKeys, CommitError, Committed, IdempotencyKey, IdempotencyRecord, Lane,
        LargeRecords, LogEnd, LookAhead, ReservationWrite, StockWrite, StoredReservation,
    },
};

/// The most reservations of earlier batches that are kept in memory, each of a kilobyte or less.
const RECENT_RESERVATIONS_MAX: usize = 4_096;

impl<L: Lane> UnitOfWork<L> {
    /// Begins a batch. `keys` are the keys that its commands name.
    ///
    /// # Errors
    /// The store fails. No batch has begun then.
    pub fn begin(&mut self, keys: &BatchKeys<'_>) -> Result<(), StoreFailure> {
        self.state.begin_batch(keys)
    }

    /// The end of the log as of the last commit.
    ///
    /// # Errors
    /// The store fails.
    pub fn log_end(&mut self) -> Result<LogEnd, StoreFailure> {
        self.state.log_end()
    }

    /// Between batches: reads ahead some of the holds that come due soon. Returns how far the store
    /// has read ahead.
    ///
    /// # Errors
    /// The store fails.
    pub fn look_ahead(&mut self, now: Timestamp) -> Result<LookAhead, StoreFailure> {
        let ahead = self.state.look_ahead(now)?;
        self.next_due = self.state.next_due();
        Ok(ahead)
    }

    /// The component that decides, as the store records it; `None` where it records none.
    ///
    /// # Errors
    /// The store fails.
    pub fn installed(&mut self) -> Result<Option<Installed>, StoreFailure> {
        self.state.installed()
    }

    /// The idempotency record under this key, from the current batch or from `since` on; `None`
    /// where there is none.
    ///
    /// # Errors
    /// The store fails.
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

    /// Deletes up to `limit` idempotency records from before `before`. Returns whether there may be
    /// more.
    ///
    /// # Errors
    /// The store fails.
    pub fn forget_answers(&mut self, before: Timestamp, limit: u32) -> Result<bool, StoreFailure> {
        self.state.delete_idempotency_records(before, limit)
    }

    /// The idempotency records of large answers in the store.
    #[must_use]
    pub fn large_answers(&self) -> LargeRecords {
        self.state.large_records()
    }

    /// Makes the batch durable and ends it. Returns the sequence of the batch's first event; `None`
    /// for a batch without events. After an error nothing of the batch remains in this unit of
    /// work.
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
        self.next_due = self.state.next_due();
        result
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
        // Key order lets neighbours share pages of the database.
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

    /// Keeps the reservations of the commit in memory while they are active.
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

    /// Whether a batch can begin. If not, [`UnitOfWork::recover`] must succeed first.
    #[must_use]
    pub fn writable(&self) -> bool {
        self.state.writable()
    }

    /// Recovers the store after a failed commit, so that batches can begin again.
    ///
    /// # Errors
    /// The store still cannot be written.
    pub fn recover(&mut self) -> Result<(), StoreFailure> {
        self.state.recover()?;
        self.next_due = self.state.next_due();
        Ok(())
    }

    /// Compacts the store's files as far as possible, before the process ends.
    ///
    /// # Errors
    /// The store fails.
    pub fn close(&mut self) -> Result<(), StoreFailure> {
        self.state.close()
    }
}

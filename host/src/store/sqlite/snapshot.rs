//! Snapshots of committed data, for queries.

use super::{
    connection::{self, failed},
    handles::{FoundStocks, ReservationHandle, StockHandle, Stored, StoredReservation},
    log_end::last_sequence,
    published::{Overlay, Published},
    reservations, stock_scans, stocks,
};
use crate::{
    model::{
        DeficitScan, QueryDeadline, ReservationPage, ReservationScan, StockKey, StockScan,
        StoreFailure, Timestamp,
    },
    store::{Read, Snapshot},
};
use rusqlite::Connection;
use std::{path::Path, sync::Arc, time::Duration};

/// A reader of committed stocks and reservations.
pub struct SqliteSnapshot {
    connection: Connection,
    published: Arc<Published>,
    /// The overlay of the commit that the snapshot is pinned to; `None` while it is not pinned.
    pinned: Option<Overlay>,
    deadline: Option<QueryDeadline>,
}

impl SqliteSnapshot {
    pub(super) fn open(file: &Path, published: Arc<Published>) -> Result<Self, StoreFailure> {
        let connection =
            connection::readable(file).map_err(failed("opening a reading connection"))?;
        Ok(Self { connection, published, pinned: None, deadline: None })
    }

    /// The overlay of the commit that reads see.
    fn overlay(&self) -> Overlay {
        self.pinned.clone().unwrap_or_else(|| self.published.latest())
    }

    /// Begins a transaction. Returns the sequence of the last event that it sees.
    fn begin_at(&self) -> rusqlite::Result<u64> {
        self.connection.prepare_cached("BEGIN")?.execute([])?;
        last_sequence(&self.connection)
    }
}

/// The most attempts to begin a snapshot. An attempt fails when it sees a commit that the writer
/// has not published yet. The writer needs microseconds between the two, unless it is preempted.
const ATTEMPTS_MAX: u32 = 10_000;

/// The number of attempts without a pause, and the pause before each later one.
const ATTEMPTS_AT_ONCE: u32 = 16;
const PAUSE: Duration = Duration::from_micros(100);

impl Snapshot for SqliteSnapshot {
    fn begin(&mut self) -> Result<(), StoreFailure> {
        for attempt in 0..ATTEMPTS_MAX {
            let begun = self.begin_at();
            self.pinned = begun.as_ref().ok().and_then(|sequence| self.published.as_of(*sequence));
            if self.pinned.is_some() {
                return Ok(());
            }
            // The transaction is ended so that the next attempt or query can begin one.
            if !self.connection.is_autocommit() {
                self.end();
            }
            begun.map_err(failed("beginning a snapshot"))?;
            if attempt < ATTEMPTS_AT_ONCE {
                std::thread::yield_now();
            } else {
                std::thread::sleep(PAUSE);
            }
        }
        let cause = std::io::Error::other("the writer did not publish its commit in a second");
        Err(StoreFailure::new("beginning a snapshot", cause))
    }

    fn end(&mut self) {
        self.pinned = None;
        // The deadline must not interrupt the end of the transaction.
        connection::limit(&mut self.connection, None);
        let ended =
            self.connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
        if let Err(error) = ended {
            tracing::warn!(%error, "a snapshot could not be ended");
        }
        connection::limit(&mut self.connection, self.deadline.as_ref());
    }

    fn limit(&mut self, deadline: Option<&QueryDeadline>) {
        connection::limit(&mut self.connection, deadline);
        self.deadline = deadline.cloned();
    }

    fn nothing_due(&self, until: Timestamp) -> bool {
        self.published.nothing_due(until)
    }

    fn due_units(&self, _: &StockKey, stored: &Stored, until: Timestamp) -> u64 {
        self.pinned.as_ref().map_or(0, |pinned| pinned.due_units(stored, until))
    }

    fn exact_until(&self) -> Timestamp {
        self.published.exact_until()
    }
}

impl Read for SqliteSnapshot {
    type StockHandle = StockHandle;
    type ReservationHandle = ReservationHandle;

    fn stock(&mut self, key: &StockKey) -> Result<Option<Stored>, StoreFailure> {
        let Some(pinned) = &self.pinned else {
            return stocks::latest(&self.connection, &self.published, key);
        };
        pinned
            .get(key)
            .map_or_else(|| stocks::find(&self.connection, key), |stored| Ok(Some(stored)))
    }

    fn scan_stocks(&mut self, scan: &StockScan) -> Result<FoundStocks, StoreFailure> {
        stock_scans::by_key(&self.connection, &self.overlay(), scan)
    }

    fn scan_deficits(&mut self, scan: &DeficitScan) -> Result<FoundStocks, StoreFailure> {
        stock_scans::by_deficit(&self.connection, &self.overlay(), scan)
    }

    fn reservation(&mut self, id: &str) -> Result<Option<StoredReservation>, StoreFailure> {
        reservations::find(&self.connection, id)
    }

    fn scan_reservations(
        &mut self,
        scan: &ReservationScan,
    ) -> Result<ReservationPage, StoreFailure> {
        reservations::scan(&self.connection, &self.overlay(), scan)
    }
}

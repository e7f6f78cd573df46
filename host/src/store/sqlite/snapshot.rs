//! Reading what is committed, for queries.

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

/// A reader of committed stocks.
pub struct SqliteSnapshot {
    connection: Connection,
    published: Arc<Published>,
    /// Within one commit: the rows that lag as of it.
    bound: Option<Overlay>,
    deadline: Option<QueryDeadline>,
}

impl SqliteSnapshot {
    pub(super) fn open(file: &Path, published: Arc<Published>) -> Result<Self, StoreFailure> {
        let connection =
            connection::readable(file).map_err(failed("opening a reading connection"))?;
        Ok(Self { connection, published, bound: None, deadline: None })
    }

    /// The rows that lag, as of what is read.
    fn as_of(&self) -> Overlay {
        self.bound.clone().unwrap_or_else(|| self.published.latest())
    }

    /// Begins a transaction and says which commit it sees.
    fn begin_at(&self) -> rusqlite::Result<u64> {
        self.connection.prepare_cached("BEGIN")?.execute([])?;
        last_sequence(&self.connection)
    }
}

/// How often a snapshot is begun again because it met a commit between its being visible and its
/// being published, which takes the writer microseconds, unless it has lost its core meanwhile.
const BEGINNINGS_MAX: u32 = 10_000;

/// The pause before it is: none at first.
const BEGINNINGS_AT_ONCE: u32 = 16;
const PAUSE: Duration = Duration::from_micros(100);

impl Snapshot for SqliteSnapshot {
    fn begin(&mut self) -> Result<(), StoreFailure> {
        for attempt in 0..BEGINNINGS_MAX {
            let begun = self.begin_at();
            self.bound = begun.as_ref().ok().and_then(|sequence| self.published.as_of(*sequence));
            if self.bound.is_some() {
                return Ok(());
            }
            // Not to be met by the next attempt, or the next query.
            if !self.connection.is_autocommit() {
                self.end();
            }
            begun.map_err(failed("beginning a snapshot"))?;
            if attempt < BEGINNINGS_AT_ONCE {
                std::thread::yield_now();
            } else {
                std::thread::sleep(PAUSE);
            }
        }
        let cause = std::io::Error::other("the writer did not publish its commit in a second");
        Err(StoreFailure::new("beginning a snapshot", cause))
    }

    fn end(&mut self) {
        self.bound = None;
        // Not to be stopped.
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
        self.bound.as_ref().map_or(0, |bound| bound.due_units(stored, until))
    }

    fn exact_until(&self) -> Timestamp {
        self.published.exact_until()
    }
}

impl Read for SqliteSnapshot {
    type StockHandle = StockHandle;
    type ReservationHandle = ReservationHandle;

    fn stock(&mut self, key: &StockKey) -> Result<Option<Stored>, StoreFailure> {
        let Some(bound) = &self.bound else {
            return stocks::latest(&self.connection, &self.published, key);
        };
        bound
            .get(key)
            .map_or_else(|| stocks::find(&self.connection, key), |stored| Ok(Some(stored)))
    }

    fn scan_stocks(&mut self, scan: &StockScan) -> Result<FoundStocks, StoreFailure> {
        stock_scans::by_key(&self.connection, &self.as_of(), scan)
    }

    fn scan_deficits(&mut self, scan: &DeficitScan) -> Result<FoundStocks, StoreFailure> {
        stock_scans::by_deficit(&self.connection, &self.as_of(), scan)
    }

    fn reservation(&mut self, id: &str) -> Result<Option<StoredReservation>, StoreFailure> {
        reservations::find(&self.connection, id)
    }

    fn scan_reservations(
        &mut self,
        scan: &ReservationScan,
    ) -> Result<ReservationPage, StoreFailure> {
        reservations::scan(&self.connection, &self.as_of(), scan)
    }
}

//! The reader of the event log.

use super::{
    chain,
    connection::{self, failed},
    events,
    handles::StockHandle,
    log_end::last_sequence,
    published::Published,
    recorded,
    rows::{self, LOG_COLUMNS, LOG_TABLES, Unsigned, unsigned},
    stocks,
};
use crate::{
    model::{LogEntry, QueryDeadline, Recorded, StockKey, StoreFailure, Timestamp},
    store::{EventPage, EventScan, Log, Order},
};
use rusqlite::{Connection, params};
use std::{
    path::Path,
    sync::{Arc, LazyLock},
};

static ENTRY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {LOG_COLUMNS}, event.previous FROM {LOG_TABLES} \
         WHERE event.sequence = ?1 AND event.stock_id = ?2"
    )
});

/// A reader of the event log.
pub struct SqliteLog {
    connection: Connection,
    published: Arc<Published>,
}

impl SqliteLog {
    pub(super) fn open(file: &Path, published: Arc<Published>) -> Result<Self, StoreFailure> {
        let connection =
            connection::readable(file).map_err(failed("opening a reading connection"))?;
        Ok(Self { connection, published })
    }

    /// Up to `limit` events of the stock from the event `sequence` backwards. `sequence` must be an
    /// event of the stock.
    fn back(
        &self,
        key: &StockKey,
        stock_id: i64,
        sequence: Option<u64>,
        limit: u32,
    ) -> rusqlite::Result<Vec<LogEntry>> {
        let mut statement = self.connection.prepare_cached(&ENTRY)?;
        let mut entries = Vec::new();
        let mut next = sequence;
        for _ in 0..limit {
            let Some(sequence) = next else { break };
            let (entry, previous) =
                statement.query_row(params![Unsigned(sequence), stock_id], |row| {
                    let previous: Option<Unsigned> = row.get("previous")?;
                    Ok((rows::log_entry(row, Some(key.clone()))?, previous))
                })?;
            next = previous.map(|sequence| sequence.0);
            entries.push(entry);
        }
        Ok(entries)
    }

    fn newest_first(
        &self,
        key: &StockKey,
        handle: &StockHandle,
        after: Option<u64>,
        limit: u32,
    ) -> rusqlite::Result<Vec<LogEntry>> {
        let first = match after {
            None => Some(handle.last_event),
            Some(after) => chain::link(&self.connection, handle.stock_id, after)?
                .and_then(|(_, previous)| previous),
        };
        self.back(key, handle.stock_id, first, limit)
    }

    fn oldest_first(
        &self,
        key: &StockKey,
        handle: &StockHandle,
        after: Option<u64>,
        limit: u32,
    ) -> rusqlite::Result<Vec<LogEntry>> {
        let passed = match after {
            None => 0,
            Some(after) => match chain::link(&self.connection, handle.stock_id, after)? {
                Some((ordinal, _)) => ordinal,
                None => return Ok(Vec::new()),
            },
        };
        let last = handle.event_count.min(passed.saturating_add(limit.into()));
        let count = u32::try_from(last - passed).unwrap_or(limit);
        let last = chain::at_ordinal(&self.connection, handle, last)?;
        let mut entries = self.back(key, handle.stock_id, last, count)?;
        entries.reverse();
        Ok(entries)
    }

    /// The last event of the stock up to the sequence `until`, and the time of its first event.
    fn last_until(
        &self,
        key: &StockKey,
        handle: &StockHandle,
        until: u64,
    ) -> rusqlite::Result<Option<(LogEntry, Timestamp)>> {
        let Some((first, last)) = chain::first_and_last_until(&self.connection, handle, until)?
        else {
            return Ok(None);
        };
        let entry = |sequence| self.back(key, handle.stock_id, Some(sequence), 1);
        let created_at = entry(first)?.first().map(|entry| entry.at);
        Ok(entry(last)?.pop().zip(created_at))
    }

    /// The sequence of the last event at the time `at` or before, by binary search: times never
    /// decrease from one event to the next.
    fn last_not_after(&self, at: Timestamp) -> rusqlite::Result<u64> {
        let (mut low, mut high) = (0, last_sequence(&self.connection)?);
        let mut time =
            self.connection.prepare_cached("SELECT at FROM event_row WHERE sequence = ?1")?;
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            let there = time.query_row([Unsigned(middle)], |row| unsigned(row, 0))?;
            if there <= at {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Ok(low)
    }
}

impl Log for SqliteLog {
    fn stock_events(
        &mut self,
        key: &StockKey,
        order: Order,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Option<Vec<LogEntry>>, StoreFailure> {
        // No snapshot pin is needed: the events of the chain that the stock leads to are committed
        // and never change.
        let Some(stored) = stocks::latest(&self.connection, &self.published, key)? else {
            return Ok(None);
        };
        let entries = match order {
            Order::NewestFirst => self.newest_first(key, &stored.handle, after, limit),
            Order::OldestFirst => self.oldest_first(key, &stored.handle, after, limit),
        };
        entries.map(Some).map_err(failed("reading the event log"))
    }

    fn last_stock_event(
        &mut self,
        key: &StockKey,
        until: u64,
    ) -> Result<Option<(LogEntry, Timestamp)>, StoreFailure> {
        let Some(stored) = stocks::latest(&self.connection, &self.published, key)? else {
            return Ok(None);
        };
        self.last_until(key, &stored.handle, until).map_err(failed("reading the event log"))
    }

    fn sequence_at(&mut self, at: Timestamp) -> Result<u64, StoreFailure> {
        self.last_not_after(at).map_err(failed("searching the event log"))
    }

    fn events(&mut self, scan: &EventScan) -> Result<EventPage, StoreFailure> {
        events::scan(&self.connection, &self.published, scan)
    }

    fn limit(&mut self, deadline: Option<&QueryDeadline>) {
        connection::limit(&mut self.connection, deadline);
    }

    fn pin(&mut self) -> Result<(), StoreFailure> {
        // SQLite chooses the snapshot with the first read of the transaction.
        let begun =
            self.connection.execute_batch("BEGIN").map_err(failed("pinning a snapshot of the log"));
        begun.and_then(|()| self.last_recorded().map(|_| ()))
    }

    fn last_recorded(&mut self) -> Result<u64, StoreFailure> {
        recorded::last(&self.connection).map_err(failed("finding the last recorded command"))
    }

    fn recorded(&mut self, after: u64, limit: u32) -> Result<Vec<(u64, Recorded)>, StoreFailure> {
        recorded::page(&self.connection, after, limit).map_err(failed("reading recorded commands"))
    }

    fn recorded_with_event(&mut self, sequence: u64) -> Result<Option<u64>, StoreFailure> {
        recorded::with_event(&self.connection, sequence)
            .map_err(failed("finding a recorded command"))
    }
}

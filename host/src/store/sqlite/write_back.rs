//! Write-back of stocks' rows: which rows of stocks a commit writes, and which lag behind the log.
//!
//! A commit writes an event for each change of a stock, and the event has every value of the
//! stock's row. So the commit need not write the row. A later commit writes it, together with
//! neighbours that share its page, and with all changes since. Until then the stock is in memory
//! ([`super::published`]). After a crash the rows are brought up to date from the log before they
//! are read ([`super::catch_up`]).
//!
//! A row never lags in the values by which scans search: the existence of the stock, and its
//! deficit. So a scan finds the right rows, and only their other values are replaced from memory.

use super::{
    handles::{StockWrite, Stored},
    published::Published,
};
use crate::{
    model::{Level, Stock, StockKey, Timestamp},
    store,
};
use std::sync::Arc;

/// Bounds on the number of rows that lag, and on how far a row lags.
#[derive(Clone, Copy)]
struct Bounds {
    /// The most stocks whose rows lag, a few hundred bytes each.
    stocks: usize,
    /// The most events of a round. A round writes all rows that lagged when it began, so no row
    /// lags for longer than two rounds, and recovery after a crash reads at most that many events.
    events: u64,
}

const BOUNDS: Bounds = Bounds { stocks: 16_384, events: 65_536 };

/// Whether the row of a changed stock may lag. `last` is the time of the stock's last event in the
/// batch, and the level after it.
pub(super) fn may_lag(write: &StockWrite<'_>, last: Option<(Timestamp, Level)>) -> bool {
    let (Some(before), Some((at, level)), after) = (write.before, last, write.stock) else {
        return false;
    };
    // The last event has every changed value, so the row can be brought up to date from the log.
    let logged = *after == Stock { level, updated_at: at, ..*before };
    logged && store::deficit(before) == store::deficit(after)
}

/// The order in which lagging rows are written: in rounds over all keys, in key order, a few rows
/// with each commit.
///
/// A round writes the rows that lagged when it began, spread evenly over the events of the round. A
/// row that begins to lag ahead of the cursor is left to the next round, so that it does not
/// prolong the current one.
pub(super) struct WriteBack {
    bounds: Bounds,
    /// The last key that the round has written; `None` at its beginning.
    cursor: Option<Arc<StockKey>>,
    /// The number of rows that the round had to write when it began.
    rows: usize,
    /// The last sequence of the log when the round began.
    began_at: u64,
}

/// The lagging rows that a commit must write.
pub(super) struct RowsToWrite {
    /// The rows, in key order.
    pub(super) rows: Vec<(Arc<StockKey>, Stored)>,
    /// The sequence up to which all rows are current from this commit on; `None` where it stays the
    /// same.
    pub(super) current_to: Option<u64>,
    /// The state of the write-back once the commit is durable.
    pub(super) after_commit: WriteBack,
}

impl RowsToWrite {
    /// Whether the row of this stock is among them.
    pub(super) fn includes(&self, key: &StockKey) -> bool {
        includes(&self.rows, key)
    }
}

fn includes(rows: &[(Arc<StockKey>, Stored)], key: &StockKey) -> bool {
    rows.binary_search_by(|(due, _)| (**due).cmp(key)).is_ok()
}

impl WriteBack {
    /// Begins the first round at a sequence at which all rows are current.
    pub(super) fn new(sequence: u64) -> Self {
        Self { bounds: BOUNDS, cursor: None, rows: 0, began_at: sequence }
    }

    /// The last sequence of the log when the round began.
    pub(super) fn began_at(&self) -> u64 {
        self.began_at
    }

    /// The rows that a commit with this number of events must write. A commit without events writes
    /// none, because readers recognise a commit by its last sequence.
    pub(super) fn next_rows(&self, published: &Published, events: u64) -> RowsToWrite {
        let end = published.sequence();
        let after_commit = Self { cursor: self.cursor.clone(), ..*self };
        if events == 0 {
            return RowsToWrite { rows: Vec::new(), current_to: None, after_commit };
        }
        let (count, left) = published.lagging_counts();
        // The number of the round's rows that may still lag after this commit; 0 at the round's
        // end.
        let passed = (end - self.began_at + events).min(self.bounds.events);
        let may_be_left = self.rows as u64 * (self.bounds.events - passed) / self.bounds.events;
        let may_be_left = usize::try_from(may_be_left).unwrap_or(usize::MAX);
        let spare = count.saturating_sub(self.bounds.stocks);
        let quota = left.saturating_sub(may_be_left).max(spare);
        if passed < self.bounds.events && quota <= left {
            let rows = published.lagging_after(self.cursor.as_deref(), self.began_at, quota);
            let cursor = rows.last().map(|(key, _)| Arc::clone(key)).or(after_commit.cursor);
            return RowsToWrite {
                rows,
                current_to: None,
                after_commit: Self { cursor, ..after_commit },
            };
        }
        // The round ends: the rest of its rows is written, and the next round begins.
        let mut rows = published.lagging_after(self.cursor.as_deref(), self.began_at, left);
        let current_to = if count == 0 { end } else { self.began_at };
        let mut after_commit =
            Self { cursor: None, rows: count - rows.len(), began_at: end, ..after_commit };
        let more = quota - rows.len();
        let next = published.lagging_after(None, end, if more > 0 { quota } else { 0 });
        let next = next.into_iter().filter(|(key, _)| !includes(&rows, key));
        let next: Vec<_> = next.take(more).collect();
        after_commit.cursor = next.last().map(|(key, _)| Arc::clone(key));
        rows.extend(next);
        rows.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        RowsToWrite { rows, current_to: Some(current_to), after_commit }
    }
}

#[cfg(test)]
#[path = "write_back_tests.rs"]
mod tests;

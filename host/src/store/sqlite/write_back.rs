//! Which rows of stocks are written, and when: rows lag behind the log.
//!
//! A commit writes an event for each change of a stock, and the event says all that the stock's
//! row would. So the row can wait: it is written a little later, together with its neighbours,
//! which share its page, and with what happened to it meanwhile. Until then the stock is in memory
//! ([`super::published`]). After a crash the rows are brought up to date from the log before
//! anybody reads them ([`super::catch_up`]).
//!
//! Only what no scan looks for may lag: a row always shows that the stock exists, and its deficit.
//! So a scan finds the right rows, and only what they say is replaced.

use super::{
    handles::{StockWrite, Stored},
    published::Published,
};
use crate::{
    model::{Level, Stock, StockKey, Timestamp},
    store,
};
use std::sync::Arc;

/// Bounds on how many rows may lag, and on how far each may.
#[derive(Clone, Copy)]
struct Bounds {
    /// The most stocks whose rows lag, a few hundred bytes each.
    stocks: usize,
    /// The most events of a round, which writes all rows that lagged when it began. So no row lags
    /// for longer than two rounds: the log is looked through that far after a crash.
    events: u64,
}

const BOUNDS: Bounds = Bounds { stocks: 16_384, events: 65_536 };

/// Whether the row of a changed stock may lag. `last` is the time and the level that the last event
/// of the batch about the stock tells.
pub(super) fn may_lag(write: &StockWrite<'_>, last: Option<(Timestamp, Level)>) -> bool {
    let (Some(before), Some((at, level)), after) = (write.before, last, write.stock) else {
        return false;
    };
    // From the log alone the row could not be brought up to date otherwise.
    let told = *after == Stock { level, updated_at: at, ..*before };
    told && store::deficit(before) == store::deficit(after)
}

/// Which lagging rows are written next: round and round in key order, a few with each commit.
///
/// A round writes the rows that lagged when it began, evenly over its events. Rows that begin to
/// lag ahead of the cursor are left to the next round: else they would lengthen this one.
pub(super) struct WriteBack {
    bounds: Bounds,
    /// The key that was written last.
    cursor: Option<Arc<StockKey>>,
    /// Rows that the round had to write when it began.
    rows: usize,
    /// The end of the log when the round began.
    began_at: u64,
}

/// The rows that a commit is to write.
pub(super) struct RowsToWrite {
    /// The rows, in key order.
    pub(super) rows: Vec<(Arc<StockKey>, Stored)>,
    /// The sequence up to which all rows are current from this commit on, where it changes.
    pub(super) current_to: Option<u64>,
    /// The state of the rounds once the commit is durable.
    pub(super) then: WriteBack,
}

impl RowsToWrite {
    /// Whether the row of this stock is one of them.
    pub(super) fn includes(&self, key: &StockKey) -> bool {
        includes(&self.rows, key)
    }
}

fn includes(rows: &[(Arc<StockKey>, Stored)], key: &StockKey) -> bool {
    rows.binary_search_by(|(due, _)| (**due).cmp(key)).is_ok()
}

impl WriteBack {
    /// The first round, which begins at a sequence at which all rows are current.
    pub(super) fn new(sequence: u64) -> Self {
        Self { bounds: BOUNDS, cursor: None, rows: 0, began_at: sequence }
    }

    /// The end of the log when the round began.
    pub(super) fn began_at(&self) -> u64 {
        self.began_at
    }

    /// The rows that are due with a commit of so many events. A commit without events writes no row
    /// that lags: readers tell commits by their sequence.
    pub(super) fn next_rows(&self, published: &Published, events: u64) -> RowsToWrite {
        let end = published.sequence();
        let then = Self { cursor: self.cursor.clone(), ..*self };
        if events == 0 {
            return RowsToWrite { rows: Vec::new(), current_to: None, then };
        }
        let (count, left) = published.lagging_counts();
        // So many rows may be left of the round behind this commit; none where it is the last.
        let passed = (end - self.began_at + events).min(self.bounds.events);
        let may_be_left = self.rows as u64 * (self.bounds.events - passed) / self.bounds.events;
        let may_be_left = usize::try_from(may_be_left).unwrap_or(usize::MAX);
        let spare = count.saturating_sub(self.bounds.stocks);
        let quota = left.saturating_sub(may_be_left).max(spare);
        if passed < self.bounds.events && quota <= left {
            let rows = published.lagging_after(self.cursor.as_deref(), self.began_at, quota);
            let cursor = rows.last().map(|(key, _)| Arc::clone(key)).or(then.cursor);
            return RowsToWrite { rows, current_to: None, then: Self { cursor, ..then } };
        }
        // The round is complete: the rest of what lagged when it began is written. The next one
        // begins.
        let mut rows = published.lagging_after(self.cursor.as_deref(), self.began_at, left);
        let current_to = if count == 0 { end } else { self.began_at };
        let mut then = Self { cursor: None, rows: count - rows.len(), began_at: end, ..then };
        let more = quota - rows.len();
        let next = published.lagging_after(None, end, if more > 0 { quota } else { 0 });
        let next = next.into_iter().filter(|(key, _)| !includes(&rows, key));
        let next: Vec<_> = next.take(more).collect();
        then.cursor = next.last().map(|(key, _)| Arc::clone(key));
        rows.extend(next);
        rows.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        RowsToWrite { rows, current_to: Some(current_to), then }
    }
}

#[cfg(test)]
#[path = "write_back_tests.rs"]
mod tests;

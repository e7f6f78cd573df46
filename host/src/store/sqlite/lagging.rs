//! Stocks whose rows lag behind the log.
//!
//! A commit writes an event for each change of a stock, and the event says all that the stock's
//! row would. So the row can wait: it is written a little later, together with its neighbours,
//! which share its page, and with what happened to it meanwhile. Until then the stock is here.
//! After a crash the rows are brought up to date from the log before anybody reads them.
//!
//! Only what no scan looks for may lag: a row always shows whether the stock exists, its deficit
//! and what is due on it. So a scan finds the right rows, and only what they say is replaced.

use super::{
    due::{self, DueSums},
    events,
    listing::{Indexing, Recent},
    mark,
    rows::{Unsigned, unsigned},
};
use crate::{
    model::{Level, Stock, StockKey, Timestamp},
    store::{self, StockWrite, Stored},
};
use rusqlite::Connection;
use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// How many rows may lag, and how far.
#[derive(Clone, Copy)]
struct Bounds {
    /// Stocks, a few hundred bytes each.
    stocks: usize,
    /// In so many events a round goes through all that lag. No row lags for longer than two
    /// rounds: the log is looked through that far after a crash.
    events: u64,
}

const BOUNDS: Bounds = Bounds { stocks: 16_384, events: 65_536 };

type Stocks = BTreeMap<Arc<StockKey>, Stored>;

/// Stocks whose rows lag, units that come due and reservations that no run covers, as of a commit.
#[derive(Clone)]
pub(super) struct AsOf {
    sequence: u64,
    stocks: Arc<Stocks>,
    due: DueSums,
    recent: Arc<Recent>,
}

impl AsOf {
    pub(super) fn get(&self, key: &StockKey) -> Option<Stored> {
        self.stocks.get(key).copied()
    }

    /// Replaces what lagging rows said.
    pub(super) fn correct(&self, found: &mut [(StockKey, Stored)]) {
        if self.stocks.is_empty() {
            return;
        }
        for (key, stored) in found {
            if let Some(lags) = self.stocks.get(key) {
                *stored = *lags;
            }
        }
    }

    /// Reservations that no run of the index for lists covers.
    pub(super) fn recent(&self) -> &Recent {
        &self.recent
    }

    /// Units of a stock that are due by `until`.
    pub(super) fn due_units(&self, stored: &Stored, until: Timestamp) -> u64 {
        self.due.until(stored.handle.stock_id, until)
    }
}

/// The same as of the latest commit, shared by the lane and its readers.
pub(super) struct Lagging {
    latest: Mutex<AsOf>,
    /// When the first hold comes due that is known to, or an earlier time.
    first_due: AtomicU64,
    /// The latest time for which sums of due units are exact.
    exact_until: AtomicU64,
}

/// What a commit did to a stock.
pub(super) enum Change {
    /// Its row was not written.
    Lags(Arc<StockKey>, Stored),
    /// Its row was.
    Written(Arc<StockKey>),
}

impl Lagging {
    /// No stock, at a sequence at which all rows are current.
    pub(super) fn none(sequence: u64, recent: Recent) -> Self {
        let recent = Arc::new(recent);
        Self {
            latest: Mutex::new(AsOf {
                sequence,
                recent,
                stocks: Arc::default(),
                due: DueSums::default(),
            }),
            first_due: AtomicU64::new(0),
            exact_until: AtomicU64::new(0),
        }
    }

    /// Those that are behind rows of an older commit, at the sequence of the latest one.
    pub(super) fn of(sequence: u64, stocks: Vec<(StockKey, Stored)>, recent: Recent) -> Self {
        let stocks = stocks.into_iter().map(|(key, stored)| (Arc::new(key), stored)).collect();
        let lagging = Self::none(sequence, recent);
        lagging.lock().stocks = Arc::new(stocks);
        lagging
    }

    fn lock(&self) -> MutexGuard<'_, AsOf> {
        // Nothing that can panic happens under the lock.
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As of the latest commit.
    pub(super) fn get(&self, key: &StockKey) -> Option<Stored> {
        self.lock().get(key)
    }

    pub(super) fn sequence(&self) -> u64 {
        self.lock().sequence
    }

    pub(super) fn latest(&self) -> AsOf {
        self.lock().clone()
    }

    /// Those as of the commit with this sequence; none where it is not the latest published.
    pub(super) fn as_of(&self, sequence: u64) -> Option<AsOf> {
        let latest = self.lock();
        (latest.sequence == sequence).then(|| latest.clone())
    }

    /// After a commit, before anybody is answered.
    pub(super) fn publish(
        &self,
        sequence: u64,
        changes: Vec<Change>,
        due: &[due::Change],
        indexing: Indexing,
    ) {
        let mut latest = self.lock();
        if let Some(recent) = indexing.apply(&latest.recent) {
            latest.recent = Arc::new(recent);
        }
        latest.sequence = sequence;
        latest.due.apply(due);
        // Copied only while a reader holds them.
        let stocks = Arc::make_mut(&mut latest.stocks);
        for change in changes {
            match change {
                Change::Lags(key, stored) => {
                    stocks.insert(key, stored);
                }
                Change::Written(key) => {
                    stocks.remove(&key);
                }
            }
        }
    }

    /// None lags any more, at a sequence at which all rows are current and the sums are these.
    pub(super) fn reset(&self, sequence: u64, due: DueSums, recent: Recent) {
        let mut latest = self.lock();
        self.exact_until.store(due.exact_until(), Ordering::Release);
        *latest = AsOf { sequence, stocks: Arc::default(), due, recent: Arc::new(recent) };
    }

    /// Replaces the sums of due units.
    pub(super) fn publish_due(&self, due: DueSums) {
        self.exact_until.store(due.exact_until(), Ordering::Release);
        self.lock().due = due;
    }

    /// After a step of reading ahead.
    pub(super) fn extend_due(&self, step: &due::Step) {
        let mut latest = self.lock();
        latest.due.extend(step);
        self.exact_until.store(latest.due.exact_until(), Ordering::Release);
    }

    /// Says when the first hold comes due, or an earlier time.
    pub(super) fn note_first_due(&self, at: Timestamp) {
        self.first_due.store(at, Ordering::Release);
    }

    pub(super) fn nothing_due(&self, until: Timestamp) -> bool {
        self.first_due.load(Ordering::Acquire) > until
    }

    pub(super) fn exact_until(&self) -> Timestamp {
        self.exact_until.load(Ordering::Acquire)
    }

    pub(super) fn recent(&self) -> Arc<Recent> {
        Arc::clone(&self.lock().recent)
    }

    fn count(&self) -> usize {
        self.lock().stocks.len()
    }

    /// Up to `limit` of them behind a key, in key order.
    fn behind(&self, key: Option<&StockKey>, limit: usize) -> Vec<(Arc<StockKey>, Stored)> {
        let latest = self.lock();
        let from = key.map_or(Bound::Unbounded, Bound::Excluded);
        let range = latest.stocks.range::<StockKey, _>((from, Bound::Unbounded));
        range.take(limit).map(|(key, stored)| (Arc::clone(key), *stored)).collect()
    }
}

/// Whether the row of a changed stock may lag: `last` is what the last event of the batch about
/// the stock says.
pub(super) fn may_lag(write: &StockWrite<'_>, last: Option<(Timestamp, Level)>) -> bool {
    let (Some(before), Some((at, level)), after) = (write.before, last, write.stock) else {
        return false;
    };
    // From the log alone the row could not be brought up to date otherwise.
    let told = *after == Stock { level, updated_at: at, ..*before };
    told && store::deficit(before) == store::deficit(after)
}

/// Which lagging rows are written next: round and round in key order, a few with each commit,
/// fast enough that none lags too far.
pub(super) struct Rounds {
    bounds: Bounds,
    /// The key that was written last.
    hand: Option<Arc<StockKey>>,
    /// Stocks times events that were not paid for with a written row yet.
    debt: u64,
    /// The end of the log when the round began.
    began_at: u64,
    /// All rows are current up to this sequence, and the database says so.
    current_to: u64,
}

/// What a commit is to write.
pub(super) struct Due {
    pub(super) rows: Vec<(Arc<StockKey>, Stored)>,
    /// Where all rows are current up to a later sequence than before: which.
    pub(super) current_to: Option<u64>,
    /// Where the rounds are once it is committed.
    pub(super) then: Rounds,
}

impl Due {
    /// Whether the row of this stock is among them.
    pub(super) fn includes(&self, key: &StockKey) -> bool {
        self.rows.binary_search_by(|(due, _)| (**due).cmp(key)).is_ok()
    }
}

impl Rounds {
    /// At a sequence at which all rows are current.
    pub(super) fn new(sequence: u64) -> Self {
        Self { bounds: BOUNDS, hand: None, debt: 0, began_at: sequence, current_to: sequence }
    }

    /// What is due with a commit of so many events. A commit without events writes no lagging
    /// row: readers tell commits by their sequence.
    pub(super) fn due(&self, lagging: &Lagging, events: u64) -> Due {
        let end = lagging.sequence();
        let count = lagging.count();
        let mut then = Self { hand: self.hand.clone(), ..*self };
        if count == 0 && end - self.current_to >= self.bounds.events && events > 0 {
            (then.began_at, then.current_to) = (end, end);
            return Due { rows: Vec::new(), current_to: Some(end), then };
        }
        then.debt += events * count as u64;
        let paid = then.debt / self.bounds.events;
        then.debt -= paid * self.bounds.events;
        let spare = if events > 0 { count.saturating_sub(self.bounds.stocks) } else { 0 };
        let quota = usize::try_from(paid).unwrap_or(usize::MAX).max(spare);
        let mut rows = lagging.behind(self.hand.as_deref(), quota);
        let mut current_to = None;
        if rows.len() < quota {
            // The round is complete: what lagged when it began is written. The next one begins.
            current_to = Some(self.began_at);
            then = Self { hand: None, began_at: end, current_to: self.began_at, ..then };
            let mut more = lagging.behind(None, quota - rows.len());
            more.retain(|(key, _)| rows.first().is_none_or(|(first, _)| key < first));
            then.hand = more.last().map(|(key, _)| Arc::clone(key));
            more.append(&mut rows);
            rows = more;
        } else if let Some((key, _)) = rows.last() {
            then.hand = Some(Arc::clone(key));
        }
        Due { rows, current_to, then }
    }
}

/// Says in the database up to where all rows are current.
pub(super) fn note_current(connection: &Connection, sequence: u64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE rows_current_to SET sequence = ?1")?
        .execute([Unsigned(sequence)])
        .map(|_| ())
}

/// The last event about each stock behind the place up to which all rows are current.
const CATCH_UP: &str = "UPDATE stock SET total = event.total, reserved = event.reserved, \
     unattributed = event.unattributed, minimum = event.minimum, version = event.version, \
     updated_at = event.at, event_count = event.ordinal, last_event = event.sequence \
     FROM (SELECT max(sequence) AS last FROM event \
     WHERE sequence > (SELECT sequence FROM rows_current_to) AND stock_id IS NOT NULL \
     GROUP BY stock_id) JOIN event ON event.sequence = last \
     WHERE stock.stock_id = event.stock_id AND stock.event_count < event.ordinal";

/// Whether the database says that all its rows are current.
fn all_current(connection: &Connection) -> rusqlite::Result<bool> {
    let current = "SELECT sequence FROM rows_current_to";
    let current = connection.query_row(current, [], |row| unsigned(row, 0))?;
    Ok(current == events::last_sequence(connection)?)
}

/// Brings all rows up to date from the log, and says where it ends.
pub(super) fn catch_up(connection: &mut Connection) -> rusqlite::Result<u64> {
    let end = events::last_sequence(connection)?;
    if all_current(connection)? {
        return Ok(end);
    }
    let transaction = connection.transaction()?;
    let rows = transaction.execute(CATCH_UP, [])?;
    note_current(&transaction, end)?;
    // The write-ahead log may begin with this transaction.
    mark::renew(&transaction, mark::Alone::NeedsLog)?;
    transaction.commit()?;
    tracing::info!(rows, sequence = end, "stocks brought up to date with the log");
    Ok(end)
}

#[cfg(test)]
#[path = "lagging_tests.rs"]
mod tests;

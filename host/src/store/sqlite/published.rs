//! The overlay: committed state in memory that the rows of the database do not show, or not in the
//! form that readers need. An overlay belongs to one commit. The lane publishes it to its readers.

use super::{
    due::{self, DueChange, DueSums},
    handles::Stored,
    listing::{IndexUpdate, Recent},
};
use crate::model::{StockKey, Timestamp};
use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// A stock whose row lags.
#[derive(Clone, Copy)]
struct LaggingRow {
    stored: Stored,
    /// The last sequence of the commit with which the row began to lag.
    since: u64,
}

type LaggingRows = BTreeMap<Arc<StockKey>, LaggingRow>;

/// The current round of the write-back. A round must write the rows that lagged when it began.
#[derive(Clone, Copy, Default)]
struct Round {
    /// The last sequence of the log when the round began.
    began_at: u64,
    /// The number of rows that the round has not written yet.
    left: usize,
}

/// The state in memory that completes the rows of the database as of one commit: stocks whose rows
/// lag, units that come due, and reservations that no run of the listing index covers yet. A clone
/// is cheap, because clones share their parts.
#[derive(Clone)]
pub(super) struct Overlay {
    sequence: u64,
    stocks: Arc<LaggingRows>,
    round: Round,
    due: DueSums,
    recent: Arc<Recent>,
}

impl Overlay {
    /// The overlay of a commit at which no row lags.
    fn without_lagging(sequence: u64, due: DueSums, recent: Recent) -> Self {
        let round = Round { began_at: sequence, left: 0 };
        Self { sequence, stocks: Arc::default(), round, due, recent: Arc::new(recent) }
    }

    /// The stock with this key; `None` unless its row lags.
    pub(super) fn get(&self, key: &StockKey) -> Option<Stored> {
        self.stocks.get(key).map(|lag| lag.stored)
    }

    /// Replaces those stocks that were read from lagging rows.
    pub(super) fn correct(&self, found: &mut [(StockKey, Stored)]) {
        if self.stocks.is_empty() {
            return;
        }
        for (key, stored) in found {
            if let Some(lags) = self.stocks.get(key) {
                *stored = lags.stored;
            }
        }
    }

    /// The reservations that no run of the listing index covers.
    pub(super) fn recent(&self) -> &Recent {
        &self.recent
    }

    /// The units of a stock that are due by `until`.
    pub(super) fn due_units(&self, stored: &Stored, until: Timestamp) -> u64 {
        self.due.until(stored.handle.stock_id, until)
    }
}

/// The overlay of the latest commit. The lane publishes it, and readers take it.
pub(super) struct Published {
    latest: Mutex<Overlay>,
    /// The time at which the first hold comes due, or an earlier time, in milliseconds since the
    /// epoch.
    first_due: AtomicU64,
    /// The latest time for which sums of due units are exact, in milliseconds since the epoch.
    exact_until: AtomicU64,
}

/// The effect of a commit on the row of a stock.
pub(super) enum RowChange {
    /// The stock changed and its row was not written: the row lags from this commit on.
    Lags(Arc<StockKey>, Stored),
    /// The row was written and is current.
    Written(Arc<StockKey>),
}

impl Published {
    /// The state of a database in which all rows are current up to the end of the log, `sequence`.
    pub(super) fn all_current(sequence: u64, recent: Recent) -> Self {
        Self {
            latest: Mutex::new(Overlay::without_lagging(sequence, DueSums::default(), recent)),
            first_due: AtomicU64::new(0),
            exact_until: AtomicU64::new(0),
        }
    }

    /// The state of a database in which the rows of these stocks lag. `sequence` is the end of the
    /// log.
    pub(super) fn with_lagging(
        sequence: u64,
        stocks: Vec<(StockKey, Stored)>,
        recent: Recent,
    ) -> Self {
        let lags = |(key, stored)| (Arc::new(key), LaggingRow { stored, since: sequence });
        let stocks = stocks.into_iter().map(lags).collect();
        let published = Self::all_current(sequence, recent);
        let mut latest = published.lock();
        latest.stocks = Arc::new(stocks);
        latest.round.left = latest.stocks.len();
        drop(latest);
        published
    }

    fn lock(&self) -> MutexGuard<'_, Overlay> {
        // Nothing that can panic happens under the lock.
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stock with this key as of the latest commit; `None` unless its row lags.
    pub(super) fn get(&self, key: &StockKey) -> Option<Stored> {
        self.lock().get(key)
    }

    /// The sequence of the last event of the latest commit.
    pub(super) fn sequence(&self) -> u64 {
        self.lock().sequence
    }

    /// The overlay of the latest commit.
    pub(super) fn latest(&self) -> Overlay {
        self.lock().clone()
    }

    /// The overlay of the commit whose last sequence is `sequence`; `None` where another commit was
    /// published last.
    pub(super) fn as_of(&self, sequence: u64) -> Option<Overlay> {
        let latest = self.lock();
        (latest.sequence == sequence).then(|| latest.clone())
    }

    /// Publishes a commit. The lane calls it before any request of the batch is answered.
    pub(super) fn publish(
        &self,
        sequence: u64,
        changes: Vec<RowChange>,
        due: &[DueChange],
        index_update: IndexUpdate,
    ) {
        let mut latest = self.lock();
        if let Some(recent) = index_update.apply(&latest.recent) {
            latest.recent = Arc::new(recent);
        }
        latest.sequence = sequence;
        latest.due.apply(due);
        // The map is copied only while a reader has a clone of the overlay.
        let Overlay { stocks, round, .. } = &mut *latest;
        let stocks = Arc::make_mut(stocks);
        for change in changes {
            match change {
                RowChange::Lags(key, stored) => {
                    let lag = stocks.entry(key).or_insert(LaggingRow { stored, since: sequence });
                    lag.stored = stored;
                }
                RowChange::Written(key) => {
                    let written = stocks.remove(&key);
                    let of_round = written.is_some_and(|lag| lag.since <= round.began_at);
                    round.left = round.left.saturating_sub(usize::from(of_round));
                }
            }
        }
    }

    /// Replaces the overlay after a recovery: all rows are current up to `sequence`.
    pub(super) fn reset(&self, sequence: u64, due: DueSums, recent: Recent) {
        let mut latest = self.lock();
        self.exact_until.store(due.exact_until(), Ordering::Release);
        *latest = Overlay::without_lagging(sequence, due, recent);
    }

    /// Replaces the sums of due units.
    pub(super) fn publish_due(&self, due: DueSums) {
        self.exact_until.store(due.exact_until(), Ordering::Release);
        self.lock().due = due;
    }

    /// Adds the result of a step of reading ahead.
    pub(super) fn extend_due(&self, step: &due::ReadAheadStep) {
        let mut latest = self.lock();
        latest.due.extend(step);
        self.exact_until.store(latest.due.exact_until(), Ordering::Release);
    }

    /// Sets the time at which the first hold comes due. An earlier time is allowed.
    pub(super) fn set_first_due(&self, at: Timestamp) {
        self.first_due.store(at, Ordering::Release);
    }

    /// The time at which the first hold comes due, or an earlier time; `None` when no hold can come
    /// due.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let at = self.first_due.load(Ordering::Acquire);
        (at < Timestamp::MAX).then_some(at)
    }

    /// Whether no hold at all is due by `until`.
    pub(super) fn nothing_due(&self, until: Timestamp) -> bool {
        self.first_due.load(Ordering::Acquire) > until
    }

    /// The latest time for which the sums of due units are exact.
    pub(super) fn exact_until(&self) -> Timestamp {
        self.exact_until.load(Ordering::Acquire)
    }

    /// The reservations that no run of the listing index covers.
    pub(super) fn recent(&self) -> Arc<Recent> {
        Arc::clone(&self.lock().recent)
    }

    /// Sets the current round of the write-back, which began at the sequence `began_at`. Call it
    /// before a commit is published: if a round begins with that commit, all rows that lag before
    /// the commit belong to the round.
    pub(super) fn begin_round(&self, began_at: u64) {
        let mut latest = self.lock();
        if latest.round.began_at != began_at {
            latest.round = Round { began_at, left: latest.stocks.len() };
        }
    }

    /// The number of rows that lag, and the number of those that the current round must write.
    pub(super) fn lagging_counts(&self) -> (usize, usize) {
        let latest = self.lock();
        (latest.stocks.len(), latest.round.left)
    }

    /// Up to `limit` lagging rows after `key`, in key order, of those that began to lag at the
    /// sequence `since` or before.
    pub(super) fn lagging_after(
        &self,
        key: Option<&StockKey>,
        since: u64,
        limit: usize,
    ) -> Vec<(Arc<StockKey>, Stored)> {
        if limit == 0 {
            return Vec::new();
        }
        let latest = self.lock();
        let from = key.map_or(Bound::Unbounded, Bound::Excluded);
        let range = latest.stocks.range::<StockKey, _>((from, Bound::Unbounded));
        let old = range.filter(|(_, lag)| lag.since <= since);
        old.take(limit).map(|(key, lag)| (Arc::clone(key), lag.stored)).collect()
    }
}

//! What is committed and not in the database, or not yet in the form that readers need: shared by
//! the lane and its readers, as of one commit.

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
    /// The end of the log as of the commit with which the row began to lag.
    since: u64,
}

type LaggingRows = BTreeMap<Arc<StockKey>, LaggingRow>;

/// The round that is under way; it has to write the rows that lagged when it began.
#[derive(Clone, Copy, Default)]
struct Round {
    /// The end of the log when the round began.
    began_at: u64,
    /// How many of the rows that it has to write still lag.
    left: usize,
}

/// LaggingRows whose rows lag, units that come due, and reservations that no run of the index for lists
/// covers yet, as of one commit. A clone costs little: its parts are shared.
#[derive(Clone)]
pub(super) struct Overlay {
    sequence: u64,
    stocks: Arc<LaggingRows>,
    round: Round,
    due: DueSums,
    recent: Arc<Recent>,
}

impl Overlay {
    fn none(sequence: u64, due: DueSums, recent: Recent) -> Self {
        let round = Round { began_at: sequence, left: 0 };
        Self { sequence, stocks: Arc::default(), round, due, recent: Arc::new(recent) }
    }

    /// The stock of this key, where its row lags.
    pub(super) fn get(&self, key: &StockKey) -> Option<Stored> {
        self.stocks.get(key).map(|lag| lag.stored)
    }

    /// Replaces each stock that was found in a row that lags.
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

    /// Reservations that no run of the index for lists covers.
    pub(super) fn recent(&self) -> &Recent {
        &self.recent
    }

    /// Units of a stock that are due by `until`.
    pub(super) fn due_units(&self, stored: &Stored, until: Timestamp) -> u64 {
        self.due.until(stored.handle.stock_id, until)
    }
}

/// The state of [`Overlay`] as of the latest commit, shared by the lane and its readers.
pub(super) struct Published {
    latest: Mutex<Overlay>,
    /// Time at which the first hold comes due, or an earlier time, in milliseconds since the epoch.
    first_due: AtomicU64,
    /// The latest time for which sums of due units are exact.
    exact_until: AtomicU64,
}

/// What a commit did to a stock.
pub(super) enum RowChange {
    /// Its row was not written, and lags from now on.
    Lags(Arc<StockKey>, Stored),
    /// Its row was written.
    Written(Arc<StockKey>),
}

impl Published {
    /// The state at a sequence at which all rows are current: no row lags.
    pub(super) fn all_current(sequence: u64, recent: Recent) -> Self {
        Self {
            latest: Mutex::new(Overlay::none(sequence, DueSums::default(), recent)),
            first_due: AtomicU64::new(0),
            exact_until: AtomicU64::new(0),
        }
    }

    /// The state at the sequence of the latest commit, where the rows of these stocks lag.
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

    /// The stock of this key as of the latest commit, where its row lags.
    pub(super) fn get(&self, key: &StockKey) -> Option<Stored> {
        self.lock().get(key)
    }

    /// The sequence of the last event of the latest commit.
    pub(super) fn sequence(&self) -> u64 {
        self.lock().sequence
    }

    /// The state as of the latest commit.
    pub(super) fn latest(&self) -> Overlay {
        self.lock().clone()
    }

    /// The state as of the commit that ended at this sequence; `None` where another commit is the
    /// latest that was published.
    pub(super) fn as_of(&self, sequence: u64) -> Option<Overlay> {
        let latest = self.lock();
        (latest.sequence == sequence).then(|| latest.clone())
    }

    /// Publishes a commit, before anybody is answered.
    pub(super) fn publish(
        &self,
        sequence: u64,
        changes: Vec<RowChange>,
        due: &[DueChange],
        indexing: IndexUpdate,
    ) {
        let mut latest = self.lock();
        if let Some(recent) = indexing.apply(&latest.recent) {
            latest.recent = Arc::new(recent);
        }
        latest.sequence = sequence;
        latest.due.apply(due);
        // The map is copied only while a reader holds it.
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

    /// Replaces everything, at a sequence at which all rows are current.
    pub(super) fn reset(&self, sequence: u64, due: DueSums, recent: Recent) {
        let mut latest = self.lock();
        self.exact_until.store(due.exact_until(), Ordering::Release);
        *latest = Overlay::none(sequence, due, recent);
    }

    /// Replaces the sums of due units.
    pub(super) fn publish_due(&self, due: DueSums) {
        self.exact_until.store(due.exact_until(), Ordering::Release);
        self.lock().due = due;
    }

    /// Publishes a step of reading ahead.
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

    /// Says which round is under way, by the end of the log when it began. Called before a commit
    /// is published: where a round begins with that commit, all rows that lag belong to it.
    pub(super) fn begin_round(&self, began_at: u64) {
        let mut latest = self.lock();
        if latest.round.began_at != began_at {
            latest.round = Round { began_at, left: latest.stocks.len() };
        }
    }

    /// How many rows lag, and how many of them the round has to write.
    pub(super) fn lagging_counts(&self) -> (usize, usize) {
        let latest = self.lock();
        (latest.stocks.len(), latest.round.left)
    }

    /// Up to `limit` rows behind a key that began to lag no later than at `since`, in key order.
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

//! A bounded cache of committed stocks in front of any store: most reads concern few
//! stocks, and even a page that SQLite has in memory costs more than the rest of the query.

use super::{
    Ahead, Answered, Batch, Handle, Lane, LargeAnswers, LogEnd, RequestKey, ReservationHandle,
    Snapshot, Stored, StoredReservation,
};
use crate::model::{
    DeficitScan, Installed, Map, Patience, ReservationPage, ReservationScan, Stock, StockKey,
    StockScan, StoreFailure, Timestamp,
};
use std::{
    hash::BuildHasher,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Readers of different stocks seldom meet.
const SHARDS: usize = 16;

/// Stocks per shard; a full shard is emptied. 32,768 in all, a few hundred bytes each.
const STOCKS_PER_SHARD_MAX: usize = 2_048;

/// Committed stocks, shared by the lane that changes them and the snapshots that read them.
#[derive(Default)]
pub struct Cache {
    shards: [Mutex<Shard>; SHARDS],
    hasher: foldhash::fast::RandomState,
}

#[derive(Default)]
struct Shard {
    stocks: Map<StockKey, Stored>,
    /// Counts the commits that concerned this shard: what a reader fetched before one of
    /// them may be outdated and must not be kept.
    commits: u64,
}

impl Cache {
    fn shard(&self, key: &StockKey) -> Option<MutexGuard<'_, Shard>> {
        let hash = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).ok()?;
        // Nothing that can panic happens under the lock.
        self.shards.get(hash).map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The stock, from the cache or else from the store.
    fn get(
        &self,
        key: &StockKey,
        fetch: impl FnOnce() -> Result<Option<Stored>, StoreFailure>,
    ) -> Result<Option<Stored>, StoreFailure> {
        let Some(shard) = self.shard(key) else { return fetch() };
        if let Some(stored) = shard.stocks.get(key) {
            return Ok(Some(*stored));
        }
        let commits = shard.commits;
        drop(shard);
        let fetched = fetch()?;
        if let (Some(stored), Some(mut shard)) = (fetched, self.shard(key))
            && shard.commits == commits
        {
            shard.keep(key, stored);
        }
        Ok(fetched)
    }

    /// Drops everything, also what a reader is fetching at the moment.
    fn forget(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.commits += 1;
            shard.stocks.clear();
        }
    }

    /// A stock as of the commit that was just made.
    fn committed(&self, key: &StockKey, handle: Handle, stock: Stock) {
        let Some(mut shard) = self.shard(key) else { return };
        shard.commits += 1;
        if let Some(stored) = shard.stocks.get_mut(key) {
            *stored = Stored { handle, stock };
        }
    }
}

impl Shard {
    fn keep(&mut self, key: &StockKey, stored: Stored) {
        if self.stocks.len() >= STOCKS_PER_SHARD_MAX {
            self.stocks.clear();
        }
        self.stocks.insert(key.clone(), stored);
    }
}

/// A snapshot that asks the cache first, unless it is to see one certain commit.
pub struct CachedSnapshot<S> {
    inner: S,
    cache: Arc<Cache>,
    bound: bool,
}

impl<S: Snapshot> CachedSnapshot<S> {
    /// A snapshot behind the cache.
    pub fn new(inner: S, cache: Arc<Cache>) -> Self {
        Self { inner, cache, bound: false }
    }
}

impl<S: Snapshot> Snapshot for CachedSnapshot<S> {
    fn begin(&mut self) -> Result<(), StoreFailure> {
        self.inner.begin()?;
        self.bound = true;
        Ok(())
    }

    fn end(&mut self) {
        self.bound = false;
        self.inner.end();
    }

    fn limit(&mut self, patience: Option<&Patience>) {
        self.inner.limit(patience);
    }

    fn stock(&mut self, key: &StockKey) -> Result<Option<Stored>, StoreFailure> {
        if self.bound {
            return self.inner.stock(key);
        }
        self.cache.get(key, || self.inner.stock(key))
    }

    fn scan_stocks(&mut self, scan: &StockScan) -> Result<Vec<(StockKey, Stored)>, StoreFailure> {
        self.inner.scan_stocks(scan)
    }

    fn scan_deficits(
        &mut self,
        scan: &DeficitScan,
    ) -> Result<Vec<(StockKey, Stored)>, StoreFailure> {
        self.inner.scan_deficits(scan)
    }

    fn reservation(&mut self, id: &str) -> Result<Option<StoredReservation>, StoreFailure> {
        self.inner.reservation(id)
    }

    fn nothing_due(&self, until: Timestamp) -> bool {
        self.inner.nothing_due(until)
    }

    fn due_units(&self, key: &StockKey, stored: &Stored, until: Timestamp) -> u64 {
        self.inner.due_units(key, stored, until)
    }

    fn exact_until(&self) -> Timestamp {
        self.inner.exact_until()
    }

    fn scan_reservations(
        &mut self,
        scan: &ReservationScan,
    ) -> Result<ReservationPage, StoreFailure> {
        self.inner.scan_reservations(scan)
    }
}

/// A lane that tells the cache what it has committed, before anybody is answered.
pub struct CachedLane<L> {
    inner: L,
    cache: Arc<Cache>,
}

impl<L: Lane> CachedLane<L> {
    /// A lane in front of the cache.
    pub fn new(inner: L, cache: Arc<Cache>) -> Self {
        Self { inner, cache }
    }
}

impl<L: Lane> Snapshot for CachedLane<L> {
    fn begin(&mut self) -> Result<(), StoreFailure> {
        self.inner.begin()
    }

    fn end(&mut self) {
        self.inner.end();
    }

    fn stock(&mut self, key: &StockKey) -> Result<Option<Stored>, StoreFailure> {
        self.cache.get(key, || self.inner.stock(key))
    }

    fn scan_stocks(&mut self, scan: &StockScan) -> Result<Vec<(StockKey, Stored)>, StoreFailure> {
        self.inner.scan_stocks(scan)
    }

    fn scan_deficits(
        &mut self,
        scan: &DeficitScan,
    ) -> Result<Vec<(StockKey, Stored)>, StoreFailure> {
        self.inner.scan_deficits(scan)
    }

    fn reservation(&mut self, id: &str) -> Result<Option<StoredReservation>, StoreFailure> {
        self.inner.reservation(id)
    }

    fn nothing_due(&self, until: Timestamp) -> bool {
        self.inner.nothing_due(until)
    }

    fn due_units(&self, key: &StockKey, stored: &Stored, until: Timestamp) -> u64 {
        self.inner.due_units(key, stored, until)
    }

    fn exact_until(&self) -> Timestamp {
        self.inner.exact_until()
    }

    fn scan_reservations(
        &mut self,
        scan: &ReservationScan,
    ) -> Result<ReservationPage, StoreFailure> {
        self.inner.scan_reservations(scan)
    }
}

impl<L: Lane> Lane for CachedLane<L> {
    fn begin_batch(&mut self) -> Result<(), StoreFailure> {
        self.inner.begin_batch()
    }

    fn first_due(&mut self, limit: u32) -> Result<Vec<(String, Timestamp)>, StoreFailure> {
        self.inner.first_due(limit)
    }

    fn due_on(
        &mut self,
        key: &StockKey,
        handle: &Handle,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<String>, StoreFailure> {
        self.inner.due_on(key, handle, until, limit)
    }

    fn look_ahead(&mut self, now: Timestamp) -> Result<Ahead, StoreFailure> {
        self.inner.look_ahead(now)
    }

    fn log_end(&mut self) -> Result<LogEnd, StoreFailure> {
        self.inner.log_end()
    }

    fn installed(&mut self) -> Result<Option<Installed>, StoreFailure> {
        self.inner.installed()
    }

    fn commit(&mut self, batch: Batch<'_, '_>) -> Result<Vec<ReservationHandle>, StoreFailure> {
        let Batch { stocks, .. } = batch;
        let handles = self.inner.commit(Batch { stocks: &mut *stocks, ..batch })?;
        for write in stocks {
            if let Some(handle) = *write.handle {
                self.cache.committed(write.key, handle, *write.stock);
            }
        }
        Ok(handles)
    }

    fn answered(
        &mut self,
        key: &RequestKey,
        since: Timestamp,
    ) -> Result<Option<Answered>, StoreFailure> {
        self.inner.answered(key, since)
    }

    fn forget_answers(&mut self, before: Timestamp, limit: u32) -> Result<bool, StoreFailure> {
        self.inner.forget_answers(before, limit)
    }

    fn large_answers(&self) -> LargeAnswers {
        self.inner.large_answers()
    }

    fn writable(&self) -> bool {
        self.inner.writable()
    }

    fn recover(&mut self) -> Result<(), StoreFailure> {
        self.inner.recover()?;
        // The store may know of a commit that was taken for failed.
        self.cache.forget();
        Ok(())
    }

    fn close(&mut self) -> Result<(), StoreFailure> {
        self.inner.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Level;

    fn key(product: &str) -> StockKey {
        StockKey::parse(product.to_owned(), "default".to_owned()).unwrap()
    }

    fn stored(version: u64) -> Stored {
        let level = Level { total: 9, reserved: 0, unattributed: 0, minimum: 0, version };
        let stock = Stock { level, due: 0, created_at: 1, updated_at: 1 };
        Stored { handle: Handle { stock_id: 1, event_count: version, last_event: 1 }, stock }
    }

    /// The version that a read answers, and whether it had to ask the store.
    fn read(cache: &Cache, product: &str, in_store: u64) -> (u64, bool) {
        let mut asked = false;
        let found = cache.get(&key(product), || {
            asked = true;
            Ok(Some(stored(in_store)))
        });
        (found.unwrap().unwrap().stock.level.version, asked)
    }

    fn commit(cache: &Cache, product: &str, version: u64) {
        let Stored { handle, stock } = stored(version);
        cache.committed(&key(product), handle, stock);
    }

    #[test]
    fn a_second_read_does_not_ask_the_store() {
        let cache = Cache::default();
        assert_eq!(read(&cache, "a", 1), (1, true));
        assert_eq!(read(&cache, "a", 99), (1, false));
    }

    #[test]
    fn a_commit_is_seen_by_the_next_read() {
        let cache = Cache::default();
        read(&cache, "a", 1);
        commit(&cache, "a", 2);
        assert_eq!(read(&cache, "a", 99), (2, false));
    }

    #[test]
    fn what_was_fetched_before_a_commit_is_not_kept_after_it() {
        let cache = Cache::default();
        let slow = cache.get(&key("a"), || {
            commit(&cache, "a", 2);
            Ok(Some(stored(1)))
        });
        assert_eq!(slow.unwrap().unwrap().stock.level.version, 1, "as of its own time");
        assert_eq!(read(&cache, "a", 2), (2, true), "but nobody after it sees that");
    }

    #[test]
    fn after_a_recovery_the_store_is_asked_again() {
        let cache = Cache::default();
        read(&cache, "a", 1);
        cache.forget();
        assert_eq!(read(&cache, "a", 2), (2, true));
    }

    #[test]
    fn what_does_not_exist_is_asked_for_each_time() {
        let cache = Cache::default();
        assert!(cache.get(&key("a"), || Ok(None)).unwrap().is_none());
        assert_eq!(read(&cache, "a", 1), (1, true));
    }

    #[test]
    fn its_size_is_bounded() {
        let cache = Cache::default();
        for i in 0..3 * SHARDS * STOCKS_PER_SHARD_MAX {
            read(&cache, &format!("p{i}"), 1);
        }
        let sizes = cache.shards.iter().map(|shard| shard.lock().unwrap().stocks.len());
        assert!(sizes.sum::<usize>() <= SHARDS * STOCKS_PER_SHARD_MAX);
    }
}

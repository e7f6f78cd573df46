//! A bounded cache of committed stocks in front of any store: most reads concern few
//! stocks, and even a page that the database has in memory costs more than the rest of the query.
//!
//! The rule of the cache: a stock is visible in it only once it is committed, and a value that a
//! reader fetched before a commit is not kept after it. The second half is a check of a count of
//! commits and an insertion under one lock. Cache libraries (quick_cache, moka) offer an insertion
//! that waits for a missing value, and none that depends on a count of the caller: their use would
//! need the same shards, locks and counts around it, and would replace only the eviction.

use super::{
    Batch, BatchKeys, CommitError, Committed, Decidable, FoundStocks, Handle, IdempotencyKey,
    IdempotencyRecord, Lane, LargeRecords, LogEnd, LookAhead, Read, Snapshot, Stored,
    StoredReservation,
};
use crate::model::{
    DeficitScan, Installed, Map, QueryDeadline, ReservationPage, ReservationScan, Stock, StockKey,
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
pub struct Cache<H> {
    shards: [Mutex<Shard<H>>; SHARDS],
    hasher: foldhash::fast::RandomState,
}

impl<H> Default for Cache<H> {
    fn default() -> Self {
        Self { shards: Default::default(), hasher: foldhash::fast::RandomState::default() }
    }
}

struct Shard<H> {
    stocks: Map<StockKey, Stored<H>>,
    /// Counts the commits that concerned this shard: what a reader fetched before one of
    /// them may be outdated and must not be kept.
    commits: u64,
}

impl<H> Default for Shard<H> {
    fn default() -> Self {
        Self { stocks: Map::default(), commits: 0 }
    }
}

impl<H: Handle> Cache<H> {
    fn shard(&self, key: &StockKey) -> Option<MutexGuard<'_, Shard<H>>> {
        let hash = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).ok()?;
        // Nothing that can panic happens under the lock.
        self.shards.get(hash).map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The stock, from the cache or else from the store.
    fn get(
        &self,
        key: &StockKey,
        fetch: impl FnOnce() -> Result<Option<Stored<H>>, StoreFailure>,
    ) -> Result<Option<Stored<H>>, StoreFailure> {
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
    fn committed(&self, key: &StockKey, handle: H, stock: Stock) {
        let Some(mut shard) = self.shard(key) else { return };
        shard.commits += 1;
        if let Some(stored) = shard.stocks.get_mut(key) {
            *stored = Stored { handle, stock };
        }
    }
}

impl<H: Handle> Shard<H> {
    fn keep(&mut self, key: &StockKey, stored: Stored<H>) {
        if self.stocks.len() >= STOCKS_PER_SHARD_MAX {
            self.stocks.clear();
        }
        self.stocks.insert(key.clone(), stored);
    }
}

/// A reader or writer that asks the cache for stocks first. A lane tells the cache what it has
/// committed, before anybody is answered. A snapshot that is to see one certain commit passes the
/// cache by.
pub struct Cached<R: Read> {
    inner: R,
    cache: Arc<Cache<R::StockHandle>>,
    /// Whether a snapshot is to see one certain commit.
    bound: bool,
}

impl<R: Read> Cached<R> {
    /// A reader or writer in front of which there is a cache.
    pub fn new(inner: R, cache: Arc<Cache<R::StockHandle>>) -> Self {
        Self { inner, cache, bound: false }
    }
}

impl<R: Read> Read for Cached<R> {
    type StockHandle = R::StockHandle;
    type ReservationHandle = R::ReservationHandle;

    fn stock(&mut self, key: &StockKey) -> Result<Option<Stored<Self::StockHandle>>, StoreFailure> {
        if self.bound {
            return self.inner.stock(key);
        }
        self.cache.get(key, || self.inner.stock(key))
    }

    fn scan_stocks(
        &mut self,
        scan: &StockScan,
    ) -> Result<FoundStocks<Self::StockHandle>, StoreFailure> {
        self.inner.scan_stocks(scan)
    }

    fn scan_deficits(
        &mut self,
        scan: &DeficitScan,
    ) -> Result<FoundStocks<Self::StockHandle>, StoreFailure> {
        self.inner.scan_deficits(scan)
    }

    fn reservation(
        &mut self,
        id: &str,
    ) -> Result<Option<StoredReservation<Self::ReservationHandle>>, StoreFailure> {
        self.inner.reservation(id)
    }

    fn scan_reservations(
        &mut self,
        scan: &ReservationScan,
    ) -> Result<ReservationPage, StoreFailure> {
        self.inner.scan_reservations(scan)
    }
}

impl<S: Snapshot> Snapshot for Cached<S> {
    fn begin(&mut self) -> Result<(), StoreFailure> {
        self.inner.begin()?;
        self.bound = true;
        Ok(())
    }

    fn end(&mut self) {
        self.bound = false;
        self.inner.end();
    }

    fn limit(&mut self, deadline: Option<&QueryDeadline>) {
        self.inner.limit(deadline);
    }

    fn nothing_due(&self, until: Timestamp) -> bool {
        self.inner.nothing_due(until)
    }

    fn due_units(
        &self,
        key: &StockKey,
        stored: &Stored<Self::StockHandle>,
        until: Timestamp,
    ) -> u64 {
        self.inner.due_units(key, stored, until)
    }

    fn exact_until(&self) -> Timestamp {
        self.inner.exact_until()
    }
}

impl<D: Decidable> Decidable for Cached<D> {
    fn first_due(&mut self, limit: u32) -> Result<Vec<(String, Timestamp)>, StoreFailure> {
        self.inner.first_due(limit)
    }

    fn due_on(
        &mut self,
        key: &StockKey,
        handle: &Self::StockHandle,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<String>, StoreFailure> {
        self.inner.due_on(key, handle, until, limit)
    }
}

impl<L: Lane> Lane for Cached<L> {
    fn begin_batch(&mut self, keys: &BatchKeys<'_>) -> Result<(), StoreFailure> {
        self.inner.begin_batch(keys)
    }

    fn look_ahead(&mut self, now: Timestamp) -> Result<LookAhead, StoreFailure> {
        self.inner.look_ahead(now)
    }

    fn log_end(&mut self) -> Result<LogEnd, StoreFailure> {
        self.inner.log_end()
    }

    fn installed(&mut self) -> Result<Option<Installed>, StoreFailure> {
        self.inner.installed()
    }

    fn commit(
        &mut self,
        batch: Batch<'_, '_, Self>,
    ) -> Result<Committed<Self::ReservationHandle>, CommitError> {
        let Batch {
            stocks,
            reservations,
            log,
            idempotency_records,
            idempotency_bounds,
            installed,
            recorded,
            recorded_max,
            now,
        } = batch;
        let committed = self.inner.commit(Batch {
            stocks: &mut *stocks,
            reservations,
            log,
            idempotency_records,
            idempotency_bounds,
            installed,
            recorded,
            recorded_max,
            now,
        });
        if matches!(committed, Err(CommitError::Conflict)) {
            // Another writer has changed stocks, and the cache does not know which.
            self.cache.forget();
        }
        let committed = committed?;
        for write in stocks {
            if let Some(handle) = *write.handle {
                self.cache.committed(write.key, handle, *write.stock);
            }
        }
        Ok(committed)
    }

    fn idempotency_record(
        &mut self,
        key: &IdempotencyKey,
        since: Timestamp,
    ) -> Result<Option<IdempotencyRecord>, StoreFailure> {
        self.inner.idempotency_record(key, since)
    }

    fn delete_idempotency_records(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<bool, StoreFailure> {
        self.inner.delete_idempotency_records(before, limit)
    }

    fn large_records(&self) -> LargeRecords {
        self.inner.large_records()
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
#[path = "cached_tests.rs"]
mod tests;

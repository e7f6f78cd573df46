//! A bounded cache of committed stocks in front of any store. Most reads concern few stocks, and
//! reading a page that the database has in memory costs more than the rest of the query.
//!
//! The cache has two rules: it shows a stock only once it is committed, and it does not keep a
//! value that a reader fetched before a commit of the same shard. For the second rule, an insertion
//! compares a count of commits under the lock of the shard. Cache libraries (quick_cache, moka) can
//! make readers wait for a missing value, but have no insertion that depends on such a count. With
//! one of them the shards, locks and counts would still be needed; it would replace only the
//! eviction.

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

/// The number of shards, each with a lock of its own, so that reads of different stocks seldom
/// wait for each other.
const SHARDS: usize = 16;

/// The most stocks of a shard; a full shard is emptied. All shards together have at most 32,768
/// stocks, a few hundred bytes each.
const STOCKS_PER_SHARD_MAX: usize = 2_048;

/// Committed stocks, shared by the lane and the snapshots of a store.
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
    /// The number of commits that changed a stock of this shard. A value that was fetched before
    /// one of them may be outdated and must not be inserted.
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

    /// The stock from the cache or, where the cache lacks it, from the store.
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
            shard.insert(key, stored);
        }
        Ok(fetched)
    }

    /// Empties the cache. Values that readers are fetching at the moment will not be inserted.
    fn forget(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.commits += 1;
            shard.stocks.clear();
        }
    }

    /// Notes a stock that was just committed: updates its cached value, if there is one.
    fn committed(&self, key: &StockKey, handle: H, stock: Stock) {
        let Some(mut shard) = self.shard(key) else { return };
        shard.commits += 1;
        if let Some(stored) = shard.stocks.get_mut(key) {
            *stored = Stored { handle, stock };
        }
    }
}

impl<H: Handle> Shard<H> {
    fn insert(&mut self, key: &StockKey, stored: Stored<H>) {
        if self.stocks.len() >= STOCKS_PER_SHARD_MAX {
            self.stocks.clear();
        }
        self.stocks.insert(key.clone(), stored);
    }
}

/// A reader or writer with a cache of stocks in front. A lane updates the cache with each commit,
/// before any request of the batch is answered. A pinned snapshot bypasses the cache, which holds
/// the values of the latest commit only.
pub struct Cached<R: Read> {
    inner: R,
    cache: Arc<Cache<R::StockHandle>>,
    /// Whether the snapshot is pinned to a commit; always false for a lane.
    pinned: bool,
}

impl<R: Read> Cached<R> {
    /// Puts a cache in front of a reader or writer.
    pub fn new(inner: R, cache: Arc<Cache<R::StockHandle>>) -> Self {
        Self { inner, cache, pinned: false }
    }
}

impl<R: Read> Read for Cached<R> {
    type StockHandle = R::StockHandle;
    type ReservationHandle = R::ReservationHandle;

    fn stock(&mut self, key: &StockKey) -> Result<Option<Stored<Self::StockHandle>>, StoreFailure> {
        if self.pinned {
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
        self.pinned = true;
        Ok(())
    }

    fn end(&mut self) {
        self.pinned = false;
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

    fn next_due(&self) -> Option<Timestamp> {
        self.inner.next_due()
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
        // A commit that was reported as failed may have lasted.
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

use super::*;
use crate::model::Level;

fn key(product: &str) -> StockKey {
    StockKey::parse(product.to_owned(), "default".to_owned()).unwrap()
}

fn stored(version: u64) -> Stored<u64> {
    let level = Level { total: 9, reserved: 0, unattributed: 0, minimum: 0, version };
    let stock = Stock { level, due: 0, created_at: 1, updated_at: 1 };
    Stored { handle: version, stock }
}

/// The version that a read returns, and whether it had to ask the store.
fn read(cache: &Cache<u64>, product: &str, in_store: u64) -> (u64, bool) {
    let mut asked = false;
    let found = cache.get(&key(product), || {
        asked = true;
        Ok(Some(stored(in_store)))
    });
    (found.unwrap().unwrap().stock.level.version, asked)
}

fn commit(cache: &Cache<u64>, product: &str, version: u64) {
    let Stored { handle, stock } = stored(version);
    cache.committed(&key(product), handle, stock);
}

#[test]
fn a_second_read_does_not_ask_the_store() {
    let cache = Cache::<u64>::default();
    assert_eq!(read(&cache, "a", 1), (1, true));
    assert_eq!(read(&cache, "a", 99), (1, false));
}

#[test]
fn a_commit_is_seen_by_the_next_read() {
    let cache = Cache::<u64>::default();
    read(&cache, "a", 1);
    commit(&cache, "a", 2);
    assert_eq!(read(&cache, "a", 99), (2, false));
}

#[test]
fn a_value_fetched_before_a_commit_is_not_kept_after_it() {
    let cache = Cache::<u64>::default();
    let slow = cache.get(&key("a"), || {
        commit(&cache, "a", 2);
        Ok(Some(stored(1)))
    });
    assert_eq!(slow.unwrap().unwrap().stock.level.version, 1, "the slow reader gets its value");
    assert_eq!(read(&cache, "a", 2), (2, true), "no later reader gets the old value");
}

#[test]
fn after_a_recovery_the_store_is_asked_again() {
    let cache = Cache::<u64>::default();
    read(&cache, "a", 1);
    cache.forget();
    assert_eq!(read(&cache, "a", 2), (2, true));
}

#[test]
fn a_stock_that_does_not_exist_is_not_cached() {
    let cache = Cache::<u64>::default();
    assert!(cache.get(&key("a"), || Ok(None)).unwrap().is_none());
    assert_eq!(read(&cache, "a", 1), (1, true));
}

#[test]
fn the_size_of_the_cache_is_bounded() {
    let cache = Cache::<u64>::default();
    for i in 0..3 * SHARDS * STOCKS_PER_SHARD_MAX {
        read(&cache, &format!("p{i}"), 1);
    }
    let sizes = cache.shards.iter().map(|shard| shard.lock().unwrap().stocks.len());
    assert!(sizes.sum::<usize>() <= SHARDS * STOCKS_PER_SHARD_MAX);
}

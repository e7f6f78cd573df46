//! The filters and the order of scans, evaluated in memory for stocks that are not stored yet.

use crate::model::{DeficitScan, Stock, StockKey, StockScan};
use std::cmp::Reverse;

/// Whether a stock matches a scan by key. The conditions are those that a store evaluates in its
/// query language.
#[must_use]
pub(crate) fn scan_matches(scan: &StockScan, key: &StockKey, stock: &Stock) -> bool {
    let StockScan { location_id, product_prefix, below_minimum, after, .. } = scan;
    location_id.as_deref().is_none_or(|id| id == key.location_id.as_str())
        && product_prefix
            .as_deref()
            .is_none_or(|prefix| key.product_id.as_str().starts_with(prefix))
        && (!below_minimum || deficit(stock) > 0)
        && after.as_ref().is_none_or(|after| key > after)
}

/// Whether a stock matches a scan by deficit.
#[must_use]
pub(crate) fn deficit_scan_matches(scan: &DeficitScan, key: &StockKey, stock: &Stock) -> bool {
    let DeficitScan { location_id, after, .. } = scan;
    location_id.as_deref().is_none_or(|id| id == key.location_id.as_str())
        && deficit(stock) > 0
        && after.as_ref().is_none_or(|after| {
            deficit_order(deficit(stock), key) > deficit_order(after.deficit, &after.key)
        })
}

/// The sort key of a scan by deficit: the largest deficit first, then by key.
#[must_use]
pub(crate) fn deficit_order(deficit: u64, key: &StockKey) -> (Reverse<u64>, &StockKey) {
    (Reverse(deficit), key)
}

/// The units by which a stock is below its minimum, as the contract's `storage` defines the
/// deficit.
#[must_use]
pub(crate) fn deficit(stock: &Stock) -> u64 {
    let level = stock.level;
    level.minimum.saturating_sub(level.total.saturating_sub(level.reserved))
}

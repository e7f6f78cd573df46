//! Stocks, their keys and levels.

use crate::contract::holdfast::inventory::{storage, types};
use core::arch::wasm32::unreachable;
use domain::{DeficitPosition, Level, Quantity, RawKey, Stock, StockKey, is_low};

/// Converts a key of a command without a check; the handler checks it.
pub(crate) fn key_from_wit(key: types::StockKey) -> RawKey {
    (key.product_id, key.location_id)
}

/// Converts a key.
pub(crate) fn key_to_wit(key: StockKey) -> types::StockKey {
    let (product_id, location_id) = key.into_ids();
    types::StockKey { product_id, location_id }
}

/// Converts a stored stock. Stored numbers that contradict each other are a defect of the host, so
/// the call ends with a trap.
pub(crate) fn stock_from_wit(key: StockKey, stock: types::Stock) -> Stock {
    let types::StockLevel { total, reserved, unattributed, minimum, version } = stock.level;
    let level = Level::restore(total, reserved, unattributed, minimum, version);
    match level.zip(Quantity::new(stock.due)) {
        Some((level, due)) => Stock::restore(key, level, due, stock.created_at, stock.updated_at),
        None => unreachable(),
    }
}

/// Converts a stored stock with its key. The call ends with a trap where the key is not valid.
pub(crate) fn entry_from_wit(entry: types::StockEntry) -> Stock {
    match StockKey::parse(entry.key.product_id, entry.key.location_id) {
        Ok(key) => stock_from_wit(key, entry.stock),
        Err(_) => unreachable(),
    }
}

/// Converts a stock to the form in which the host stores it.
pub(crate) fn stock_to_wit(stock: &Stock) -> types::Stock {
    types::Stock {
        level: level_to_wit(stock.level()),
        due: stock.due().get(),
        created_at: stock.created_at,
        updated_at: stock.updated_at(),
    }
}

/// Converts a stock to the form in which a reader sees it: units of holds that are due count as
/// free.
pub(crate) fn view_to_wit(stock: &Stock) -> types::StockView {
    let level = stock.visible();
    types::StockView {
        reserved: level.reserved().get(),
        available: level.available().get(),
        low: is_low(&level),
        stock: stock_to_wit(stock),
    }
}

/// Converts a stock of a list, with its key.
pub(crate) fn item_to_wit(stock: Stock) -> types::StockItem {
    types::StockItem { view: view_to_wit(&stock), key: key_to_wit(stock.key) }
}

/// Converts the numbers of a stock.
pub(super) fn level_to_wit(level: Level) -> types::StockLevel {
    types::StockLevel {
        total: level.total().get(),
        reserved: level.reserved().get(),
        unattributed: level.unattributed().get(),
        minimum: level.minimum().get(),
        version: level.version(),
    }
}

/// Converts a place in the list of stocks by deficit.
pub(crate) fn position_to_wit(position: DeficitPosition) -> storage::DeficitPosition {
    storage::DeficitPosition { deficit: position.deficit.get(), key: key_to_wit(position.key) }
}

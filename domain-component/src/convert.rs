//! The border between the contract's types and the domain's.

use crate::guest::bindings::holdfast::inventory::{storage, types};
use core::arch::wasm32::unreachable;
use domain::{
    DeficitPosition, Event, Level, Precondition, Quantity, RawKey, Rejection, Stock, StockKey,
    Value, is_low,
};

pub(crate) fn key_from_wit(key: types::StockKeyResult) -> RawKey {
    (key.product_id, key.location_id)
}

pub(crate) fn key_to_wit(key: StockKey) -> types::StockKeyResult {
    let (product_id, location_id) = key.into_ids();
    types::StockKeyResult { product_id, location_id }
}

pub(crate) fn key_param(key: &StockKey) -> types::StockKeyParam<'_> {
    types::StockKeyParam { product_id: key.product_id(), location_id: key.location_id() }
}

/// A stored stock that contradicts itself is the host's defect; the only answer to it
/// is to stop the call, which the host sees as a trap.
pub(crate) fn stock_from_wit(key: StockKey, stock: types::Stock) -> Stock {
    let types::StockLevel { total, reserved, unattributed, minimum, version } = stock.level;
    match Level::restore(total, reserved, unattributed, minimum, version) {
        Some(level) => Stock::restore(key, level, stock.due_at, stock.created_at, stock.updated_at),
        None => unreachable(),
    }
}

/// The same for a key that is none.
pub(crate) fn entry_from_wit(entry: types::StockEntry) -> Stock {
    match StockKey::parse(entry.key.product_id, entry.key.location_id) {
        Ok(key) => stock_from_wit(key, entry.stock),
        Err(_) => unreachable(),
    }
}

pub(crate) fn stock_to_wit(stock: &Stock) -> types::Stock {
    types::Stock {
        level: level_to_wit(stock.level()),
        due_at: stock.due_at,
        created_at: stock.created_at,
        updated_at: stock.updated_at(),
    }
}

pub(crate) fn view_to_wit(stock: &Stock) -> types::StockView {
    let level = stock.level();
    types::StockView {
        available: level.available().get(),
        low: is_low(&level),
        stock: stock_to_wit(stock),
    }
}

pub(crate) fn item_to_wit(stock: Stock) -> types::StockItem {
    types::StockItem { view: view_to_wit(&stock), key: key_to_wit(stock.key) }
}

fn level_to_wit(level: Level) -> types::StockLevel {
    types::StockLevel {
        total: level.total().get(),
        reserved: level.reserved().get(),
        unattributed: level.unattributed().get(),
        minimum: level.minimum().get(),
        version: level.version(),
    }
}

pub(crate) fn position_to_wit(position: DeficitPosition) -> storage::DeficitPositionResult {
    storage::DeficitPositionResult {
        deficit: position.deficit.get(),
        key: key_to_wit(position.key),
    }
}

pub(crate) fn precondition_from_wit(precondition: types::Precondition) -> Precondition {
    match precondition {
        types::Precondition::Exists => Precondition::Exists,
        types::Precondition::Absent => Precondition::Absent,
        types::Precondition::VersionIn(versions) => Precondition::VersionIn(versions),
    }
}

pub(crate) fn position_param(position: &DeficitPosition) -> storage::DeficitPositionParam<'_> {
    storage::DeficitPositionParam { deficit: position.deficit.get(), key: key_param(&position.key) }
}

pub(crate) fn event_param(event: &Event) -> types::Event<'_> {
    match event {
        Event::InventoryAdjusted { key, from, to } => {
            types::Event::InventoryAdjusted(types::InventoryAdjusted {
                key: key_param(key),
                from: from.map(level_to_wit),
                to: level_to_wit(*to),
            })
        }
        Event::InventoryReserved { key, quantity, from, to } => {
            types::Event::InventoryReserved(movement(key, *quantity, *from, *to))
        }
        Event::InventoryReleased { key, quantity, from, to } => {
            types::Event::InventoryReleased(movement(key, *quantity, *from, *to))
        }
        Event::LowStockDetected { key, from, to } => {
            types::Event::LowStockDetected(low_stock_change(key, *from, *to))
        }
        Event::LowStockResolved { key, from, to } => {
            types::Event::LowStockResolved(low_stock_change(key, *from, *to))
        }
    }
}

fn movement(
    key: &StockKey,
    quantity: Quantity,
    from: Level,
    to: Level,
) -> types::StockMovement<'_> {
    types::StockMovement {
        key: key_param(key),
        quantity: quantity.get(),
        reservation_id: None,
        expires_at: None,
        from: level_to_wit(from),
        to: level_to_wit(to),
    }
}

fn low_stock_change(key: &StockKey, from: Option<Level>, to: Level) -> types::LowStockChange<'_> {
    types::LowStockChange {
        key: key_param(key),
        from: from.map(level_to_wit),
        to: level_to_wit(to),
    }
}

pub(crate) fn rejection_to_wit(rejection: Rejection) -> types::Rejection {
    types::Rejection {
        code: rejection.code().into(),
        message: rejection.message(),
        details: rejection.into_details().into_iter().map(detail_to_wit).collect(),
    }
}

fn detail_to_wit(detail: domain::Detail) -> types::Detail {
    let value = match detail.value {
        Value::Text(text) => types::DetailValue::Text(text),
        Value::Unsigned(units) => types::DetailValue::Unsigned(units),
        Value::Signed(units) => types::DetailValue::Signed(units),
    };
    types::Detail { line: detail.line, name: detail.name.into(), value }
}

//! The border between the contract's types and the domain's.

use crate::{
    DeficitPosition, RawKey,
    guest::bindings::holdfast::inventory::{storage, types},
};
use alloc::string::ToString;
use domain::{Event, Level, Precondition, Quantity, Rejection, Stock, StockKey, Value, is_low};

pub(crate) fn key_from_wit(key: types::StockKey) -> RawKey {
    (key.product_id, key.location_id)
}

pub(crate) fn key_to_wit(key: StockKey) -> types::StockKey {
    let (product_id, location_id) = key.into_ids();
    types::StockKey { product_id, location_id }
}

/// A stored stock that contradicts itself is the host's defect; the only answer to it
/// is to stop the call, which the host sees as a trap.
pub(crate) fn stock_from_wit(stock: types::Stock) -> Stock {
    let types::StockLevel { total, reserved, unattributed, minimum, version } = stock.level;
    let level = Level::restore(total, reserved, unattributed, minimum, version);
    let key = StockKey::parse(stock.key.product_id, stock.key.location_id);
    match (level, key) {
        (Some(level), Ok(key)) => {
            Stock::restore(key, level, stock.due_at, stock.created_at, stock.updated_at)
        }
        _ => core::arch::wasm32::unreachable(),
    }
}

pub(crate) fn stock_to_wit(stock: Stock) -> types::Stock {
    types::Stock {
        level: level_to_wit(stock.level()),
        due_at: stock.due_at,
        created_at: stock.created_at,
        updated_at: stock.updated_at(),
        key: key_to_wit(stock.key),
    }
}

pub(crate) fn view_to_wit(stock: Stock) -> types::StockView {
    let level = stock.level();
    types::StockView {
        available: level.available().get(),
        low: is_low(&level),
        stock: stock_to_wit(stock),
    }
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

pub(crate) fn position_to_wit(position: DeficitPosition) -> storage::DeficitPosition {
    storage::DeficitPosition {
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

pub(crate) fn event_to_wit(event: Event) -> types::Event {
    match event {
        Event::InventoryAdjusted { key, from, to } => {
            types::Event::InventoryAdjusted(types::InventoryAdjusted {
                key: key_to_wit(key),
                from: from.map(level_to_wit),
                to: level_to_wit(to),
            })
        }
        Event::InventoryReserved { key, quantity, from, to } => {
            types::Event::InventoryReserved(movement(key, quantity, from, to))
        }
        Event::InventoryReleased { key, quantity, from, to } => {
            types::Event::InventoryReleased(movement(key, quantity, from, to))
        }
        Event::LowStockDetected { key, from, to } => {
            types::Event::LowStockDetected(low_stock_change(key, from, to))
        }
        Event::LowStockResolved { key, from, to } => {
            types::Event::LowStockResolved(low_stock_change(key, from, to))
        }
    }
}

fn movement(key: StockKey, quantity: Quantity, from: Level, to: Level) -> types::StockMovement {
    types::StockMovement {
        key: key_to_wit(key),
        quantity: quantity.get(),
        reservation_id: None,
        expires_at: None,
        from: level_to_wit(from),
        to: level_to_wit(to),
    }
}

fn low_stock_change(key: StockKey, from: Option<Level>, to: Level) -> types::LowStockChange {
    types::LowStockChange {
        key: key_to_wit(key),
        from: from.map(level_to_wit),
        to: level_to_wit(to),
    }
}

pub(crate) fn rejection_to_wit(rejection: Rejection) -> types::Rejection {
    let message = rejection.to_string();
    let details = rejection.details().into_iter().map(detail_to_wit).collect();
    let code = rejection.code().into();
    let mut wit = types::Rejection {
        code,
        message,
        details,
        lines: alloc::vec::Vec::new(),
        invalid: alloc::vec::Vec::new(),
    };
    match rejection {
        Rejection::InvalidRequest { invalid } => {
            wit.invalid = invalid
                .into_iter()
                .map(|argument| types::InvalidArgument {
                    name: argument.name.into(),
                    message: argument.message,
                })
                .collect();
        }
        Rejection::InsufficientStock { lines } => {
            wit.lines = lines
                .into_iter()
                .map(|line| types::RejectedLine {
                    index: line.index,
                    key: key_to_wit(line.key),
                    details: [("requested", line.requested), ("available", line.available)]
                        .map(|(name, units)| detail_to_wit((name, Value::Unsigned(units.get()))))
                        .into(),
                })
                .collect();
        }
        _ => {}
    }
    wit
}

fn detail_to_wit((name, value): domain::Detail) -> types::Detail {
    let value = match value {
        Value::Text(text) => types::DetailValue::Text(text),
        Value::Unsigned(units) => types::DetailValue::Unsigned(units),
        Value::Signed(units) => types::DetailValue::Signed(units),
    };
    types::Detail { name: name.into(), value }
}

use crate::{Level, Quantity, StockKey};

/// A fact that an accepted command produced.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the members are the words of the domain: key, before, after")]
pub enum Event {
    /// A stock was created (`from` is absent), or its total or minimum changed.
    InventoryAdjusted { key: StockKey, from: Option<Level>, to: Level },
    /// Units were reserved.
    InventoryReserved { key: StockKey, quantity: Quantity, from: Level, to: Level },
    /// Reserved units were given back.
    InventoryReleased { key: StockKey, quantity: Quantity, from: Level, to: Level },
    /// The stock became low by the whole of the command.
    LowStockDetected { key: StockKey, from: Option<Level>, to: Level },
    /// The stock is no longer low.
    LowStockResolved { key: StockKey, from: Option<Level>, to: Level },
}

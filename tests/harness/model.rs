//! A second, simpler account of the rules, to hold the product against.

use std::collections::BTreeMap;

pub const QUANTITY_MAX: i128 = 999_999_999_999;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    Set { total: u64, minimum: Option<u64> },
    Adjust { delta: i64 },
    Reserve { quantity: u64 },
    Release { quantity: u64 },
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    pub product: String,
    pub location: String,
    pub action: Action,
    pub if_version: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stock {
    pub total: u64,
    pub reserved: u64,
    pub minimum: u64,
    pub version: u64,
}

impl Stock {
    pub fn low(&self) -> bool {
        self.total - self.reserved < self.minimum
    }
}

/// What a command comes to: the stock after it and whether it was created, or a code.
pub type Outcome = Result<(Stock, bool), &'static str>;

#[derive(Default)]
pub struct Model {
    pub stocks: BTreeMap<(String, String), Stock>,
    /// The names of the events, in order.
    pub events: Vec<&'static str>,
}

impl Model {
    pub fn execute(&mut self, command: &Command) -> Outcome {
        let key = (command.product.clone(), command.location.clone());
        let found = self.stocks.get(&key).copied();
        if found.is_none() && !matches!(command.action, Action::Set { .. }) {
            return Err("product-not-found");
        }
        let current = found.map(|stock| stock.version);
        if command.if_version.is_some_and(|version| Some(version) != current) {
            return Err("version-mismatch");
        }
        let mut stock = found.unwrap_or_default();
        let was_low = found.is_some_and(|stock| stock.low());
        let event = match command.action {
            Action::Set { total, minimum } => {
                if total < stock.reserved {
                    return Err("adjust-below-reserved");
                }
                let minimum = minimum.unwrap_or(stock.minimum);
                if found.is_some() && (total, minimum) == (stock.total, stock.minimum) {
                    return Ok((stock, false));
                }
                (stock.total, stock.minimum) = (total, minimum);
                "InventoryAdjusted"
            }
            Action::Adjust { delta } => {
                let total = i128::from(stock.total) + i128::from(delta);
                if total > QUANTITY_MAX {
                    return Err("quantity-out-of-range");
                }
                if total < i128::from(stock.reserved) {
                    return Err("adjust-below-reserved");
                }
                stock.total = total as u64;
                "InventoryAdjusted"
            }
            Action::Reserve { quantity } => {
                if quantity > stock.total - stock.reserved {
                    return Err("insufficient-stock");
                }
                stock.reserved += quantity;
                "InventoryReserved"
            }
            Action::Release { quantity } => {
                if quantity > stock.reserved {
                    return Err("release-exceeds-reserved");
                }
                stock.reserved -= quantity;
                "InventoryReleased"
            }
        };
        stock.version += 1;
        self.events.push(event);
        match (was_low, stock.low()) {
            (false, true) => self.events.push("LowStockDetected"),
            (true, false) => self.events.push("LowStockResolved"),
            _ => {}
        }
        self.stocks.insert(key, stock);
        Ok((stock, found.is_none()))
    }
}

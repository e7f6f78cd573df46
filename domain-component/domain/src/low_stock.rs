//! The low-stock policy, which its readers know as `StockLevelMonitor`.

use crate::{event::Event, key::StockKey, level::Level, quantity::Quantity};

/// Returns whether a stock is low: fewer units are available than its minimum. A minimum of 0
/// turns the policy off, because nothing can be less than 0.
#[must_use]
pub fn is_low(level: &Level) -> bool {
    level.available() < level.minimum()
}

/// Returns the units that are missing to the minimum; 0 where the stock is not low.
#[must_use]
pub fn deficit(level: &Level) -> Quantity {
    level.minimum().minus(level.available()).unwrap_or_default()
}

/// Returns the low-stock event of a command, if there is one. The levels are those before and
/// after the whole command, so that a stock which falls and recovers within one command causes no
/// alarm, and so that the two kinds of events alternate.
pub(crate) fn judge(key: &StockKey, from: Option<&Level>, to: &Level) -> Option<Event> {
    let detected = is_low(to);
    if from.is_some_and(is_low) == detected {
        return None;
    }
    Some(Event::LowStockChanged { detected, key: key.clone(), from: from.copied(), to: *to })
}

#[cfg(test)]
#[path = "low_stock_tests.rs"]
mod tests;

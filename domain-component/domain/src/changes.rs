use crate::{Event, Level, Stock, low_stock};
use alloc::vec::Vec;

/// What one accepted command changes: stocks to save and events to publish.
///
/// A command that changes nothing leaves it empty.
#[derive(Debug, Default)]
pub struct Changes {
    before: Vec<Option<Level>>,
    stocks: Vec<Stock>,
    events: Vec<Event>,
}

impl Changes {
    /// Records that a stock, `before` the command at this level, is now as given, and
    /// the event that says so. Each stock is recorded once per command.
    pub fn record(&mut self, before: Option<Level>, after: Stock, event: Event) {
        self.before.push(before);
        self.stocks.push(after);
        self.events.push(event);
    }

    /// The stocks to save and the events to publish, in order: what the command did,
    /// then what the low-stock policy makes of it.
    #[must_use]
    pub fn finish(self) -> (Vec<Stock>, Vec<Event>) {
        let Self { before, stocks, mut events } = self;
        let judged = before.into_iter().zip(&stocks);
        events.extend(
            judged
                .filter_map(|(before, stock)| low_stock::judge(&stock.key, before, stock.level())),
        );
        (stocks, events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Quantity, StockKey};
    use alloc::string::ToString;

    #[test]
    fn nothing_recorded_is_nothing_to_save_or_say() {
        let (stocks, events) = Changes::default().finish();
        assert!(stocks.is_empty() && events.is_empty());
    }

    #[test]
    fn the_policy_speaks_last() {
        let key = StockKey::parse("a".to_string(), "default".to_string()).unwrap();
        let five = Quantity::new(5).unwrap();
        let (mut stock, _) = Stock::create(key, five, five, 1);
        let before = stock.level();
        let event = stock.reserve(Quantity::new(1).unwrap(), 2).unwrap();
        let mut changes = Changes::default();
        changes.record(Some(before), stock, event);
        let (stocks, events) = changes.finish();
        assert_eq!(stocks.len(), 1);
        assert!(matches!(
            events.as_slice(),
            [Event::InventoryReserved { .. }, Event::LowStockDetected { .. }]
        ));
    }
}

//! A world in memory: the shortest thing a domain can be run over.

use holdfast::{
    component::World,
    model::{DeficitScan, Ended, Event, Stock, StockKey, StockScan},
};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct MemoryWorld {
    pub stocks: BTreeMap<StockKey, Stock>,
    pub events: Vec<Event>,
}

fn missing(stock: &Stock) -> u64 {
    let level = stock.level;
    level.minimum.saturating_sub(level.total - level.reserved)
}

impl World for MemoryWorld {
    fn stock(&mut self, key: &StockKey) -> Result<Option<Stock>, Ended> {
        Ok(self.stocks.get(key).copied())
    }

    fn put_stock(&mut self, key: StockKey, stock: Stock) -> Result<(), Ended> {
        self.stocks.insert(key, stock);
        Ok(())
    }

    fn scan_stocks(&mut self, scan: &StockScan) -> Result<Vec<(StockKey, Stock)>, Ended> {
        let all = self.stocks.iter().filter(|(key, stock)| {
            scan.location_id.as_deref().is_none_or(|id| id == key.location_id.as_str())
                && scan
                    .product_prefix
                    .as_deref()
                    .is_none_or(|prefix| key.product_id.as_str().starts_with(prefix))
                && (!scan.below_minimum || missing(stock) > 0)
                && scan.after.as_ref().is_none_or(|after| *key > after)
        });
        Ok(all.take(scan.limit as usize).map(|(key, stock)| (key.clone(), *stock)).collect())
    }

    fn scan_deficits(&mut self, scan: &DeficitScan) -> Result<Vec<(StockKey, Stock)>, Ended> {
        let mut all: Vec<_> = self
            .stocks
            .iter()
            .filter(|(key, stock)| {
                missing(stock) > 0
                    && scan.location_id.as_deref().is_none_or(|id| id == key.location_id.as_str())
            })
            .map(|(key, stock)| (key.clone(), *stock))
            .collect();
        all.sort_by_key(|(key, stock)| (std::cmp::Reverse(missing(stock)), key.clone()));
        if let Some(after) = &scan.after {
            let place = (std::cmp::Reverse(after.deficit), after.key.clone());
            all.retain(|(key, stock)| (std::cmp::Reverse(missing(stock)), key.clone()) > place);
        }
        all.truncate(scan.limit as usize);
        Ok(all)
    }

    fn publish(&mut self, events: Vec<Event>) -> Result<(), Ended> {
        self.events.extend(events);
        Ok(())
    }
}

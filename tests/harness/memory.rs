//! A world in memory: the shortest thing a domain can be run over.

use holdfast::{
    component::World,
    model::{
        DeficitScan, DueHolds, Ended, Event, Reservation, ReservationPage, ReservationScan, Stock,
        StockKey, StockScan,
    },
};
use std::collections::BTreeMap;

#[derive(Clone, Default)]
pub struct MemoryWorld {
    pub stocks: BTreeMap<StockKey, Stock>,
    pub reservations: BTreeMap<String, Reservation>,
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

    fn reservation(&mut self, id: &str) -> Result<Option<Reservation>, Ended> {
        Ok(self.reservations.get(id).cloned())
    }

    fn put_reservation(&mut self, id: String, reservation: Reservation) -> Result<(), Ended> {
        self.reservations.insert(id, reservation);
        Ok(())
    }

    fn due_holds(
        &mut self,
        key: Option<&StockKey>,
        until: u64,
        limit: u32,
    ) -> Result<DueHolds, Ended> {
        let mut held: Vec<_> = self
            .reservations
            .iter()
            .filter(|(_, it)| it.is_due(u64::MAX) && key.is_none_or(|key| it.holds(key) > 0))
            .map(|(id, it)| (id.clone(), it.clone()))
            .collect();
        held.sort_by_key(|(id, it)| (it.status.expires_at, id.clone()));
        let due = held.iter().take_while(|(_, it)| it.is_due(until)).count();
        let rest = held.split_off(due.min(limit as usize));
        let next_due = rest.first().and_then(|(_, it)| it.status.expires_at);
        Ok(DueHolds { items: held, next_due })
    }

    fn scan_reservations(&mut self, scan: &ReservationScan) -> Result<ReservationPage, Ended> {
        // By id: in a test, ids rise with the time.
        let all = self.reservations.iter().rev().filter(|(_, it)| scan.filter.matches(it));
        let items = all.take(scan.limit as usize).map(|(id, it)| (id.clone(), it.clone()));
        Ok(ReservationPage { items: items.collect(), next: None })
    }

    fn publish(&mut self, events: Vec<Event>) -> Result<(), Ended> {
        self.events.extend(events);
        Ok(())
    }
}

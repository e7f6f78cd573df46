//! A world in memory, with only as much of a store as a domain needs.

use holdfast::{
    component::{Purpose, World},
    model::{
        DeficitScan, Due, Ended, Event, Reservation, ReservationPage, ReservationScan, Stock,
        StockKey, StockScan, Timestamp,
    },
};
use std::collections::BTreeMap;

#[derive(Clone, Default)]
pub struct MemoryWorld {
    pub stocks: BTreeMap<StockKey, Stock>,
    pub reservations: BTreeMap<String, Reservation>,
    pub events: Vec<Event>,
    /// The purpose and the time of the current call.
    call: Option<(Purpose, Timestamp)>,
}

impl MemoryWorld {
    /// The ids of the due holds on a stock, or of a due reservation, the longest due first.
    pub fn due(&self, of: &Due, now: Timestamp) -> Vec<String> {
        let concerns = |id: &str, it: &Reservation| match of {
            Due::Stock(key) => it.holds(key) > 0,
            Due::Reservation(own) => own == id,
        };
        let due = self.reservations.iter().filter(|(id, it)| it.is_due(now) && concerns(id, it));
        let mut due: Vec<_> = due.map(|(id, it)| (it.status.expires_at, id.clone())).collect();
        due.sort();
        due.into_iter().map(|(_, id)| id).collect()
    }

    /// Returns the stock as the current call may see it.
    fn seen(&self, key: &StockKey, stock: Stock) -> Result<Stock, Ended> {
        let Some((purpose, now)) = self.call else { return Ok(stock) };
        let due = Due::Stock(key.clone());
        match purpose {
            Purpose::Expiry => Ok(stock),
            Purpose::Command if self.due(&due, now).is_empty() => Ok(stock),
            Purpose::Command => Err(Ended::Due(due)),
            Purpose::Query => {
                let holds = self.due(&due, now).into_iter();
                let due = holds.map(|id| self.reservations[&id].holds(key)).sum();
                Ok(Stock { due, ..stock })
            }
        }
    }
}

fn missing(stock: &Stock) -> u64 {
    let level = stock.level;
    level.minimum.saturating_sub(level.total - level.reserved)
}

impl World for MemoryWorld {
    fn begin_call(&mut self, purpose: Purpose, now: Timestamp) {
        self.call = Some((purpose, now));
    }

    fn stock(&mut self, key: &StockKey) -> Result<Option<Stock>, Ended> {
        let found = self.stocks.get(key).copied();
        found.map(|stock| self.seen(key, stock)).transpose()
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
        let page = all.take(scan.limit as usize);
        page.map(|(key, stock)| Ok((key.clone(), self.seen(key, *stock)?))).collect()
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
        all.into_iter()
            .map(|(key, stock)| self.seen(&key, stock).map(|stock| (key, stock)))
            .collect()
    }

    fn reservation(&mut self, id: &str) -> Result<Option<Reservation>, Ended> {
        let found = self.reservations.get(id);
        match self.call {
            Some((Purpose::Command, now)) if found.is_some_and(|it| it.is_due(now)) => {
                Err(Ended::Due(Due::Reservation(id.to_owned())))
            }
            _ => Ok(found.cloned()),
        }
    }

    fn put_reservation(&mut self, id: String, reservation: Reservation) -> Result<(), Ended> {
        self.reservations.insert(id, reservation);
        Ok(())
    }

    fn scan_reservations(&mut self, scan: &ReservationScan) -> Result<ReservationPage, Ended> {
        // The order of creation is the order of the ids, because a test chooses rising ids.
        let all =
            self.reservations.iter().rev().filter(|(_, it)| scan.filter.matches(it, scan.now));
        let items = all.take(scan.limit as usize).map(|(id, it)| (id.clone(), it.clone()));
        Ok(ReservationPage { items: items.collect(), next: None })
    }

    fn publish(&mut self, events: Vec<Event>) -> Result<(), Ended> {
        self.events.extend(events);
        Ok(())
    }
}

//! The contract's imports over maps, which is all that a domain needs from its host. The session
//! expires due holds before it sends a query, so the stocks of a query need no sums of due units.

use crate::bindings::holdfast::inventory::{
    event_sink,
    storage::{self, DeficitScan, ReservationScan, ReservationScanPage, StockScan},
    types::{self, Event, Reservation, ReservationEntry, Stock, StockEntry, StockKey},
};
use std::{cmp::Reverse, collections::BTreeMap};

/// Stocks by product and location; reservations by id, with the order of their creation.
#[derive(Clone, Default)]
pub struct Storage {
    stocks: BTreeMap<(String, String), Stock>,
    reservations: BTreeMap<String, (u64, Reservation)>,
    pub events: Vec<Event>,
}

fn place(key: StockKey) -> (String, String) {
    (key.product_id, key.location_id)
}

fn entry((product, location): &(String, String), stock: &Stock) -> StockEntry {
    let key = StockKey { product_id: product.clone(), location_id: location.clone() };
    StockEntry { key, stock: *stock }
}

fn deficit(stock: &Stock) -> u64 {
    let level = stock.level;
    level.minimum.saturating_sub(level.total - level.reserved)
}

impl types::Host for Storage {}

impl storage::Host for Storage {
    fn get_stock(&mut self, key: StockKey) -> Option<Stock> {
        self.stocks.get(&place(key)).copied()
    }

    fn put_stock(&mut self, key: StockKey, stock: Stock) {
        self.stocks.insert(place(key), stock);
    }

    fn scan_stocks(&mut self, scan: StockScan) -> Vec<StockEntry> {
        let after = scan.after.map(place);
        let wanted = |(product, location): &(String, String), stock: &Stock| {
            scan.location_id.as_ref().is_none_or(|wanted| wanted == location)
                && scan.product_prefix.as_ref().is_none_or(|prefix| product.starts_with(prefix))
                && (!scan.below_minimum || deficit(stock) > 0)
        };
        let behind = self.stocks.iter().filter(|(key, _)| after.as_ref() < Some(key));
        let found = behind.filter(|(key, stock)| wanted(key, stock));
        found.take(scan.limit as usize).map(|(key, stock)| entry(key, stock)).collect()
    }

    fn scan_deficits(&mut self, scan: DeficitScan) -> Vec<StockEntry> {
        let after = scan.after.map(|it| (Reverse(it.deficit), place(it.key)));
        let low = self.stocks.iter().filter(|((_, location), stock)| {
            deficit(stock) > 0 && scan.location_id.as_ref().is_none_or(|wanted| wanted == location)
        });
        let mut low: Vec<_> =
            low.map(|(key, stock)| ((Reverse(deficit(stock)), key.clone()), stock)).collect();
        low.sort_by(|(a, _), (b, _)| a.cmp(b));
        let behind = low.iter().filter(|(order, _)| after.as_ref() < Some(order));
        behind.take(scan.limit as usize).map(|((_, key), stock)| entry(key, stock)).collect()
    }

    fn get_reservation(&mut self, id: String) -> Option<Reservation> {
        self.reservations.get(&id).map(|(_, reservation)| reservation.clone())
    }

    fn put_reservation(&mut self, id: String, reservation: Reservation) {
        let next = self.reservations.len() as u64 + 1;
        let number = self.reservations.get(&id).map_or(next, |(number, _)| *number);
        self.reservations.insert(id, (number, reservation));
    }

    fn scan_reservations(&mut self, scan: ReservationScan) -> ReservationScanPage {
        let wanted = |it: &Reservation| {
            it.lines.iter().any(|line| {
                scan.product_id.as_ref().is_none_or(|id| *id == line.key.product_id)
                    && scan.location_id.as_ref().is_none_or(|id| *id == line.key.location_id)
            }) && scan.state.is_none_or(|state| state == it.status.state)
                && scan.reference.as_ref().is_none_or(|own| it.reference.as_ref() == Some(own))
                && scan.expires_before.is_none_or(|before| {
                    it.status.expires_at.is_some_and(|expires_at| expires_at < before)
                })
        };
        let mut found: Vec<_> = self
            .reservations
            .iter()
            .filter(|(_, (number, it))| {
                scan.after.is_none_or(|after| *number < after) && wanted(it)
            })
            .map(|(id, (number, it))| (*number, id.clone(), it.clone()))
            .collect();
        found.sort_by_key(|(number, ..)| Reverse(*number));
        let more = found.len() > scan.limit as usize;
        found.truncate(scan.limit as usize);
        let next = found.last().filter(|_| more).map(|(number, ..)| *number);
        let items =
            found.into_iter().map(|(_, id, reservation)| ReservationEntry { id, reservation });
        ReservationScanPage { items: items.collect(), next }
    }
}

impl event_sink::Host for Storage {
    fn publish(&mut self, events: Vec<Event>) {
        self.events.extend(events);
    }
}

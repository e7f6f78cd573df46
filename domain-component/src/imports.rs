//! The contract's imports `storage` and `event-sink` as the [`World`] of the handlers.

use crate::{
    contract::holdfast::inventory::{event_sink, storage},
    convert::{event::event_to_wit, reservation, stock},
};
use alloc::vec::Vec;
use domain::{DeficitScan, Event, Reservation, ReservationScan, Stock, StockKey, StockScan, World};

/// The world of the handlers: each function calls the import of the same meaning.
pub(crate) struct Imports;

impl World for Imports {
    fn stock(&mut self, key: &StockKey) -> Option<Stock> {
        storage::get_stock(&stock::key_to_wit(key.clone()))
            .map(|found| stock::stock_from_wit(key.clone(), found))
    }

    fn scan_stocks(&mut self, scan: StockScan) -> Vec<Stock> {
        let stocks = storage::scan_stocks(&storage::StockScan {
            location_id: scan.location_id,
            product_prefix: scan.product_prefix,
            below_minimum: scan.below_minimum,
            after: scan.after.map(stock::key_to_wit),
            limit: scan.limit,
        });
        stocks.into_iter().map(stock::entry_from_wit).collect()
    }

    fn scan_deficits(&mut self, scan: DeficitScan) -> Vec<Stock> {
        let stocks = storage::scan_deficits(&storage::DeficitScan {
            location_id: scan.location_id,
            after: scan.after.map(stock::position_to_wit),
            limit: scan.limit,
        });
        stocks.into_iter().map(stock::entry_from_wit).collect()
    }

    fn save(&mut self, changed: &Stock) {
        storage::put_stock(&stock::key_to_wit(changed.key.clone()), stock::stock_to_wit(changed));
    }

    fn reservation(&mut self, id: &str) -> Option<Reservation> {
        storage::get_reservation(id).map(|found| reservation::from_wit(id.into(), found))
    }

    fn scan_reservations(&mut self, scan: ReservationScan) -> (Vec<Reservation>, Option<u64>) {
        let page = storage::scan_reservations(&storage::ReservationScan {
            product_id: scan.product_id,
            location_id: scan.location_id,
            state: scan.state.map(reservation::state_to_wit),
            reference: scan.reference,
            expires_before: scan.expires_before,
            after: scan.after,
            limit: scan.limit,
        });
        (page.items.into_iter().map(reservation::entry_from_wit).collect(), page.next)
    }

    fn save_reservation(&mut self, changed: Reservation) {
        let entry = reservation::entry_to_wit(changed);
        storage::put_reservation(&entry.id, &entry.reservation);
    }

    fn publish(&mut self, events: Vec<Event>) {
        let events: Vec<_> = events.into_iter().map(event_to_wit).collect();
        event_sink::publish(&events);
    }
}

//! The contract's imports: each call of a guest goes to the guest's world.

use super::{
    World,
    bindings::holdfast::inventory::{event_sink, storage, types},
    convert::{self, reservation},
    state::GuestState,
};
use crate::model::{Ended, Stock};

impl<W: World> types::Host for GuestState<W> {}

impl<W: World> storage::Host for GuestState<W> {
    fn get_stock(&mut self, key: types::StockKey) -> wasmtime::Result<Option<types::Stock>> {
        self.count_call()?;
        let key = convert::key_from_wit(key)?;
        let stock = self.world.stock(&key).map_err(end)?;
        Ok(stock.map(convert::stock_to_wit))
    }

    fn put_stock(&mut self, key: types::StockKey, stock: types::Stock) -> wasmtime::Result<()> {
        self.count_call()?;
        let key = convert::key_from_wit(key)?;
        // Only the host knows the number of due units: the guest's number is ignored.
        let stock = Stock { due: 0, ..convert::stock_from_wit(stock) };
        self.world.put_stock(key, stock).map_err(end)
    }

    fn scan_stocks(
        &mut self,
        scan: storage::StockScan,
    ) -> wasmtime::Result<Vec<types::StockEntry>> {
        self.count_scan(scan.limit)?;
        let scan = convert::scan_from_wit(scan)?;
        let found = self.world.scan_stocks(&scan).map_err(end)?;
        Ok(found.into_iter().map(convert::entry_to_wit).collect())
    }

    fn scan_deficits(
        &mut self,
        scan: storage::DeficitScan,
    ) -> wasmtime::Result<Vec<types::StockEntry>> {
        self.count_scan(scan.limit)?;
        let scan = convert::deficit_scan_from_wit(scan)?;
        let found = self.world.scan_deficits(&scan).map_err(end)?;
        Ok(found.into_iter().map(convert::entry_to_wit).collect())
    }

    fn get_reservation(&mut self, id: String) -> wasmtime::Result<Option<types::Reservation>> {
        self.count_call()?;
        reservation::check_id(&id)?;
        let found = self.world.reservation(&id).map_err(end)?;
        Ok(found.map(reservation::to_wit))
    }

    fn put_reservation(
        &mut self,
        id: String,
        reservation: types::Reservation,
    ) -> wasmtime::Result<()> {
        self.count_call()?;
        reservation::check_id(&id)?;
        let reservation = reservation::from_wit(reservation)?;
        self.world.put_reservation(id, reservation).map_err(end)
    }

    fn scan_reservations(
        &mut self,
        scan: storage::ReservationScan,
    ) -> wasmtime::Result<storage::ReservationScanPage> {
        self.count_scan(scan.limit)?;
        let scan = reservation::scan_from_wit(scan)?;
        let page = self.world.scan_reservations(&scan).map_err(end)?;
        Ok(storage::ReservationScanPage {
            items: page.items.into_iter().map(reservation::entry_to_wit).collect(),
            next: page.next,
        })
    }
}

impl<W: World> event_sink::Host for GuestState<W> {
    fn publish(&mut self, events: Vec<types::Event>) -> wasmtime::Result<()> {
        self.count_call()?;
        let events = events.into_iter().map(convert::event_from_wit).collect::<Result<_, _>>()?;
        self.world.publish(events).map_err(end)
    }
}

/// Converts the end of a call to an error that passes through the guest. [`super::guest`] extracts
/// the cause again.
fn end(ended: Ended) -> wasmtime::Error {
    match ended {
        Ended::Fault(fault) => fault.into(),
        Ended::Failure(failure) => failure.into(),
        due @ Ended::Due(_) => due.into(),
    }
}

//! A world that traces the calls of a component.

use crate::{
    component::{Purpose, World},
    model::{
        DeficitScan, Ended, Event, Reservation, ReservationPage, ReservationScan, Stock, StockKey,
        StockScan, Timestamp,
    },
};

/// The most calls that are traced. Further calls are carried out and not traced.
const CALLS_MAX: usize = 1_000;

/// A call of the host by a component: an import of the contract, with its arguments and its result.
#[derive(Clone, Debug)]
pub enum Call {
    /// The component read a stock.
    GetStock {
        /// The key of the stock.
        key: StockKey,
        /// The stock, if it exists.
        found: Option<Stock>,
    },
    /// The component wrote a stock.
    PutStock {
        /// The key of the stock.
        key: StockKey,
        /// The new stock.
        stock: Stock,
    },
    /// The component scanned stocks in the order of their keys.
    ScanStocks {
        /// The scan.
        scan: StockScan,
        /// The stocks found.
        found: Vec<(StockKey, Stock)>,
    },
    /// The component scanned stocks in the order of their deficits.
    ScanDeficits {
        /// The scan.
        scan: DeficitScan,
        /// The stocks found.
        found: Vec<(StockKey, Stock)>,
    },
    /// The component read a reservation.
    GetReservation {
        /// The id of the reservation.
        id: String,
        /// The reservation, if it exists.
        found: Option<Reservation>,
    },
    /// The component wrote a reservation.
    PutReservation {
        /// The id of the reservation.
        id: String,
        /// The new reservation.
        reservation: Reservation,
    },
    /// The component scanned reservations.
    ScanReservations {
        /// The scan.
        scan: ReservationScan,
        /// The reservations found, by id.
        found: Vec<(String, Reservation)>,
    },
    /// The component published events.
    Publish {
        /// The events.
        events: Vec<Event>,
    },
}

/// A world that passes every call to an inner world and traces it.
pub(super) struct Traced<W> {
    inner: W,
    calls: Vec<Call>,
}

impl<W> Traced<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, calls: Vec::new() }
    }

    pub(super) fn into_parts(self) -> (W, Vec<Call>) {
        (self.inner, self.calls)
    }

    fn trace(&mut self, call: impl FnOnce() -> Call) {
        if self.calls.len() < CALLS_MAX {
            self.calls.push(call());
        }
    }
}

impl<W: World> World for Traced<W> {
    fn begin_call(&mut self, purpose: Purpose, now: Timestamp) {
        self.inner.begin_call(purpose, now);
    }

    fn stock(&mut self, key: &StockKey) -> Result<Option<Stock>, Ended> {
        let found = self.inner.stock(key)?;
        self.trace(|| Call::GetStock { key: key.clone(), found });
        Ok(found)
    }

    fn put_stock(&mut self, key: StockKey, stock: Stock) -> Result<(), Ended> {
        self.trace(|| Call::PutStock { key: key.clone(), stock });
        self.inner.put_stock(key, stock)
    }

    fn scan_stocks(&mut self, scan: &StockScan) -> Result<Vec<(StockKey, Stock)>, Ended> {
        let found = self.inner.scan_stocks(scan)?;
        self.trace(|| Call::ScanStocks { scan: scan.clone(), found: found.clone() });
        Ok(found)
    }

    fn scan_deficits(&mut self, scan: &DeficitScan) -> Result<Vec<(StockKey, Stock)>, Ended> {
        let found = self.inner.scan_deficits(scan)?;
        self.trace(|| Call::ScanDeficits { scan: scan.clone(), found: found.clone() });
        Ok(found)
    }

    fn reservation(&mut self, id: &str) -> Result<Option<Reservation>, Ended> {
        let found = self.inner.reservation(id)?;
        self.trace(|| Call::GetReservation { id: id.to_owned(), found: found.clone() });
        Ok(found)
    }

    fn put_reservation(&mut self, id: String, reservation: Reservation) -> Result<(), Ended> {
        self.trace(|| Call::PutReservation { id: id.clone(), reservation: reservation.clone() });
        self.inner.put_reservation(id, reservation)
    }

    fn scan_reservations(&mut self, scan: &ReservationScan) -> Result<ReservationPage, Ended> {
        let page = self.inner.scan_reservations(scan)?;
        self.trace(|| Call::ScanReservations { scan: scan.clone(), found: page.items.clone() });
        Ok(page)
    }

    fn publish(&mut self, events: Vec<Event>) -> Result<(), Ended> {
        self.trace(|| Call::Publish { events: events.clone() });
        self.inner.publish(events)
    }
}

//! A world that remembers what it was asked.

use crate::{
    component::{Purpose, World},
    model::{
        DeficitScan, Ended, Event, Reservation, ReservationPage, ReservationScan, Stock, StockKey,
        StockScan, Timestamp,
    },
};
use serde::Serialize;
use serde_json::{Value, json};

/// The most calls that are remembered.
const CALLS_MAX: usize = 1_000;

/// A call of the host by the component.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Call {
    /// The function, as the contract has it.
    pub function: &'static str,
    /// What it was given.
    pub given: Value,
    /// What it answered.
    pub answered: Value,
}

/// A world, watched.
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

    fn note(&mut self, function: &'static str, given: Value, answered: Value) {
        if self.calls.len() < CALLS_MAX {
            self.calls.push(Call { function, given, answered });
        }
    }
}

fn shown<T: Serialize>(value: &T) -> Value {
    // Plain values: they can always be shown.
    serde_json::to_value(value).unwrap_or_default()
}

impl<W: World> World for Traced<W> {
    fn begin_call(&mut self, purpose: Purpose, now: Timestamp) {
        self.inner.begin_call(purpose, now);
    }

    fn stock(&mut self, key: &StockKey) -> Result<Option<Stock>, Ended> {
        let found = self.inner.stock(key)?;
        self.note("get-stock", shown(key), shown(&found));
        Ok(found)
    }

    fn put_stock(&mut self, key: StockKey, stock: Stock) -> Result<(), Ended> {
        self.note("put-stock", json!({"key": &key, "stock": stock}), Value::Null);
        self.inner.put_stock(key, stock)
    }

    fn scan_stocks(&mut self, scan: &StockScan) -> Result<Vec<(StockKey, Stock)>, Ended> {
        let found = self.inner.scan_stocks(scan)?;
        self.note("scan-stocks", json!(format!("{scan:?}")), shown(&found));
        Ok(found)
    }

    fn scan_deficits(&mut self, scan: &DeficitScan) -> Result<Vec<(StockKey, Stock)>, Ended> {
        let found = self.inner.scan_deficits(scan)?;
        self.note("scan-deficits", json!(format!("{scan:?}")), shown(&found));
        Ok(found)
    }

    fn reservation(&mut self, id: &str) -> Result<Option<Reservation>, Ended> {
        let found = self.inner.reservation(id)?;
        self.note("get-reservation", json!(id), shown(&found));
        Ok(found)
    }

    fn put_reservation(&mut self, id: String, reservation: Reservation) -> Result<(), Ended> {
        let given = json!({"id": &id, "reservation": &reservation});
        self.note("put-reservation", given, Value::Null);
        self.inner.put_reservation(id, reservation)
    }

    fn scan_reservations(&mut self, scan: &ReservationScan) -> Result<ReservationPage, Ended> {
        self.inner.scan_reservations(scan)
    }

    fn publish(&mut self, events: Vec<Event>) -> Result<(), Ended> {
        self.note("publish", shown(&events), Value::Null);
        self.inner.publish(events)
    }
}

//! The reads of the writer within a batch. Nobody else changes the data that these reads see.

use super::SqliteLane;
use crate::{
    model::{
        DeficitScan, ReservationPage, ReservationScan, StockKey, StockScan, StoreFailure, Timestamp,
    },
    store::{
        Decidable, Read,
        sqlite::{
            connection::failed,
            handles::{FoundStocks, ReservationHandle, StockHandle, Stored, StoredReservation},
            reservations, stock_scans, stocks,
        },
    },
};

impl Read for SqliteLane {
    type StockHandle = StockHandle;
    type ReservationHandle = ReservationHandle;

    fn stock(&mut self, key: &StockKey) -> Result<Option<Stored>, StoreFailure> {
        stocks::latest(&self.connection, &self.published, key)
    }

    fn scan_stocks(&mut self, scan: &StockScan) -> Result<FoundStocks, StoreFailure> {
        stock_scans::by_key(&self.connection, &self.published.latest(), scan)
    }

    fn scan_deficits(&mut self, scan: &DeficitScan) -> Result<FoundStocks, StoreFailure> {
        stock_scans::by_deficit(&self.connection, &self.published.latest(), scan)
    }

    fn reservation(&mut self, id: &str) -> Result<Option<StoredReservation>, StoreFailure> {
        reservations::find(&self.connection, id)
    }

    fn scan_reservations(
        &mut self,
        scan: &ReservationScan,
    ) -> Result<ReservationPage, StoreFailure> {
        reservations::scan(&self.connection, &self.published.latest(), scan)
    }
}

impl Decidable for SqliteLane {
    fn first_due(&mut self, limit: u32) -> Result<Vec<(String, Timestamp)>, StoreFailure> {
        reservations::first_due(&self.connection, limit)
    }

    fn due_on(
        &mut self,
        _: &StockKey,
        handle: &StockHandle,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<String>, StoreFailure> {
        self.due
            .due_on(&self.connection, handle.stock_id, until, limit)
            .map_err(failed("looking for holds that are due on a stock"))
    }
}

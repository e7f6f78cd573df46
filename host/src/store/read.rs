//! Reading: the types of what is found, and the traits of what can be read.

use crate::model::{
    DeficitScan, QueryDeadline, Reservation, ReservationPage, ReservationScan, Stock, StockKey,
    StockScan, StoreFailure, Timestamp,
};
use std::fmt::Debug;

/// What a store keeps about a stock or a reservation for itself, so that it need not look the row
/// up again. Only the store that made a handle can read it.
pub trait Handle: Copy + Debug + Send + Sync + 'static {}

impl<T: Copy + Debug + Send + Sync + 'static> Handle for T {}

/// A stock as found in the store.
#[derive(Clone, Copy, Debug)]
pub struct Stored<H> {
    /// The store's own handle of the stock.
    pub handle: H,
    /// The stock.
    pub stock: Stock,
}

/// A reservation as found in the store.
#[derive(Clone, Debug)]
pub struct StoredReservation<H> {
    /// The store's own handle of the reservation.
    pub handle: H,
    /// The reservation.
    pub reservation: Reservation,
}

/// The stocks of a scan, by key.
pub type FoundStocks<H> = Vec<(StockKey, Stored<H>)>;

/// Reads stocks and reservations.
#[allow(clippy::missing_errors_doc, reason = "every function fails where the store does")]
pub trait Read: Send + 'static {
    /// The store's own handle of a stock.
    type StockHandle: Handle;
    /// The store's own handle of a reservation.
    type ReservationHandle: Handle;

    /// The stock of this key.
    fn stock(&mut self, key: &StockKey) -> Result<Option<Stored<Self::StockHandle>>, StoreFailure>;
    /// Stocks in key order.
    fn scan_stocks(
        &mut self,
        scan: &StockScan,
    ) -> Result<FoundStocks<Self::StockHandle>, StoreFailure>;
    /// Stocks below their minimum, the largest deficit first, then in key order.
    fn scan_deficits(
        &mut self,
        scan: &DeficitScan,
    ) -> Result<FoundStocks<Self::StockHandle>, StoreFailure>;
    /// The reservation of this id.
    fn reservation(
        &mut self,
        id: &str,
    ) -> Result<Option<StoredReservation<Self::ReservationHandle>>, StoreFailure>;
    /// Reservations, the newest first.
    fn scan_reservations(
        &mut self,
        scan: &ReservationScan,
    ) -> Result<ReservationPage, StoreFailure>;
}

/// A reader of what is committed, for queries. Queries write nothing, so holds that are due are
/// told as sums of units and not expired.
#[allow(clippy::missing_errors_doc, reason = "every function fails where the store does")]
pub trait Snapshot: Read {
    /// Makes all reads until [`Snapshot::end`] see the same commit.
    fn begin(&mut self) -> Result<(), StoreFailure>;
    /// Lets reads see the latest commit again.
    fn end(&mut self);
    /// Lets reads fail, as stopped, once this deadline is over; `None` lets reads take their time.
    fn limit(&mut self, _deadline: Option<&QueryDeadline>) {}
    /// Whether no hold at all is due by `until`, as of the latest commit. Costs next to nothing.
    fn nothing_due(&self, until: Timestamp) -> bool;
    /// Units of the stock that belong to holds which are due by `until`, as of the commit that
    /// the other reads see: call it between [`Snapshot::begin`] and [`Snapshot::end`].
    fn due_units(
        &self,
        key: &StockKey,
        stored: &Stored<Self::StockHandle>,
        until: Timestamp,
    ) -> u64;
    /// The latest time for which [`Snapshot::due_units`] is exact.
    fn exact_until(&self) -> Timestamp;
}

/// A state on which commands can be decided: it also names the holds that are due, which must
/// expire before a command meets them.
#[allow(clippy::missing_errors_doc, reason = "every function fails where the store does")]
pub trait Decidable: Read {
    /// The ids of the held reservations that expire first, and when each expires.
    fn first_due(&mut self, limit: u32) -> Result<Vec<(String, Timestamp)>, StoreFailure>;
    /// The ids of reservations that hold something of the stock and are due by `until`, the
    /// longest due first.
    fn due_on(
        &mut self,
        key: &StockKey,
        handle: &Self::StockHandle,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<String>, StoreFailure>;
}

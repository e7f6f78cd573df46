//! The traits for reading stocks and reservations, and the types that reads return.

use crate::model::{
    DeficitScan, QueryDeadline, Reservation, ReservationPage, ReservationScan, Stock, StockKey,
    StockScan, StoreFailure, Timestamp,
};
use std::fmt::Debug;

/// A store's private data about a stock or a reservation that was read, so that a write need not
/// look the row up again. Only the store that made a handle can interpret it.
pub trait Handle: Copy + Debug + Send + Sync + 'static {}

impl<T: Copy + Debug + Send + Sync + 'static> Handle for T {}

/// A stock as it is stored.
#[derive(Clone, Copy, Debug)]
pub struct Stored<H> {
    /// The store's handle of the stock.
    pub handle: H,
    /// The stock.
    pub stock: Stock,
}

/// A reservation as it is stored.
#[derive(Clone, Debug)]
pub struct StoredReservation<H> {
    /// The store's handle of the reservation.
    pub handle: H,
    /// The reservation.
    pub reservation: Reservation,
}

/// The stocks that a scan returns, with their keys.
pub type FoundStocks<H> = Vec<(StockKey, Stored<H>)>;

/// Reads stocks and reservations.
#[allow(clippy::missing_errors_doc, reason = "every function fails where the store does")]
pub trait Read: Send + 'static {
    /// The store's handle of a stock.
    type StockHandle: Handle;
    /// The store's handle of a reservation.
    type ReservationHandle: Handle;

    /// The stock with this key; `None` where it does not exist.
    fn stock(&mut self, key: &StockKey) -> Result<Option<Stored<Self::StockHandle>>, StoreFailure>;
    /// The stocks that match the scan, in key order.
    fn scan_stocks(
        &mut self,
        scan: &StockScan,
    ) -> Result<FoundStocks<Self::StockHandle>, StoreFailure>;
    /// The stocks below their minimum that match the scan, the largest deficit first, then in key
    /// order.
    fn scan_deficits(
        &mut self,
        scan: &DeficitScan,
    ) -> Result<FoundStocks<Self::StockHandle>, StoreFailure>;
    /// The reservation with this id; `None` where it does not exist.
    fn reservation(
        &mut self,
        id: &str,
    ) -> Result<Option<StoredReservation<Self::ReservationHandle>>, StoreFailure>;
    /// The reservations that match the scan, the newest first.
    fn scan_reservations(
        &mut self,
        scan: &ReservationScan,
    ) -> Result<ReservationPage, StoreFailure>;
}

/// A reader of committed data, for queries. A query writes nothing and therefore expires no hold.
/// Instead, the snapshot tells a query how many units are due, and the query counts them as free.
#[allow(clippy::missing_errors_doc, reason = "every function fails where the store does")]
pub trait Snapshot: Read {
    /// Pins a snapshot: all reads until [`Snapshot::end`] see the same commit.
    fn begin(&mut self) -> Result<(), StoreFailure>;
    /// Releases the snapshot pin: reads see the latest commit again.
    fn end(&mut self);
    /// Sets the deadline of the reads that follow. A read beyond it fails with
    /// [`StoreFailure::stopped`]. `None` removes the deadline.
    fn limit(&mut self, _deadline: Option<&QueryDeadline>) {}
    /// Whether no hold at all is due by `until`, as of the latest commit. Reads one atomic number.
    fn nothing_due(&self, until: Timestamp) -> bool;
    /// The units of the stock that belong to holds which are due by `until`, as of the pinned
    /// commit. Call it between [`Snapshot::begin`] and [`Snapshot::end`].
    fn due_units(
        &self,
        key: &StockKey,
        stored: &Stored<Self::StockHandle>,
        until: Timestamp,
    ) -> u64;
    /// The latest time for which [`Snapshot::due_units`] is exact.
    fn exact_until(&self) -> Timestamp;
}

/// A state on which commands can be decided. Such a state also names the holds that are due,
/// because a due hold must expire before a command reads its stocks.
#[allow(clippy::missing_errors_doc, reason = "every function fails where the store does")]
pub trait Decidable: Read {
    /// The ids of up to `limit` held reservations that expire first, with the time of each expiry.
    fn first_due(&mut self, limit: u32) -> Result<Vec<(String, Timestamp)>, StoreFailure>;
    /// The ids of up to `limit` reservations that hold units of the stock and are due by `until`,
    /// the longest due first.
    fn due_on(
        &mut self,
        key: &StockKey,
        handle: &Self::StockHandle,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<String>, StoreFailure>;
}

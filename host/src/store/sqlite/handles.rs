//! What this store keeps about stocks and reservations for itself.

use crate::store;

/// The handle of a stock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StockHandle {
    /// The number of the stock, so that the log need not repeat the key.
    pub(super) stock_id: i64,
    /// How many events there are about the stock.
    pub(super) event_count: u64,
    /// The sequence of the latest event about the stock.
    pub(super) last_event: u64,
}

/// The handle of a reservation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReservationHandle {
    /// The number of the reservation.
    pub(super) number: i64,
    /// The sequence of the latest event that names the reservation.
    pub(super) last_event: Option<u64>,
}

/// A stock as found in this store.
pub(super) type Stored = store::Stored<StockHandle>;

/// The stocks of a scan of this store, by key.
pub(super) type FoundStocks = store::FoundStocks<StockHandle>;

/// A reservation as found in this store.
pub(super) type StoredReservation = store::StoredReservation<ReservationHandle>;

/// A stock to be written to this store.
pub(super) type StockWrite<'a> = store::StockWrite<'a, StockHandle>;

/// A reservation to be written to this store.
pub(super) type ReservationWrite<'a> = store::ReservationWrite<'a, ReservationHandle>;

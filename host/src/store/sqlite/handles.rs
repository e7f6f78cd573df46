//! The handles of this store: private data about stocks and reservations that were read.

use crate::store;

/// The handle of a stock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StockHandle {
    /// The number of the stock, by which the log names it instead of by its key.
    pub(super) stock_id: i64,
    /// The number of events of the stock.
    pub(super) event_count: u64,
    /// The sequence of the latest event of the stock; 0 for a new stock.
    pub(super) last_event: u64,
}

/// The handle of a reservation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReservationHandle {
    /// The number of the reservation.
    pub(super) number: i64,
    /// The sequence of the latest event that names the reservation; `None` where there is none.
    pub(super) last_event: Option<u64>,
}

/// A stock as this store has it.
pub(super) type Stored = store::Stored<StockHandle>;

/// The stocks that a scan of this store returns, with their keys.
pub(super) type FoundStocks = store::FoundStocks<StockHandle>;

/// A reservation as this store has it.
pub(super) type StoredReservation = store::StoredReservation<ReservationHandle>;

/// A stock to be written to this store.
pub(super) type StockWrite<'a> = store::StockWrite<'a, StockHandle>;

/// A reservation to be written to this store.
pub(super) type ReservationWrite<'a> = store::ReservationWrite<'a, ReservationHandle>;

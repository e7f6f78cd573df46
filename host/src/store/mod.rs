//! Storage of stocks, reservations and the event log. No other room knows SQL.
//!
//! One [`Lane`] writes. Any number of [`Snapshot`]s and [`Log`]s read committed data and never wait
//! for the lane. A [`Store`] opens all three.

mod batch;
mod cached;
mod idempotency;
mod lane;
mod log;
mod memory;
mod past;
mod read;
mod scans;
pub mod sqlite;

pub use batch::{Batch, BatchKey, BatchKeys, NewEntry, ReservationWrite, StockWrite};
pub use cached::{Cache, Cached};
pub use idempotency::{IdempotencyBounds, IdempotencyKey, IdempotencyRecord, LargeRecords};
pub use lane::{CommitError, Committed, Lane, LogEnd, LookAhead};
pub use log::{EventPage, EventScan, Log, Order};
pub use memory::MemoryLane;
pub use past::PastState;
pub use read::{Decidable, FoundStocks, Handle, Read, Snapshot, Stored, StoredReservation};
pub(crate) use scans::{deficit, deficit_order, deficit_scan_matches, scan_matches};

use crate::model::{Integrity, StoreFailure};

/// An open store.
#[allow(clippy::missing_errors_doc, reason = "every function fails where the store does")]
pub trait Store: Clone + Send + Sync + 'static {
    /// The store's handle of a stock.
    type StockHandle: Handle;
    /// The store's handle of a reservation.
    type ReservationHandle: Handle;
    /// The writer.
    type Lane: Lane<StockHandle = Self::StockHandle, ReservationHandle = Self::ReservationHandle>;
    /// A reader of stocks and reservations.
    type Snapshot: Snapshot<StockHandle = Self::StockHandle, ReservationHandle = Self::ReservationHandle>;
    /// A reader of the event log.
    type Log: Log;

    /// Opens the writer. A store has at most one writer at a time.
    fn lane(&self) -> Result<Self::Lane, StoreFailure>;
    /// Opens a reader of stocks and reservations.
    fn snapshot(&self) -> Result<Self::Snapshot, StoreFailure>;
    /// Opens a reader of the event log.
    fn log(&self) -> Result<Self::Log, StoreFailure>;
    /// The result of the integrity check of the store's files so far.
    fn integrity(&self) -> Integrity;
}

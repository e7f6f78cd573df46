//! The only room that knows SQL: where stocks and the event log are kept.
//!
//! One [`Lane`] writes; any number of [`Snapshot`]s and [`Log`]s read what is committed, without
//! waiting for it. A [`Store`] opens all three.

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
    /// The store's own handle of a stock.
    type StockHandle: Handle;
    /// The store's own handle of a reservation.
    type ReservationHandle: Handle;
    /// The writer.
    type Lane: Lane<StockHandle = Self::StockHandle, ReservationHandle = Self::ReservationHandle>;
    /// A reader of stocks and reservations.
    type Snapshot: Snapshot<StockHandle = Self::StockHandle, ReservationHandle = Self::ReservationHandle>;
    /// A reader of the event log.
    type Log: Log;

    /// Opens the writer. There must be only one.
    fn lane(&self) -> Result<Self::Lane, StoreFailure>;
    /// Opens a reader of stocks and reservations.
    fn snapshot(&self) -> Result<Self::Snapshot, StoreFailure>;
    /// Opens a reader of the event log.
    fn log(&self) -> Result<Self::Log, StoreFailure>;
    /// What is known of the soundness of the store.
    fn integrity(&self) -> Integrity;
}

//! The only room that knows wasmtime: compiles components, runs them within limits, and
//! gives them the contract's imports. It knows nothing of HTTP or of where stocks are kept;
//! whoever runs a guest brings a [`World`].

mod caller;
mod contract;
mod convert;
mod domain;
mod guest;
mod imports;
mod lent;
mod library;
mod limits;
mod runtime;
mod wasi;

pub use caller::{Caller, Deciding};
pub use domain::{Compiled, Domain, Refused};
pub use guest::{Decision, Guest};
pub use lent::Lent;
pub use library::{Library, LibraryEntry, LibraryError};
pub use limits::Limits;
pub use runtime::Runtime;

use crate::model::{
    DeficitScan, Ended, Event, Reservation, ReservationPage, ReservationScan, Stock, StockKey,
    StockScan, Timestamp,
};

/// The component that this binary ships with, compiled for wasm32-wasip2.
pub const EMBEDDED: &[u8] = include_bytes!(env!("HOLDFAST_COMPONENT"));

/// What the contract's imports read from and write to during one call.
///
/// An error ends the call: a [`Fault`](crate::model::Fault) where the component did what
/// the contract forbids, a [`StoreFailure`](crate::model::StoreFailure) where the store let
/// the host down, [`Ended::Due`] where a command met something on which holds are due.
#[allow(clippy::missing_errors_doc, reason = "said once, above")]
pub trait World: Send + 'static {
    /// Says what the calls that follow are made for, and as of when.
    fn begin_call(&mut self, purpose: Purpose, now: Timestamp);
    /// The stock of this key, where there is one.
    fn stock(&mut self, key: &StockKey) -> Result<Option<Stock>, Ended>;
    /// Stores a stock.
    fn put_stock(&mut self, key: StockKey, stock: Stock) -> Result<(), Ended>;
    /// Stocks in key order.
    fn scan_stocks(&mut self, scan: &StockScan) -> Result<Vec<(StockKey, Stock)>, Ended>;
    /// Stocks below their minimum, the largest deficit first.
    fn scan_deficits(&mut self, scan: &DeficitScan) -> Result<Vec<(StockKey, Stock)>, Ended>;
    /// The reservation of this id, where there is one.
    fn reservation(&mut self, id: &str) -> Result<Option<Reservation>, Ended>;
    /// Stores a reservation.
    fn put_reservation(&mut self, id: String, reservation: Reservation) -> Result<(), Ended>;
    /// Reservations, the newest first.
    fn scan_reservations(&mut self, scan: &ReservationScan) -> Result<ReservationPage, Ended>;
    /// Appends facts.
    fn publish(&mut self, events: Vec<Event>) -> Result<(), Ended>;
}

/// What a call of the component is made for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To answer a query: units that are due count as free.
    Query,
    /// To decide a command: nothing may be due on what it meets.
    Command,
    /// To expire a hold that is due: others may be due on the same stocks.
    Expiry,
}

/// Generated from the contract.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "domain",
        imports: { default: trappable },
    });
}

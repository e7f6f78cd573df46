//! Compiles components, runs them within limits, and gives them the contract's imports. This is the
//! only room that knows wasmtime, and it knows nothing of HTTP or of where stocks are stored: each
//! guest works on a [`World`] that the host provides.

mod borrowed;
mod commands;
mod contract;
mod convert;
mod domain;
mod guest;
mod imports;
mod library;
mod limits;
mod queries;
mod runner;
mod runtime;
mod sandbox;
mod state;
mod wasi;

pub use borrowed::BorrowedWorld;
pub use domain::{Compiled, Domain, Refused};
pub use guest::{Decision, Guest};
pub use library::{Library, LibraryEntry, LibraryError};
pub use limits::Limits;
pub use runner::{CommandDomain, GuestRunner};
pub use runtime::Runtime;

use crate::model::{
    DeficitScan, Ended, Event, Reservation, ReservationPage, ReservationScan, Stock, StockKey,
    StockScan, Timestamp,
};

/// The component that is embedded in the program, compiled for wasm32-wasip2.
pub const EMBEDDED: &[u8] = include_bytes!(env!("HOLDFAST_COMPONENT"));

/// The state that the contract's imports read and write during one call.
///
/// An error ends the call: a [`Fault`](crate::model::Fault) where the component broke the contract,
/// a [`StoreFailure`](crate::model::StoreFailure) where the store failed, [`Ended::Due`] where a
/// command met a stock or a reservation on which holds are due.
#[allow(clippy::missing_errors_doc, reason = "the trait documents the errors of all its methods")]
pub trait World: Send + 'static {
    /// Announces a call: its purpose, and the time as of which it is made.
    fn begin_call(&mut self, purpose: Purpose, now: Timestamp);
    /// The stock of this key; `None` where it does not exist.
    fn stock(&mut self, key: &StockKey) -> Result<Option<Stock>, Ended>;
    /// Stores a stock.
    fn put_stock(&mut self, key: StockKey, stock: Stock) -> Result<(), Ended>;
    /// Stocks in key order.
    fn scan_stocks(&mut self, scan: &StockScan) -> Result<Vec<(StockKey, Stock)>, Ended>;
    /// Stocks below their minimum, the largest deficit first.
    fn scan_deficits(&mut self, scan: &DeficitScan) -> Result<Vec<(StockKey, Stock)>, Ended>;
    /// The reservation of this id; `None` where it does not exist.
    fn reservation(&mut self, id: &str) -> Result<Option<Reservation>, Ended>;
    /// Stores a reservation.
    fn put_reservation(&mut self, id: String, reservation: Reservation) -> Result<(), Ended>;
    /// Reservations, the newest first.
    fn scan_reservations(&mut self, scan: &ReservationScan) -> Result<ReservationPage, Ended>;
    /// Appends events.
    fn publish(&mut self, events: Vec<Event>) -> Result<(), Ended>;
}

/// The purpose of a call of the component.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To answer a query. Units of holds that are due count as free.
    Query,
    /// To decide a command. A command must not meet anything on which a hold is due.
    Command,
    /// To expire a hold that is due. Other holds may be due on the same stocks.
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

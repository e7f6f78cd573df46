//! The rules of inventory: what a stock and a reservation are, which commands change
//! them and when they are refused, which facts they leave behind.
//!
//! Deliberately absent: I/O, clocks, randomness, ids of its own making, async,
//! serialisation, the types of the WIT contract. Everything comes in as an argument
//! and everything goes out as a value, so a decision is a function of its inputs and
//! can be tested, replayed and compared as one.
//!
//! [`commands`] and [`queries`] are the handlers (load, decide, save, publish) over a
//! [`World`] that whoever runs them provides: the component, or a native test.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod arguments;
pub mod commands;
mod event;
mod key;
mod low_stock;
mod precondition;
mod quantity;
pub mod queries;
mod rejection;
pub mod reservation;
mod session;
mod stock;
mod text;
mod world;

pub use arguments::{RawKey, RawLine};
pub use event::{Change, Event, Movement};
pub use key::{ID_CHARACTERS_MAX, RESERVED_PRODUCT_IDS, StockKey, check_id};
pub use low_stock::{deficit, is_low};
pub use precondition::{Precondition, check_precondition};
pub use quantity::{QUANTITY_MAX, Quantity};
pub use rejection::{Detail, InvalidArgument, Rejection, ShortLine, Value};
pub use reservation::{LINES_MAX, Reservation, TTL_SECONDS_MAX};
pub use stock::{Level, Stock};
pub use world::{Context, DeficitPosition, DeficitScan, ReservationScan, StockScan, World};

/// Milliseconds since the Unix epoch, given by the caller.
pub type Timestamp = u64;

/// Counts the accepted changes of a stock, from 1.
pub type Version = u64;

/// The most items a page of a query holds.
pub const PAGE_ITEMS_MAX: u32 = 500;

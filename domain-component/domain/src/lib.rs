//! The rules of inventory: stocks, reservations, the commands that change them, the reasons to
//! refuse a command, and the events that an accepted command leaves behind.
//!
//! The crate deliberately contains no I/O, no clock, no randomness, no ids of its own making, no
//! async code, no serialisation and no type of the WIT contract. All inputs come in as arguments
//! and all results go out as values, so a decision is a function of its inputs and can be tested,
//! replayed and compared as one.
//!
//! [`commands`] and [`queries`] hold one handler per operation of the contract. A handler checks
//! its arguments, loads from a [`World`], decides, saves and publishes. The component implements
//! [`World`] with its imports, a native test with maps.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod argument;
mod arguments;
pub mod commands;
mod demand;
mod event;
mod id;
mod key;
mod key_index;
mod level;
mod low_stock;
mod message;
mod precondition;
mod quantity;
pub mod queries;
mod rejection;
pub mod reservation;
mod session;
mod status;
mod stock;
mod text;
mod units;
mod world;

#[cfg(test)]
mod tests;

pub use argument::InvalidArgument;
pub use arguments::{RawKey, RawLine};
pub use event::{Change, Event, Movement};
pub use id::{ID_CHARACTERS_MAX, check_id};
pub use key::{RESERVED_PRODUCT_IDS, StockKey};
pub use level::Level;
pub use low_stock::{deficit, is_low};
pub use precondition::{Precondition, check_precondition};
pub use quantity::{QUANTITY_MAX, Quantity};
pub use queries::PAGE_ITEMS_MAX;
pub use rejection::{Detail, Rejection, ShortLine, Value};
pub use reservation::{LINES_MAX, Reservation, TTL_SECONDS_MAX};
pub use stock::Stock;
pub use units::{Timestamp, Version};
pub use world::{Context, DeficitPosition, DeficitScan, ReservationScan, StockScan, World};

//! The commands, one function each: check the arguments, load, decide, save, publish.
//!
//! The checks come in this order: arguments, existence, precondition, state, range, business rule.
//! A command that is refused saves nothing and publishes nothing.

mod expiry;
mod hold;
mod reservation;
mod resolve;
mod stock;
mod transfer;

pub use expiry::{confirm, expire, extend};
pub use hold::{hold, replace};
pub use reservation::ReservationOutcome;
pub use resolve::{cancel, fulfill};
pub use stock::{StockOutcome, adjust_by, adjust_set, release, reserve};
pub use transfer::{TransferOutcome, transfer};

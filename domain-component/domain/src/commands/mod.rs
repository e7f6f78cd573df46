//! One function per command: parse the arguments, load, decide, save, publish.

mod expiry;
mod reservation;
mod stock;
mod transfer;

pub use expiry::expire;
pub use reservation::{ReservationOutcome, cancel, confirm, extend, fulfil, hold, replace};
pub use stock::{StockOutcome, adjust_by, adjust_set, release, reserve};
pub use transfer::{TransferOutcome, transfer};

#[cfg(test)]
mod tests;

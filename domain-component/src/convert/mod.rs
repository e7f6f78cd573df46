//! Conversions between the contract's types and those of the crate `domain`.

pub(crate) mod event;
pub(crate) mod rejection;
pub(crate) mod reservation;
pub(crate) mod stock;

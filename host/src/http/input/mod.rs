//! Parse, don't validate: from the bytes of a request to values that cannot be wrong. All
//! that is wrong with a request is told at once.

mod body;
mod faults;
mod json;
mod params;
mod path;

pub(super) use body::{JsonBody, receive};
pub(super) use faults::{Faults, Part};
pub(super) use json::Json;
pub(super) use params::Params;
pub(super) use path::{ReservationPath, StockPath};

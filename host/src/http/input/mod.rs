//! Parse, don't validate: from the bytes of a request to values that cannot be wrong. All
//! that is wrong with a request is told at once.

mod bodies;
mod body;
mod faults;
mod json;
mod large;
mod params;
mod path;
mod receive;

pub(super) use bodies::Bodies;
pub(super) use body::JsonBody;
pub(super) use faults::{Faults, Part};
pub(super) use json::Json;
pub(super) use large::work_on;
pub(super) use params::Params;
pub(super) use path::{ReservationPath, StockPath};
pub(super) use receive::{BodyLimits, receive};

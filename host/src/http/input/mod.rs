//! Requests as they come in: bodies within their limits, what the path names, and JSON.

mod bodies;
mod json;
mod large;
mod receive;
mod target;

use super::App;

pub(super) use bodies::Bodies;
pub(super) use json::{read_json, receive_json};
pub(super) use large::work_on;
pub(super) use receive::{BodyLimits, receive};
pub(super) use target::{EventTarget, InPath, NoTarget, ReservationTarget, StockTarget, Target};

//! The input of a request: its body within the limits, JSON, and the target that its path names.

mod budget;
mod json;
mod large;
mod receive;
mod target;

use super::App;

pub(super) use budget::BodyBudget;
pub(super) use json::{read_json, receive_json};
pub(super) use large::process_body;
pub(super) use receive::{BodyLimits, receive};
pub(super) use target::{EventTarget, InPath, NoTarget, ReservationTarget, StockTarget, Target};

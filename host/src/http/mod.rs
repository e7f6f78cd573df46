//! The only room that knows HTTP and JSON: requests in, typed commands and queries out,
//! answers and problems back. It knows nothing of wasmtime, of SQL or of the rules; what a
//! rejection means in HTTP is looked up by its code.

mod admin;
#[cfg(test)]
mod agreement;
mod answers;
mod body;
mod commands;
mod conditional;
mod cursor;
mod docs;
mod events;
mod health;
mod identity;
mod input;
mod inventory;
mod metrics;
mod openapi;
mod parameters;
mod problem;
mod reservations;
mod router;
mod server;
mod state;
mod whole;

pub use admin::{ExplanationBody, ReplayBody};
pub use router::{document, router};
pub use server::{Traffic, listen, serve};
pub use state::App;
use state::Caller;

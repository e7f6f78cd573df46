//! HTTP and JSON. This room turns requests into typed commands and queries, and their results into
//! answers and problems. It is the only one that knows HTTP; it does not know wasmtime, SQL or the
//! rules. The status of a rejection is looked up by the rejection's code.

mod admin;
#[cfg(test)]
mod agreement;
mod answers;
mod body;
mod buffered;
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

pub use admin::{ExplanationBody, ReplayBody};
pub use router::{document, router};
pub use server::{Traffic, listen, serve};
pub use state::App;
use state::Caller;

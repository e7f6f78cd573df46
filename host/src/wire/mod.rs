//! Events as JSON, in the one form that every reader of the log gets.
//!
//! The functions here are pure: they turn values of the model into bodies that `serde` writes, and
//! describe these bodies for the OpenAPI document. This room knows neither HTTP nor the store, so
//! every channel that delivers events can use it.

mod event;
mod event_types;
mod schema;
pub mod time;
mod words;

#[cfg(test)]
mod tests;

pub use event::{ComponentBody, EventBody, LevelBody, LogEntryBody, StatusBody};
pub use event_types::EVENT_TYPES;
pub use words::ReservationStateSchema;

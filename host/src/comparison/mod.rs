//! Compares what two components make of the same commands.
//!
//! The room knows the model and nothing else: neither which components decided nor where the state
//! came from.

mod differences;
mod effect;

pub use differences::{Comparison, Count, Difference};
pub use effect::Effect;

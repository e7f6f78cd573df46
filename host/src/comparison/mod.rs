//! Compares the effects that the same commands have under two components.
//!
//! The room knows only the model: neither which components decided nor where the state came from.

mod differences;
mod effect;

pub use differences::{Comparison, Count, Difference};
pub use effect::Effect;

//! An argument that a command or query cannot accept.

use crate::text::{
    Part::{Count, Text},
    text,
};
use alloc::string::String;

/// An argument that a command or query cannot accept, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvalidArgument {
    /// The name of the argument in `snake_case`.
    pub name: &'static str,
    /// The reason as the rest of a sentence that begins with the name. It states the bounds and
    /// the given value.
    pub message: String,
    /// The position of the argument's line in the request, counted from 0; `None` where the
    /// argument belongs to the whole request.
    pub line: Option<u32>,
}

impl InvalidArgument {
    /// Describes an argument that belongs to the whole request.
    #[must_use]
    pub const fn new(name: &'static str, message: String) -> Self {
        Self { name, message, line: None }
    }

    /// Describes a number `is` that lies outside `least..=most`.
    #[must_use]
    pub fn out_of_range(name: &'static str, least: u64, most: u64, is: u64) -> Self {
        let message = text(&[
            Text("must be from "),
            Count(least),
            Text(" to "),
            Count(most),
            Text(", is "),
            Count(is),
        ]);
        Self::new(name, message)
    }
}

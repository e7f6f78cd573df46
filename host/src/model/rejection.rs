use serde::{Deserialize, Serialize};

/// An expected refusal by the domain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rejection {
    /// Stable; lowercase words joined by hyphens.
    pub code: String,
    /// One sentence for a person.
    pub message: String,
    /// The facts behind it.
    pub details: Vec<Detail>,
}

/// A named fact about a refusal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Detail {
    /// The line of the command it is about; none: the whole command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// In `snake_case`.
    pub name: String,
    /// The fact.
    pub value: Value,
}

/// A value in a rejection's details.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// A text.
    Text(String),
    /// A count.
    Unsigned(u64),
    /// A number that can be negative.
    Signed(i64),
    /// Yes or no.
    Flag(bool),
}

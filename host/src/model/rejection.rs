/// A refusal by the domain, which is expected and changes nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rejection {
    /// A stable code: lowercase words joined by hyphens.
    pub code: String,
    /// One sentence for a person.
    pub message: String,
    /// The facts behind the refusal.
    pub details: Vec<Detail>,
}

/// A named fact behind a rejection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Detail {
    /// The index of the command's line that the fact is about; `None` where the fact is about the
    /// whole command.
    pub line: Option<u32>,
    /// The name of the fact, in `snake_case`.
    pub name: String,
    /// The fact.
    pub value: Value,
}

/// A value in the details of a rejection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// A text.
    Text(String),
    /// A count.
    Unsigned(u64),
    /// A number that can be negative.
    Signed(i64),
    /// A truth value.
    Flag(bool),
}

//! The trait [`Value`] of the types that a member of a body or a query parameter can have.

use super::{
    any,
    scalar::Scalar,
    violations::{Part, Violations},
};
use serde::de::{DeserializeSeed, Deserializer};
use std::{fmt, marker::PhantomData};

/// A JSON schema in the dialect of OpenAPI 3.1.
pub(in crate::http) type Schema = serde_json::Value;

/// The schemas that others refer to by name.
pub(in crate::http) type Schemas = Vec<(String, Schema)>;

/// A type with a parser, for JSON and query parameters, and a schema in the OpenAPI document. The
/// two stand side by side; a property test compares them by means of an independent validator.
pub(in crate::http) trait Value: Sized {
    /// Reads the value. Returns `None` where the value is invalid; the reader has its violations
    /// then.
    ///
    /// # Errors
    /// The source is not JSON.
    fn read<'de, D: Deserializer<'de>>(
        source: D,
        reader: &mut Reader<'_>,
    ) -> Result<Option<Self>, D::Error>;

    /// Returns the value of an absent member; `None` where the member is required.
    fn absent() -> Option<Self> {
        None
    }

    /// Returns the schema: a reference for an object, the whole schema for anything else.
    fn schema() -> Schema;

    /// Adds the schemas that [`Value::schema`] refers to by name.
    fn named(_: &mut Schemas) {}
}

/// A position in the request that is being read, and the violations found so far.
pub(in crate::http) struct Reader<'a> {
    violations: &'a mut Violations,
    part: Part,
    position: Position<'a>,
}

/// A position as a linked list from the innermost member outwards, so that reading allocates
/// nothing. Its text is a JSON pointer (RFC 6901).
enum Position<'a> {
    Root,
    Member(&'a Position<'a>, &'a str),
    Item(&'a Position<'a>, usize),
}

impl<'a> Reader<'a> {
    /// Creates a reader at the root of a part of a request.
    pub(in crate::http) fn new(part: Part, violations: &'a mut Violations) -> Self {
        Self { violations, part, position: Position::Root }
    }

    /// Returns a reader of a member of this object.
    pub(in crate::http) fn member<'b>(&'b mut self, name: &'b str) -> Reader<'b> {
        let position = Position::Member(&self.position, name);
        Reader { violations: self.violations, part: self.part, position }
    }

    /// Returns a reader of an item of this array.
    pub(in crate::http) fn item(&mut self, index: usize) -> Reader<'_> {
        let position = Position::Item(&self.position, index);
        Reader { violations: self.violations, part: self.part, position }
    }

    /// Adds a violation at this position.
    pub(in crate::http) fn refuse(&mut self, detail: impl fmt::Display) {
        let pointer = || self.position.to_string();
        self.violations.add_at(self.part, pointer, detail);
    }

    /// Adds the violation that the member or parameter is unknown.
    pub(in crate::http) fn refuse_unknown(&mut self) {
        self.refuse(match self.part {
            Part::Query => "is not a parameter of this route",
            _ => "is not a member of this request",
        });
    }

    /// Adds the violation that a batch has too many commands.
    pub(in crate::http) fn too_many_commands(&mut self, commands: usize) {
        self.violations.too_many_commands(commands);
    }
}

impl fmt::Display for Position<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Item(outer, index) => write!(f, "{outer}/{index}"),
            Self::Member(outer, name) => {
                write!(f, "{outer}/{}", name.replace('~', "~0").replace('/', "~1"))
            }
        }
    }
}

/// Gives a reader to a nested value: serde passes state only through a seed.
pub(super) struct Seed<'a, T>(Reader<'a>, PhantomData<T>);

impl<'a, T> Seed<'a, T> {
    pub(super) fn new(reader: Reader<'a>) -> Self {
        Self(reader, PhantomData)
    }
}

impl<'de, T: Value> DeserializeSeed<'de> for Seed<'_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(mut self, source: D) -> Result<Option<T>, D::Error> {
        T::read(source, &mut self.0)
    }
}

/// A value that is neither an object nor an array.
pub(in crate::http) trait Leaf: Sized {
    /// Makes the value.
    ///
    /// # Errors
    /// The scalar is invalid. The message says what it must be, and what it is.
    fn parse(scalar: Scalar<'_>) -> Result<Self, String>;
}

/// Reads a leaf. Returns `None` where it is refused.
pub(in crate::http) fn read_leaf<'de, T: Leaf, D: Deserializer<'de>>(
    source: D,
    reader: &mut Reader<'_>,
) -> Result<Option<T>, D::Error> {
    let scalar = match (any::read_scalar(source)?, reader.part) {
        (Scalar::Text(text), Part::Query) => Scalar::Word(text),
        (scalar, _) => scalar,
    };
    Ok(match T::parse(scalar) {
        Ok(value) => Some(value),
        Err(detail) => {
            reader.refuse(detail);
            None
        }
    })
}

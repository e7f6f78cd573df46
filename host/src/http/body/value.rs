//! What a member of a body, or a query parameter, can be: the trait [`Value`].

use super::{
    scalar::Scalar,
    violations::{Part, Violations},
};
use serde::de::{DeserializeSeed, Deserializer};
use std::{fmt, marker::PhantomData};

/// A JSON schema, as OpenAPI 3.1 has it.
pub(in crate::http) type Schema = serde_json::Value;

/// Named schemas that a document needs for its references.
pub(in crate::http) type Schemas = Vec<(String, Schema)>;

/// A type that is read from JSON or from a query parameter, valid or refused, and that describes
/// itself in the OpenAPI document. Parser and schema of a type stand side by side, and a property
/// test holds them against each other with an independent validator.
pub(in crate::http) trait Value: Sized {
    /// Reads the value. Returns `None` where the value is refused: then the reader has been told
    /// why.
    ///
    /// # Errors
    /// The source is no JSON.
    fn read<'de, D: Deserializer<'de>>(
        source: D,
        reader: &mut Reader<'_>,
    ) -> Result<Option<Self>, D::Error>;

    /// The value of a member that is absent; `None` where the member is required.
    fn absent() -> Option<Self> {
        None
    }

    /// The schema: a reference for an object, in full for anything else.
    fn schema() -> Schema;

    /// Adds the schemas of the objects that [`Value::schema`] refers to.
    fn named(_: &mut Schemas) {}
}

/// The place in a request that is being read, and where its violations go.
pub(in crate::http) struct Reader<'a> {
    violations: &'a mut Violations,
    part: Part,
    place: Place<'a>,
}

/// A JSON pointer as a list from the inside out, so that it costs nothing until it is shown.
enum Place<'a> {
    Root,
    Member(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl<'a> Reader<'a> {
    /// A reader of a whole part of a request.
    pub(in crate::http) fn new(part: Part, violations: &'a mut Violations) -> Self {
        Self { violations, part, place: Place::Root }
    }

    /// A reader of a member.
    pub(in crate::http) fn member<'b>(&'b mut self, name: &'b str) -> Reader<'b> {
        let place = Place::Member(&self.place, name);
        Reader { violations: self.violations, part: self.part, place }
    }

    /// A reader of an item of an array.
    pub(in crate::http) fn item(&mut self, index: usize) -> Reader<'_> {
        let place = Place::Item(&self.place, index);
        Reader { violations: self.violations, part: self.part, place }
    }

    /// Refuses what stands at this place.
    pub(in crate::http) fn refuse(&mut self, detail: impl fmt::Display) {
        let pointer = || self.place.to_string();
        self.violations.add_at(self.part, pointer, detail);
    }

    /// Refuses a member that the object does not have.
    pub(in crate::http) fn refuse_unknown(&mut self) {
        self.refuse(match self.part {
            Part::Query => "is not a parameter of this route",
            _ => "is not a member of this request",
        });
    }

    /// Refuses a batch for its number of commands.
    pub(in crate::http) fn too_many_commands(&mut self, commands: usize) {
        self.violations.too_many_commands(commands);
    }
}

impl fmt::Display for Place<'_> {
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

/// Reads a value as part of a larger one, where serde wants a seed.
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

/// A value that is no object and no array.
pub(in crate::http) trait Leaf: Sized {
    /// The value.
    ///
    /// # Errors
    /// Says what the value must be, and what it is.
    fn parse(scalar: Scalar<'_>) -> Result<Self, String>;
}

/// Reads a leaf.
pub(in crate::http) fn read_leaf<'de, T: Leaf, D: Deserializer<'de>>(
    source: D,
    reader: &mut Reader<'_>,
) -> Result<Option<T>, D::Error> {
    let scalar = match (Scalar::read(source)?, reader.part) {
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

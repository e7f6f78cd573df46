//! A JSON value in memory. A command of a batch is read into one first: its members depend on its
//! `type`, which may come last. Unlike `serde_json::Value`, it keeps members that are given twice,
//! so that they can be refused.

use super::{
    any::{self, Handler},
    scalar::Scalar,
};
use serde::de::{
    Deserialize, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor,
    value::{MapDeserializer, SeqDeserializer},
};

/// Any JSON value.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::http) enum Tree {
    Null,
    Bool(bool),
    /// A whole number, even if it was written with a fraction or an exponent.
    Integer(i128),
    /// Any other number.
    Fraction(f64),
    Text(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Tree {
    /// Describes the value in a violation, as [`Scalar::shown`] does.
    pub(in crate::http) fn shown(&self) -> String {
        let scalar = match self {
            Self::Null => Scalar::Null,
            Self::Bool(value) => Scalar::Bool(*value),
            Self::Integer(number) => Scalar::Integer(*number),
            Self::Fraction(number) => Scalar::Fraction(*number),
            Self::Text(text) => Scalar::Text(text.into()),
            Self::Array(_) => Scalar::Array,
            Self::Object(_) => Scalar::Object,
        };
        scalar.shown()
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        any::read(source, TreeHandler)
    }
}

struct TreeHandler;

impl<'de> Handler<'de> for TreeHandler {
    type Output = Tree;

    fn scalar(self, value: Scalar<'de>) -> Tree {
        match value {
            Scalar::Null => Tree::Null,
            Scalar::Bool(value) => Tree::Bool(value),
            Scalar::Integer(number) => Tree::Integer(number),
            Scalar::Fraction(number) => Tree::Fraction(number),
            Scalar::Text(text) | Scalar::Word(text) => Tree::Text(text.into_owned()),
            Scalar::Array => Tree::Array(Vec::new()),
            Scalar::Object => Tree::Object(Vec::new()),
        }
    }

    fn array<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Tree::Array(array))
    }

    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Tree::Object(object))
    }
}

/// A deserializer that reads a value in memory.
pub(in crate::http) struct FromTree<E>(Tree, std::marker::PhantomData<E>);

impl<'de, E: Error> IntoDeserializer<'de, E> for Tree {
    type Deserializer = FromTree<E>;

    fn into_deserializer(self) -> FromTree<E> {
        FromTree(self, std::marker::PhantomData)
    }
}

impl<'de, E: Error> Deserializer<'de> for FromTree<E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match self.0 {
            Tree::Null => visitor.visit_unit(),
            Tree::Bool(value) => visitor.visit_bool(value),
            Tree::Integer(value) => visitor.visit_i128(value),
            Tree::Fraction(value) => visitor.visit_f64(value),
            Tree::Text(value) => visitor.visit_string(value),
            Tree::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter())),
            Tree::Object(members) => visitor.visit_map(MapDeserializer::new(members.into_iter())),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match self.0 {
            Tree::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<Tree> {
        serde_json::from_str(text).ok()
    }

    #[test]
    fn repeated_members_are_kept() {
        let twice = Tree::Object(vec![("a".into(), Tree::Integer(1)), ("a".into(), Tree::Null)]);
        assert_eq!(parse(r#"{"a": 1, "a": null}"#), Some(twice));
    }

    #[test]
    fn nesting_has_a_bound() {
        assert!(parse(&format!("{}{}", "[".repeat(100), "]".repeat(100))).is_some());
        assert!(parse(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))).is_none());
    }
}

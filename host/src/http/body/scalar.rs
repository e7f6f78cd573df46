//! One JSON value, read without its content where it is an array or an object.

use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::{borrow::Cow, fmt};

/// The largest magnitude below which each whole number has a `f64` of its own: 2^53.
const EXACT_FLOAT: f64 = 9_007_199_254_740_992.0;

/// A value that a member or a query parameter was given.
#[derive(Debug)]
pub(in crate::http) enum Scalar<'a> {
    Null,
    Bool(bool),
    /// A number that is whole, also where it was written with a fraction or an exponent.
    Integer(i128),
    /// Any other number.
    Fraction(f64),
    Text(Cow<'a, str>),
    /// The text of a query parameter, which may stand for a number or a boolean.
    Word(Cow<'a, str>),
    Array,
    Object,
}

impl<'a> Scalar<'a> {
    /// Reads a value.
    pub(super) fn read<'de: 'a, D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(ScalarVisitor)
    }

    /// The value for a person: a number as it is, otherwise its type.
    pub(in crate::http) fn shown(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(_) => "a boolean".to_owned(),
            Self::Integer(number) => number.to_string(),
            Self::Fraction(number) => number.to_string(),
            Self::Text(_) => "a string".to_owned(),
            Self::Word(word) => format!("{word:?}"),
            Self::Array => "an array".to_owned(),
            Self::Object => "an object".to_owned(),
        }
    }

    /// The whole number, where the value is one. A query parameter has the digits that JSON would
    /// have: no `+`, no leading zeros.
    pub(in crate::http) fn integer(&self) -> Option<i128> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Word(word) => {
                let number: i128 = word.parse().ok()?;
                (number.to_string() == **word).then_some(number)
            }
            _ => None,
        }
    }

    /// The boolean, where the value is one.
    pub(in crate::http) fn boolean(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::Word(word) => word.parse().ok(),
            _ => None,
        }
    }

    /// The text, where the value is one.
    ///
    /// # Errors
    /// Says what the value is.
    pub(in crate::http) fn text(self) -> Result<Cow<'a, str>, String> {
        match self {
            Self::Text(text) | Self::Word(text) => Ok(text),
            other => Err(format!("must be a string, is {}", other.shown())),
        }
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Integer(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Integer(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        #[allow(clippy::cast_possible_truncation, reason = "whole, and within 2^53")]
        let whole = |value: f64| Scalar::Integer(value as i128);
        Ok(match value {
            value if value.fract() == 0.0 && value.abs() <= EXACT_FLOAT => whole(value),
            value => Scalar::Fraction(value),
        })
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Array)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Object)
    }
}

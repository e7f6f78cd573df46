//! One JSON value. Of an array or an object only the kind is kept.

use std::borrow::Cow;

/// The value of a member or of a query parameter.
#[derive(Debug)]
pub(in crate::http) enum Scalar<'a> {
    Null,
    Bool(bool),
    /// A whole number, even if it was written with a fraction or an exponent (`1.0`, `1e3`).
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
    /// Describes the value in a violation: a number or a query parameter as it is, anything else by
    /// its kind.
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

    /// Returns the whole number, where the value is one. A query parameter must be written as in
    /// JSON, without a `+` and without leading zeros.
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

    /// Returns the boolean, where the value is one.
    pub(in crate::http) fn boolean(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::Word(word) => word.parse().ok(),
            _ => None,
        }
    }

    /// Returns the text.
    ///
    /// # Errors
    /// The value is not a text. The message says what the value is.
    pub(in crate::http) fn text(self) -> Result<Cow<'a, str>, String> {
        match self {
            Self::Text(text) | Self::Word(text) => Ok(text),
            other => Err(format!("must be a string, is {}", other.shown())),
        }
    }
}

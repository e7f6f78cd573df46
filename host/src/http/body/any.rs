//! The one list of the kinds of JSON values in this room: a serde visitor that accepts a value of
//! any kind and gives it to a [`Handler`].

use super::scalar::Scalar;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::{borrow::Cow, fmt};

/// Turns a JSON value of any kind into a result. A handler of arrays or of objects overrides the
/// method for these; by default their content is skipped.
pub(super) trait Handler<'de>: Sized {
    /// The result.
    type Output;

    /// Handles a value; of an array or an object only the kind is known.
    fn scalar(self, value: Scalar<'de>) -> Self::Output;

    /// Handles an array.
    ///
    /// # Errors
    /// The source is not JSON.
    fn array<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Output, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self.scalar(Scalar::Array))
    }

    /// Handles an object.
    ///
    /// # Errors
    /// The source is not JSON.
    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Output, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self.scalar(Scalar::Object))
    }
}

/// Reads a value of any kind and returns what the handler makes of it.
///
/// # Errors
/// The source is not JSON.
pub(super) fn read<'de, H: Handler<'de>, D: Deserializer<'de>>(
    source: D,
    handler: H,
) -> Result<H::Output, D::Error> {
    source.deserialize_any(AnyVisitor(handler))
}

/// Reads a value; of an array or an object only the kind is kept.
///
/// # Errors
/// The source is not JSON.
pub(super) fn read_scalar<'de, D: Deserializer<'de>>(source: D) -> Result<Scalar<'de>, D::Error> {
    read(source, ScalarHandler)
}

struct ScalarHandler;

impl<'de> Handler<'de> for ScalarHandler {
    type Output = Scalar<'de>;

    fn scalar(self, value: Scalar<'de>) -> Scalar<'de> {
        value
    }
}

/// The largest magnitude up to which a `f64` represents every whole number exactly: 2^53.
const EXACT_FLOAT_MAX: f64 = 9_007_199_254_740_992.0;

struct AnyVisitor<H>(H);

impl<'de, H: Handler<'de>> Visitor<'de> for AnyVisitor<H> {
    type Value = H::Output;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<H::Output, E> {
        Ok(self.0.scalar(Scalar::Null))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<H::Output, E> {
        Ok(self.0.scalar(Scalar::Bool(value)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<H::Output, E> {
        Ok(self.0.scalar(Scalar::Integer(value.into())))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<H::Output, E> {
        Ok(self.0.scalar(Scalar::Integer(value.into())))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<H::Output, E> {
        Ok(self.0.scalar(Scalar::Integer(value)))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<H::Output, E> {
        #[allow(clippy::cast_possible_truncation, reason = "whole, and within 2^53")]
        let whole = |value: f64| Scalar::Integer(value as i128);
        Ok(self.0.scalar(match value {
            value if value.fract() == 0.0 && value.abs() <= EXACT_FLOAT_MAX => whole(value),
            value => Scalar::Fraction(value),
        }))
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<H::Output, E> {
        Ok(self.0.scalar(Scalar::Text(Cow::Borrowed(value))))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<H::Output, E> {
        Ok(self.0.scalar(Scalar::Text(Cow::Owned(value.to_owned()))))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<H::Output, E> {
        Ok(self.0.scalar(Scalar::Text(Cow::Owned(value))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<H::Output, A::Error> {
        self.0.array(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<H::Output, A::Error> {
        self.0.object(members)
    }
}

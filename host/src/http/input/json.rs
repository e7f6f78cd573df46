use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// A JSON value as it was written: unlike `serde_json::Value` it keeps repeated members, so
/// that they can be refused, and tells integers from other numbers.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::http) enum Json {
    Null,
    Bool(bool),
    Unsigned(u64),
    /// Negative.
    Signed(i64),
    /// With a fraction or an exponent, or beyond 64 bits.
    OtherNumber,
    String(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Json {
    /// What it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Unsigned(_) | Self::Signed(_) => "an integer",
            Self::OtherNumber => "a number with a fraction, an exponent or too many digits",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyJson)
    }
}

struct AnyJson;

impl<'de> Visitor<'de> for AnyJson {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Unsigned(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(u64::try_from(value).map_or(Json::Signed(value), Json::Unsigned))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Json, E> {
        Ok(Json::OtherNumber)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<Json> {
        serde_json::from_str(text).ok()
    }

    #[test]
    fn numbers_are_integers_or_something_else() {
        assert_eq!(parse("7"), Some(Json::Unsigned(7)));
        assert_eq!(parse("-7"), Some(Json::Signed(-7)));
        assert_eq!(parse("18446744073709551615"), Some(Json::Unsigned(u64::MAX)));
        for other in ["1.0", "1e3", "18446744073709551616", "-9223372036854775809", "-0", "1e999"] {
            assert!(matches!(parse(other), Some(Json::OtherNumber) | None), "{other}");
        }
    }

    #[test]
    fn repeated_members_are_kept() {
        let twice = Json::Object(vec![("a".into(), Json::Unsigned(1)), ("a".into(), Json::Null)]);
        assert_eq!(parse(r#"{"a": 1, "a": null}"#), Some(twice));
    }

    #[test]
    fn nesting_has_a_bound() {
        assert!(parse(&format!("{}{}", "[".repeat(100), "]".repeat(100))).is_some());
        assert!(parse(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))).is_none());
    }
}

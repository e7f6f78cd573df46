//! The values of members and parameters, one type for each kind. A value of such a type is valid.

use super::{scalar::Scalar, value::Schema};
use crate::{
    model::{
        ID_CHARACTERS_MAX, LocationId, PAGE_ITEMS_MAX, ProductId, QUANTITY_MAX, ReservationState,
        TTL_SECONDS_MAX, Timestamp,
    },
    wire::time,
};
use serde_json::json;

/// The maximum length of a reason or a reference, in characters.
const TEXT_CHARACTERS_MAX: usize = 256;

/// The default time to live of a hold, in seconds.
const TTL_SECONDS: u32 = 900;

/// The default number of items on a page.
const PAGE_ITEMS: u32 = 100;

/// Implements [`Leaf`](super::Leaf) and [`Value`](super::Value) for a type, given its schema, its
/// value where it is absent (without one, the member is required), and its parser.
macro_rules! leaf {
    (@absent) => { None };
    (@absent $absent:expr) => { Some($absent) };
    (
        $(@[$($generic:tt)*])? $type:ty, $schema:expr $(, absent = $absent:expr)?
        $(, named = ($name:expr, $named:expr))?;
        $parse:expr
    ) => {
        impl $(<$($generic)*>)? $crate::http::body::Leaf for $type {
            fn parse(scalar: $crate::http::body::Scalar<'_>) -> Result<Self, String> {
                let parse: fn($crate::http::body::Scalar<'_>) -> Result<Self, String> = $parse;
                parse(scalar)
            }
        }

        impl $(<$($generic)*>)? $crate::http::body::Value for $type {
            fn read<'de, D: serde::Deserializer<'de>>(
                source: D,
                reader: &mut $crate::http::body::Reader<'_>,
            ) -> Result<Option<Self>, D::Error> {
                $crate::http::body::read_leaf(source, reader)
            }

            fn absent() -> Option<Self> {
                $crate::http::body::leaf!(@absent $($absent)?)
            }

            fn schema() -> $crate::http::body::Schema {
                $schema
            }

            $(fn named(schemas: &mut $crate::http::body::Schemas) {
                schemas.push(($name.to_owned(), $named));
            })?
        }
    };
}

/// Returns the integer from `least` to `most` that the scalar is.
///
/// # Errors
/// The scalar is not such an integer. The message has the bounds and the scalar.
fn integer(scalar: &Scalar<'_>, least: i128, most: i128) -> Result<i128, String> {
    let number = scalar.integer().filter(|number| (least..=most).contains(number));
    number
        .ok_or_else(|| format!("must be an integer from {least} to {most}, is {}", scalar.shown()))
}

/// Returns the integer from `least` to `most` that the scalar is, as [`integer`] does.
fn unsigned(scalar: &Scalar<'_>, least: u64, most: u64) -> Result<u64, String> {
    let number = integer(scalar, least.into(), most.into())?;
    u64::try_from(number).map_err(|error| error.to_string())
}

/// Printable ASCII without spaces, but neither `.` nor `..`: up to two dots and another character,
/// or three dots, and then anything.
const ID: &str = r"^(\.{0,2}[!-\-/-~]|\.{3})[!-~]*$";

fn id_schema() -> Schema {
    json!({"type": "string", "minLength": 1, "maxLength": ID_CHARACTERS_MAX, "pattern": ID})
}

/// Refuses `.` and `..`: a client takes them out of a path before it sends the path (RFC 3986,
/// section 5.2.4), so nothing with such an id could be addressed. Older data may have such ids,
/// so only requests are checked.
///
/// # Errors
/// Says that the id is one of the two.
pub(in crate::http) fn check_addressable(id: &str) -> Result<(), String> {
    if matches!(id, "." | "..") {
        return Err("must not be . or ..: no path can carry it".to_owned());
    }
    Ok(())
}

leaf! { ProductId, id_schema();
    |scalar| {
        let id = scalar.text()?.into_owned();
        check_addressable(&id)?;
        Self::parse(id).map_err(|error| error.to_string())
    }
}

leaf! { LocationId, id_schema();
    |scalar| {
        let id = scalar.text()?.into_owned();
        check_addressable(&id)?;
        Self::parse(id).map_err(|error| error.to_string())
    }
}

/// The id of a reservation: 1 to 128 printable ASCII characters without spaces.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::http) struct ReservationId(pub(in crate::http) String);

impl ReservationId {
    /// Makes an id of a text.
    ///
    /// # Errors
    /// The text is not an id. The message says why.
    pub(in crate::http) fn of(text: String) -> Result<Self, String> {
        check_addressable(&text)?;
        LocationId::check(&text).map_err(|error| error.to_string())?;
        Ok(Self(text))
    }
}

leaf! { ReservationId, id_schema(); |scalar| Self::of(scalar.text()?.into_owned()) }

/// The beginning of a product id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::http) struct Prefix(pub(in crate::http) String);

leaf! { Prefix,
    json!({"type": "string", "minLength": 1, "maxLength": ID_CHARACTERS_MAX,
        "pattern": "^[!-~]+$"});
    |scalar| {
        let text = scalar.text()?.into_owned();
        ProductId::parse_prefix(&text).map_err(|error| error.to_string())?;
        Ok(Self(text))
    }
}

/// A number of units, from `LEAST` to 999,999,999,999.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::http) struct Quantity<const LEAST: u64>(pub(in crate::http) u64);

leaf! { @[const LEAST: u64] Quantity<LEAST>,
    json!({"type": "integer", "format": "int64", "minimum": LEAST, "maximum": QUANTITY_MAX});
    |scalar| unsigned(&scalar, LEAST, QUANTITY_MAX).map(Self)
}

/// A signed number of units other than 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::http) struct Delta(pub(in crate::http) i64);

leaf! { Delta,
    {
        let most = i64::try_from(QUANTITY_MAX).unwrap_or(i64::MAX);
        let range = |least: i64, most: i64| {
            json!({"type": "integer", "format": "int64", "minimum": least, "maximum": most})
        };
        json!({"oneOf": [range(1, most), range(-most, -1)]})
    };
    |scalar| {
        let most = i128::from(QUANTITY_MAX);
        match integer(&scalar, -most, most).map(i64::try_from) {
            Ok(Ok(delta)) if delta != 0 => Ok(Self(delta)),
            _ => Err(format!(
                "must be an integer from -{most} to {most} other than 0, is {}", scalar.shown()
            )),
        }
    }
}

/// A reason or a reference in the caller's words: 1 to 256 characters, none of them a control
/// character.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::http) struct Text(pub(in crate::http) String);

leaf! { Text,
    json!({"type": "string", "minLength": 1, "maxLength": TEXT_CHARACTERS_MAX,
        "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"});
    |scalar| {
        let text = scalar.text()?;
        let characters = text.chars().count();
        if characters == 0 || characters > TEXT_CHARACTERS_MAX {
            return Err(format!(
                "must have 1 to {TEXT_CHARACTERS_MAX} characters, has {characters}"
            ));
        }
        if text.chars().any(char::is_control) {
            return Err("must not contain control characters".to_owned());
        }
        Ok(Self(text.into_owned()))
    }
}

/// The time to live of a hold, in seconds; `None` where the hold never expires.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::http) struct TimeToLive(pub(in crate::http) Option<u32>);

leaf! { TimeToLive,
    json!({"type": ["integer", "null"], "format": "int32", "minimum": 1,
        "maximum": TTL_SECONDS_MAX}),
    absent = Self(Some(TTL_SECONDS));
    |scalar| match scalar {
        Scalar::Null => Ok(Self(None)),
        scalar => Seconds::parse(scalar).map(|seconds| Self(Some(seconds.0))),
    }
}

/// A time to live in seconds, 1 to 2,678,400.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::http) struct Seconds(pub(in crate::http) u32);

leaf! { Seconds,
    json!({"type": "integer", "format": "int32", "minimum": 1, "maximum": TTL_SECONDS_MAX});
    |scalar| {
        let seconds = unsigned(&scalar, 1, TTL_SECONDS_MAX.into())?;
        u32::try_from(seconds).map(Self).map_err(|error| error.to_string())
    }
}

/// A version of a stock or a reservation, at least 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::http) struct Version(pub(in crate::http) u64);

leaf! { Version,
    json!({"type": "integer", "format": "int64", "minimum": 1, "maximum": u64::MAX});
    |scalar| unsigned(&scalar, 1, u64::MAX).map(Self)
}

leaf! { bool, json!({"type": "boolean"});
    |scalar| scalar.boolean().ok_or_else(|| {
        format!("must be true or false, is {}", scalar.shown())
    })
}

/// The maximum number of items on a page: 1 to 500, 100 by default.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::http) struct Limit(pub(in crate::http) u32);

leaf! { Limit,
    json!({"type": "integer", "format": "int32", "minimum": 1, "maximum": PAGE_ITEMS_MAX,
        "default": PAGE_ITEMS}),
    absent = Self(PAGE_ITEMS);
    |scalar| {
        let limit = unsigned(&scalar, 1, PAGE_ITEMS_MAX.into())?;
        u32::try_from(limit).map(Self).map_err(|error| error.to_string())
    }
}

/// The number of an event in the log. 0 is the position before the first event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::http) struct Sequence(pub(in crate::http) u64);

leaf! { Sequence,
    json!({"type": "integer", "format": "int64", "minimum": 0, "maximum": i64::MAX});
    |scalar| unsigned(&scalar, 0, i64::MAX.unsigned_abs()).map(Self)
}

/// The number of an event, from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::http) struct EventNumber(pub(in crate::http) u64);

leaf! { EventNumber,
    json!({"type": "integer", "format": "int64", "minimum": 1, "maximum": i64::MAX});
    |scalar| unsigned(&scalar, 1, i64::MAX.unsigned_abs()).map(Self)
}

/// A time (RFC 3339).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::http) struct Moment(pub(in crate::http) Timestamp);

leaf! { Moment, json!({"type": "string", "format": "date-time"});
    |scalar| time::parse(&scalar.text()?).map(Self).map_err(str::to_owned)
}

/// A value that is written as one of a fixed set of words.
pub(in crate::http) trait Word: Copy + 'static {
    /// The words with the values that they stand for.
    const WORDS: &'static [(&'static str, Self)];
}

/// Returns the value that the word in the scalar stands for.
///
/// # Errors
/// The scalar is not one of the words. The message lists them.
pub(in crate::http) fn word<T: Word>(scalar: Scalar<'_>) -> Result<T, String> {
    let given = scalar.text()?;
    let found = T::WORDS.iter().find(|(word, _)| *word == given);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<_> = T::WORDS.iter().map(|(word, _)| *word).collect();
        let given: String = given.chars().take(TEXT_CHARACTERS_MAX).collect();
        format!("must be {}, is {given:?}", words.join(" or "))
    })
}

/// Returns the schema of a set of words.
pub(in crate::http) fn word_schema<T: Word>() -> Schema {
    let words: Vec<_> = T::WORDS.iter().map(|(word, _)| *word).collect();
    json!({"type": "string", "enum": words})
}

/// Makes an enum a [`Value`](super::Value) that is written as one of a set of words. With `as`, its
/// schema has a name of its own in the document.
macro_rules! words {
    ($type:ty as $name:literal; $($word:literal => $value:expr),+ $(,)?) => {
        impl $crate::http::body::Word for $type {
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, $value)),+];
        }

        $crate::http::body::leaf! { $type, $crate::http::body::schema::reference($name),
            named = ($name, $crate::http::body::word_schema::<Self>());
            $crate::http::body::word::<Self> }
    };
    ($type:ty $(, absent = $absent:expr)?; $($word:literal => $value:expr),+ $(,)?) => {
        impl $crate::http::body::Word for $type {
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, $value)),+];
        }

        $crate::http::body::leaf! { $type, $crate::http::body::word_schema::<Self>()
            $(, absent = $absent)?; $crate::http::body::word::<Self> }
    };
}
pub(in crate::http) use {leaf, words};

words! { ReservationState as "ReservationState";
    "held" => Self::Held,
    "confirmed" => Self::Confirmed,
    "fulfilled" => Self::Fulfilled,
    "cancelled" => Self::Cancelled,
    "expired" => Self::Expired,
}

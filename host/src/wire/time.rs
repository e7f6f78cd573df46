//! Times as text (RFC 3339, UTC).

use crate::model::Timestamp;
use serde::Serializer;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The last time that RFC 3339 can write, in milliseconds since the epoch: the end of the year
/// 9999.
const LAST_MS: u64 = 253_402_300_799_999;

fn moment(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(at.min(LAST_MS))
}

/// A time as text. Times after the year 9999 are written as its last millisecond.
#[must_use]
pub fn text(at: Timestamp) -> String {
    humantime::format_rfc3339_millis(moment(at)).to_string()
}

/// Reads a time. Fractions of a millisecond are dropped.
///
/// # Errors
/// The text is not a time in RFC 3339 since 1970; the error says what is expected.
pub fn parse(text: &str) -> Result<Timestamp, &'static str> {
    const EXPECTED: &str = "must be a time such as 2026-11-23T09:30:00Z";
    let time = humantime::parse_rfc3339(text).map_err(|_| EXPECTED)?;
    let since = time.duration_since(UNIX_EPOCH).map_err(|_| EXPECTED)?;
    u64::try_from(since.as_millis()).map_err(|_| EXPECTED)
}

/// Serialises a time as text, for `#[serde(serialize_with)]`.
///
/// # Errors
/// The serializer fails.
pub fn rfc3339<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_rfc3339_millis(moment(*at)))
}

/// Serialises a time as text, or `None` as null, for `#[serde(serialize_with)]`.
///
/// # Errors
/// The serializer fails.
#[allow(clippy::ref_option, reason = "serde's signature")]
pub fn optional_rfc3339<S: Serializer>(
    at: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => rfc3339(at, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_and_read() {
        assert_eq!(text(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(text(u64::MAX), "9999-12-31T23:59:59.999Z");
        assert_eq!(parse("1970-01-01T00:00:01.5Z"), Ok(1_500));
        for bad in ["", "1", "yesterday", "2026-13-01T00:00:00Z", "1969-12-31T23:59:59Z"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}

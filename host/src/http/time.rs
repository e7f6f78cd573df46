//! Times as RFC 3339, UTC.

use crate::model::Timestamp;
use serde::Serializer;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Far beyond any clock, but within what can be written.
const LAST_MS: u64 = 253_402_300_799_999;

fn moment(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(at.min(LAST_MS))
}

/// A time as a text.
pub(super) fn text(at: Timestamp) -> String {
    humantime::format_rfc3339_millis(moment(at)).to_string()
}

/// The time that a text names.
///
/// # Errors
/// Says what is expected.
pub(super) fn parse(text: &str) -> Result<Timestamp, &'static str> {
    const EXPECTED: &str = "must be a time such as 2026-11-23T09:30:00Z";
    let time = humantime::parse_rfc3339(text).map_err(|_| EXPECTED)?;
    let since = time.duration_since(UNIX_EPOCH).map_err(|_| EXPECTED)?;
    u64::try_from(since.as_millis()).map_err(|_| EXPECTED)
}

pub(super) fn rfc3339<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_rfc3339_millis(moment(*at)))
}

#[allow(clippy::ref_option, reason = "serde's signature")]
pub(super) fn optional_rfc3339<S: Serializer>(
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

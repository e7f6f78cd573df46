//! Times as text (RFC 3339); times are written in UTC.

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

/// Years by which a time before 1970 is moved to be read: the calendar repeats itself after 400.
const MOVED_YEARS: u64 = 2_000;

/// The same in milliseconds: 400 years have 146,097 days.
const MOVED_MS: i128 = 5 * 146_097 * 86_400_000;

/// Reads a time of RFC 3339, in UTC or with an offset. Fractions of a millisecond are dropped; a
/// leap second is the second before it; a time before 1970 is read as the epoch, before which
/// nothing is recorded.
///
/// # Errors
/// The text is not a time in RFC 3339; the error says what is expected.
pub fn parse(text: &str) -> Result<Timestamp, &'static str> {
    const EXPECTED: &str = "must be a time such as 2026-11-23T09:30:00Z or \
        2026-11-23T11:30:00+02:00 (in a query, + is %2B)";
    read(text).ok_or(EXPECTED)
}

fn read(text: &str) -> Option<Timestamp> {
    let (local, offset_minutes) = split_offset(text)?;
    let (year, rest) = local.split_at_checked(4)?;
    // `T` may be written small (RFC 3339, section 5.6).
    let (date, time) = rest.split_once(['T', 't'])?;
    // The library looks only at parts of what follows the seconds.
    if !is_time_of_day(time) || !year.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let year: u64 = year.parse().ok()?;
    let (year, moved_ms) = if year < 1970 { (year + MOVED_YEARS, MOVED_MS) } else { (year, 0) };
    let time = humantime::parse_rfc3339(&format!("{year}{date}T{time}Z")).ok()?;
    let since = i128::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()?;
    let since = since - moved_ms - i128::from(offset_minutes) * 60_000;
    u64::try_from(since.max(0)).ok()
}

/// Whether a text has the form `09:30:00`, perhaps with a dot and digits behind it.
fn is_time_of_day(text: &str) -> bool {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = seconds.split(':');
    let two = |part: Option<&str>| part.is_some_and(|it| it.len() == 2 && digits(it));
    two(parts.next())
        && two(parts.next())
        && two(parts.next())
        && parts.next().is_none()
        && digits(fraction)
}

/// Splits a time into its text without the offset, and the offset in minutes.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(local) = text.strip_suffix(['Z', 'z']) {
        return Some((local, 0));
    }
    let (local, offset) = text.split_at_checked(text.len().checked_sub("+00:00".len())?)?;
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let minutes = two_digits(hours, 23)? * 60 + two_digits(minutes, 59)?;
    match offset.as_bytes().first()? {
        b'+' => Some((local, minutes)),
        b'-' => Some((local, -minutes)),
        _ => None,
    }
}

fn two_digits(text: &str, most: i64) -> Option<i64> {
    let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number <= most)
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
        for bad in ["", "1", "yesterday", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_time_with_an_offset_is_the_same_time_in_utc() {
        let utc = parse("2026-03-01T00:30:00Z");
        for same in [
            "2026-03-01t00:30:00z",
            "2026-03-01T00:30:00+00:00",
            "2026-03-01T00:30:00-00:00",
            "2026-03-01T02:30:00.000+02:00",
            "2026-02-28T19:00:00-05:30",
        ] {
            assert_eq!(parse(same), utc, "{same}");
        }
        for bad in [
            "2026-03-01T00:30:00+24:00",
            "2026-03-01T00:30:00+02:60",
            "2026-03-01T00:30:00+2:00",
            "2026-03-01T00:30:00+0200",
            "2026-03-01T00:30:00 02:00",
            "2026-03-01T00:30:00+00:00Z",
            "2026-03-01T00:30:00Z+02:00",
            "2026-03-01T00:30:00ZZ",
            "2026-03-01T00:30:00ZabcdZ",
            "2026-03-01T00:30:00.5+abcdZ",
            "2026-03-01T00:30:00.+abcdZ",
            "2026-03-01T00:30:00.Z",
            "2026-03-01 00:30:00Z",
            "+026-03-01T00:30:00Z",
            "2026-03-01T00:30:0\u{e4}",
            "\u{e4}+00:00",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_time_before_1970_is_read_as_the_epoch() {
        for early in ["1969-12-31T23:59:59Z", "1970-01-01T00:00:00+01:00", "0000-02-29T12:00:00Z"] {
            assert_eq!(parse(early), Ok(0), "{early}");
        }
        assert_eq!(parse("1969-12-31T23:00:01-01:00"), Ok(1_000));
        assert!(parse("1969-02-29T00:00:00Z").is_err(), "no leap year");
    }
}

//! Conditional requests (RFC 9110, 13): a stock's entity tag is its version.

use super::input::{Faults, Part};
use crate::model::Precondition;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// The strong entity tag of a version.
pub(super) fn etag(version: u64) -> HeaderValue {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(version);
    let mut tag = String::with_capacity(digits.len() + 2);
    tag.push('"');
    tag.push_str(digits);
    tag.push('"');
    // Digits and quotes are what a header may carry.
    HeaderValue::try_from(tag).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

enum Tags {
    Any,
    /// The versions named, and whether each was named strongly.
    Listed(Vec<(Option<u64>, bool)>),
}

/// What a header says, where it is there.
fn tags(headers: &HeaderMap, name: &HeaderName) -> Option<Result<Tags, &'static str>> {
    let mut listed = Vec::new();
    let mut any = false;
    let mut values = headers.get_all(name).iter().peekable();
    values.peek()?;
    for value in values {
        let Ok(value) = value.to_str() else { return Some(Err("must be ASCII")) };
        for tag in value.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
            if tag == "*" {
                any = true;
                continue;
            }
            let (opaque, strong) = tag.strip_prefix("W/").map_or((tag, true), |weak| (weak, false));
            let Some(inner) = opaque.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) else {
                return Some(Err("must be * or entity tags in double quotes, such as \"5\""));
            };
            listed.push((inner.parse().ok(), strong));
        }
    }
    Some(match (any, listed.is_empty()) {
        (true, true) => Ok(Tags::Any),
        (false, false) => Ok(Tags::Listed(listed)),
        _ => Err("must be either * or a list of entity tags"),
    })
}

/// Whether a reader already has this version.
pub(super) fn not_modified(headers: &HeaderMap, version: u64, faults: &mut Faults) -> bool {
    match tags(headers, &header::IF_NONE_MATCH) {
        None => false,
        Some(Ok(Tags::Any)) => true,
        Some(Ok(Tags::Listed(listed))) => listed.iter().any(|(tag, _)| *tag == Some(version)),
        Some(Err(detail)) => {
            faults.add(Part::Header, "/if-none-match", detail);
            false
        }
    }
}

/// What a command's headers demand of the stock's version.
pub(super) fn precondition(headers: &HeaderMap, faults: &mut Faults) -> Option<Precondition> {
    let matching = tags(headers, &header::IF_MATCH);
    let none_matching = tags(headers, &header::IF_NONE_MATCH);
    match (matching, none_matching) {
        (None, None) => None,
        (Some(Ok(Tags::Any)), None) => Some(Precondition::Exists),
        // Weak tags never match here, nor do tags that are no version.
        (Some(Ok(Tags::Listed(listed))), None) => Some(Precondition::VersionIn(
            listed.into_iter().filter(|(_, strong)| *strong).filter_map(|(tag, _)| tag).collect(),
        )),
        (None, Some(Ok(Tags::Any))) => Some(Precondition::Absent),
        (None, Some(Ok(Tags::Listed(_)))) => {
            faults.add(Part::Header, "/if-none-match", "must be * on a command");
            None
        }
        (Some(Err(detail)), _) => {
            faults.add(Part::Header, "/if-match", detail);
            None
        }
        (_, Some(Err(detail))) => {
            faults.add(Part::Header, "/if-none-match", detail);
            None
        }
        (Some(_), Some(_)) => {
            faults.add(Part::Header, "/if-match", "must not come with if-none-match");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    fn demanded(pairs: &[(HeaderName, &str)]) -> Result<Option<Precondition>, ()> {
        let mut faults = Faults::default();
        let precondition = precondition(&headers(pairs), &mut faults);
        faults.none().map(|()| precondition).map_err(|_| ())
    }

    #[test]
    fn if_match_names_versions() {
        let version = |versions: &[u64]| Ok(Some(Precondition::VersionIn(versions.to_vec())));
        assert_eq!(demanded(&[]), Ok(None));
        assert_eq!(demanded(&[(header::IF_MATCH, "\"5\"")]), version(&[5]));
        assert_eq!(demanded(&[(header::IF_MATCH, "\"5\", \"7\"")]), version(&[5, 7]));
        assert_eq!(demanded(&[(header::IF_MATCH, "*")]), Ok(Some(Precondition::Exists)));
        assert_eq!(demanded(&[(header::IF_MATCH, "W/\"5\"")]), version(&[]), "weak");
        assert_eq!(demanded(&[(header::IF_MATCH, "\"abc\"")]), version(&[]), "foreign");
    }

    #[test]
    fn if_none_match_demands_absence() {
        assert_eq!(demanded(&[(header::IF_NONE_MATCH, "*")]), Ok(Some(Precondition::Absent)));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(demanded(&[(header::IF_MATCH, "5")]).is_err());
        assert!(demanded(&[(header::IF_MATCH, "")]).is_err());
        assert!(demanded(&[(header::IF_MATCH, "*, \"5\"")]).is_err());
        assert!(demanded(&[(header::IF_NONE_MATCH, "\"5\"")]).is_err());
        assert!(demanded(&[(header::IF_MATCH, "*"), (header::IF_NONE_MATCH, "*")]).is_err());
    }

    #[test]
    fn a_reader_that_has_it_needs_no_copy() {
        let has = |value: &str| {
            let mut faults = Faults::default();
            not_modified(&headers(&[(header::IF_NONE_MATCH, value)]), 5, &mut faults)
        };
        assert!(has("\"5\"") && has("W/\"5\"") && has("\"4\", \"5\"") && has("*"));
        assert!(!has("\"4\"") && !has("5"));
    }

    #[test]
    fn the_tag_is_the_version() {
        assert_eq!(etag(42), "\"42\"");
    }
}

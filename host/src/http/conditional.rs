//! Conditional requests (RFC 9110, section 13). The entity tag of a stock or a reservation is its
//! version.
//!
//! The crate `headers` parses these headers too, but it does not give the tags of `If-Match`, which
//! a command needs as versions: it can only compare them with a tag that is at hand. It also skips
//! malformed tags, and its errors do not say what is wrong.

use super::body::{Part, Violations};
use crate::model::Precondition;
use axum::{
    body::Body,
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::Response,
};
use std::convert::Infallible;

/// The entity tag of a stock or a reservation. Holds that are due change its representation before
/// their expiry is recorded, so that the tag has their units besides the version.
///
/// No command matches a tag with due units: the holds expire before the command is decided, and the
/// version changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tag {
    /// The recorded version.
    pub(super) version: u64,
    /// The number of units in holds that are due.
    pub(super) due_units: u64,
}

impl Tag {
    /// Returns the tag of a stock or a reservation without due units.
    pub(super) const fn of(version: u64) -> Self {
        Self { version, due_units: 0 }
    }

    /// Returns the value of the header `ETag`: a strong tag in double quotes.
    pub(super) fn header(self) -> HeaderValue {
        let mut buffer = itoa::Buffer::new();
        let mut tag = String::with_capacity(24);
        tag.push('"');
        tag.push_str(buffer.format(self.version));
        if self.due_units > 0 {
            tag.push('-');
            tag.push_str(buffer.format(self.due_units));
        }
        tag.push('"');
        // Digits, a hyphen and quotes are valid in a header, so that this cannot fail.
        HeaderValue::try_from(tag).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
    }
}

/// Returns the answer to a client whose copy is current.
pub(super) fn not_modified(tag: Tag) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response.headers_mut().insert(header::ETAG, tag.header());
    response
}

/// The value of `If-Match` or `If-None-Match`.
#[derive(Debug)]
enum Tags {
    /// `*`.
    Any,
    /// A list of tags, each without its quotes, and whether it is a strong one.
    Listed(Vec<(String, bool)>),
}

/// Returns the version that a tag stands for. Tags are compared as texts, so that `05` is not
/// version 5.
fn version(tag: &str) -> Option<u64> {
    let version = tag.parse().ok()?;
    (itoa::Buffer::new().format::<u64>(version) == tag).then_some(version)
}

/// The conditions of a request.
#[derive(Debug)]
pub(super) struct Conditions {
    if_match: Option<Result<Tags, &'static str>>,
    if_none_match: Option<Result<Tags, &'static str>>,
}

impl<S: Sync> FromRequestParts<S> for Conditions {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

/// The refusal of a text that is neither `*` nor entity tags.
const EXPECTED: &str = "must be * or entity tags in double quotes, such as \"5\"";

/// Parses a header; `None` where the request does not have it.
fn tags(headers: &HeaderMap, name: &HeaderName) -> Option<Result<Tags, &'static str>> {
    let values: Vec<_> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    if values.is_empty() {
        return None;
    }
    if let [only] = *values
        && only.trim_ascii() == b"*"
    {
        return Some(Ok(Tags::Any));
    }
    let mut listed = Vec::new();
    let read = values.into_iter().try_for_each(|value| add_tags(value, &mut listed));
    Some(match read {
        Some(()) if !listed.is_empty() => Ok(Tags::Listed(listed)),
        _ => Err(EXPECTED),
    })
}

/// Adds the entity tags of a list (RFC 9110, sections 5.6.1 and 8.8.3); returns `None` where the
/// list contains anything else. A comma within the quotes belongs to the tag; empty elements of
/// the list are skipped.
fn add_tags(list: &[u8], listed: &mut Vec<(String, bool)>) -> Option<()> {
    let mut rest = list;
    loop {
        rest = skip(rest, b" \t,");
        if rest.is_empty() {
            return Some(());
        }
        let (opaque, strong) = rest.strip_prefix(b"W/").map_or((rest, true), |it| (it, false));
        let opaque = opaque.strip_prefix(b"\"")?;
        let end = opaque.iter().position(|byte| *byte == b'"')?;
        let (tag, after) = (opaque.get(..end)?, opaque.get(end + 1..)?);
        if !tag.iter().all(|byte| byte.is_ascii_graphic() || *byte >= 0x80) {
            return None;
        }
        listed.push((String::from_utf8_lossy(tag).into_owned(), strong));
        rest = skip(after, b" \t");
        if !rest.is_empty() && !rest.starts_with(b",") {
            return None;
        }
    }
}

/// The text without the bytes of `skipped` at its beginning.
fn skip<'a>(text: &'a [u8], skipped: &[u8]) -> &'a [u8] {
    let kept = text.iter().position(|byte| !skipped.contains(byte)).unwrap_or(text.len());
    text.get(kept..).unwrap_or_default()
}

impl Conditions {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self {
            if_match: tags(headers, &header::IF_MATCH),
            if_none_match: tags(headers, &header::IF_NONE_MATCH),
        }
    }

    /// Adds the violation of a query whose `If-None-Match` is malformed.
    pub(super) fn check(&self, violations: &mut Violations) {
        if let Some(Err(detail)) = &self.if_none_match {
            violations.add(Part::Header, "/if-none-match", detail);
        }
    }

    /// Returns whether the client has a current copy of the representation with this tag.
    pub(super) fn has(&self, tag: Tag) -> bool {
        match &self.if_none_match {
            Some(Ok(Tags::Any)) => true,
            Some(Ok(Tags::Listed(listed))) => {
                let header = tag.header();
                let own = header.to_str().unwrap_or_default().trim_matches('"');
                listed.iter().any(|(tag, _)| tag == own)
            }
            _ => false,
        }
    }

    /// Returns the precondition of a command, and adds a violation where the headers make none.
    pub(super) fn precondition(self, violations: &mut Violations) -> Option<Precondition> {
        let (header, detail) = match (self.if_match, self.if_none_match) {
            (None, None) => return None,
            (Some(Ok(Tags::Any)), None) => return Some(Precondition::Exists),
            (None, Some(Ok(Tags::Any))) => return Some(Precondition::Absent),
            (Some(Ok(Tags::Listed(listed))), None) => {
                // Weak tags never match, nor do tags that do not stand for a version.
                let strong = listed.into_iter().filter(|(_, strong)| *strong);
                let versions = strong.filter_map(|(tag, _)| version(&tag)).collect();
                return Some(Precondition::VersionIn(versions));
            }
            (None, Some(Ok(Tags::Listed(_)))) => ("/if-none-match", "must be * on a command"),
            (Some(Err(detail)), _) => ("/if-match", detail),
            (_, Some(Err(detail))) => ("/if-none-match", detail),
            (Some(_), Some(_)) => ("/if-match", "must not come with if-none-match"),
        };
        violations.add(Part::Header, header, detail);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        let value = |text: &str| HeaderValue::from_bytes(text.as_bytes()).unwrap();
        pairs.iter().map(|(name, text)| (name.clone(), value(text))).collect()
    }

    fn precondition(pairs: &[(HeaderName, &str)]) -> Result<Option<Precondition>, ()> {
        let mut violations = Violations::default();
        let precondition = Conditions::of(&headers(pairs)).precondition(&mut violations);
        violations.valid(Some(precondition)).map_err(|_| ())
    }

    #[test]
    fn if_match_names_versions() {
        let version = |versions: &[u64]| Ok(Some(Precondition::VersionIn(versions.to_vec())));
        assert_eq!(precondition(&[]), Ok(None));
        assert_eq!(precondition(&[(header::IF_MATCH, "\"5\"")]), version(&[5]));
        assert_eq!(precondition(&[(header::IF_MATCH, "\"5\", \"7\"")]), version(&[5, 7]));
        assert_eq!(precondition(&[(header::IF_MATCH, "*")]), Ok(Some(Precondition::Exists)));
        assert_eq!(precondition(&[(header::IF_MATCH, "W/\"5\"")]), version(&[]), "weak");
        assert_eq!(precondition(&[(header::IF_MATCH, "\"abc\"")]), version(&[]), "foreign");
    }

    #[test]
    fn entity_tags_are_read_as_http_writes_them() {
        let versions = |value: &str| precondition(&[(header::IF_MATCH, value)]);
        let of = |versions: &[u64]| Ok(Some(Precondition::VersionIn(versions.to_vec())));
        assert_eq!(versions("\"a,b\", \"5\""), of(&[5]), "a comma can be part of a tag");
        assert_eq!(versions("\"a,\"\t,\"7\""), of(&[7]));
        assert_eq!(versions(",\"5\", ,\"7\","), of(&[5, 7]), "elements of a list can be empty");
        assert_eq!(versions("\"\""), of(&[]), "a tag can be empty");
        assert_eq!(versions("\"\u{fc}\""), of(&[]), "obsolete, but a tag");
        for bad in [
            "\"5\" \"7\"",
            "\"5\"7",
            "\"a b\"",
            "w/\"5\"",
            "W/",
            "\"5",
            "**",
            "*5",
            "*,",
            "*, *",
            "*, \"5\"",
            "\"",
        ] {
            assert!(versions(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn if_none_match_requires_absence() {
        assert_eq!(precondition(&[(header::IF_NONE_MATCH, "*")]), Ok(Some(Precondition::Absent)));
    }

    #[test]
    fn malformed_and_contradictory_conditions_are_refused() {
        assert!(precondition(&[(header::IF_MATCH, "5")]).is_err());
        assert!(precondition(&[(header::IF_MATCH, "")]).is_err());
        assert!(precondition(&[(header::IF_MATCH, "*, \"5\"")]).is_err());
        assert!(precondition(&[(header::IF_NONE_MATCH, "\"5\"")]).is_err());
        assert!(precondition(&[(header::IF_MATCH, "*"), (header::IF_NONE_MATCH, "*")]).is_err());
    }

    #[test]
    fn a_client_with_a_current_copy_needs_no_other() {
        let has = |value: &str| {
            Conditions::of(&headers(&[(header::IF_NONE_MATCH, value)])).has(Tag::of(5))
        };
        assert!(has("\"5\"") && has("W/\"5\"") && has("\"4\", \"5\"") && has("*"));
        assert!(!has("\"4\"") && !has("5") && !has("\"05\"") && !has("\"+5\""));
    }

    #[test]
    fn the_tag_covers_the_version_and_what_is_due() {
        assert_eq!(Tag::of(42).header(), "\"42\"");
        let tag = Tag { version: 42, due_units: 7 };
        assert_eq!(tag.header(), "\"42-7\"");
        let has =
            |value: &str| Conditions::of(&headers(&[(header::IF_NONE_MATCH, value)])).has(tag);
        assert!(has("\"42-7\"") && !has("\"42\"") && !has("\"42-8\""));
    }

    #[test]
    fn a_command_matches_only_recorded_versions() {
        let none = Ok(Some(Precondition::VersionIn(Vec::new())));
        for foreign in ["\"05\"", "\"+5\"", "\"5-2\"", "\"5.0\""] {
            assert_eq!(precondition(&[(header::IF_MATCH, foreign)]), none, "{foreign}");
        }
    }
}

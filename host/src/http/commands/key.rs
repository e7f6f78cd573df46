//! The idempotency key, which makes a request safe to send again, and the fingerprint, which tells
//! whether another request with the same key is the same request.

use axum::http::{HeaderMap, HeaderName, Method, Uri, header};
use sha2::{Digest, Sha256};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The maximum length of a key, in characters.
pub(super) const KEY_CHARACTERS_MAX: usize = 255;

/// Returns the idempotency key of a request. The header's value is the bare key, or a string of a
/// structured field (RFC 9651, section 3.3.3).
///
/// # Errors
/// The header is not a key. The message says what it must be.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, &'static str> {
    const EXPECTED: &str = "must be given once, 1 to 255 printable ASCII characters, quoted or not";
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().map_err(|_| EXPECTED)?.trim();
    if values.next().is_some() {
        return Err(EXPECTED);
    }
    let inner = text.strip_prefix('"').map(|rest| rest.strip_suffix('"').ok_or(EXPECTED));
    let key = match inner {
        Some(quoted) => unescaped(quoted?).ok_or(EXPECTED)?,
        None => text.to_owned(),
    };
    let printable = key.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if !(1..=KEY_CHARACTERS_MAX).contains(&key.len()) || !printable {
        return Err(EXPECTED);
    }
    Ok(Some(key))
}

/// Returns the text between the quotes of a string, without its escapes; `None` where it is
/// invalid.
fn unescaped(quoted: &str) -> Option<String> {
    let mut key = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => key.push(characters.next().filter(|next| matches!(next, '"' | '\\'))?),
            '"' => return None,
            other => key.push(other),
        }
    }
    Some(key)
}

/// Returns the fingerprint of a request: the SHA-256 of its method, target, conditions and body.
pub(super) fn fingerprint(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> [u8; 32] {
    let mut hash = Sha256::new();
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(method.as_str().as_bytes());
    part(target.as_bytes());
    for name in [header::IF_MATCH, header::IF_NONE_MATCH] {
        let values = headers.get_all(name).iter();
        part(&values.map(axum::http::HeaderValue::as_bytes).collect::<Vec<_>>().join(&b','));
    }
    part(body);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<Option<String>, &'static str> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(IDEMPOTENCY_KEY, value.parse().unwrap());
        }
        key(&headers)
    }

    #[test]
    fn a_key_is_read_bare_and_quoted() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["abc-1"]), Ok(Some("abc-1".into())));
        assert_eq!(read(&["\"abc-1\""]), Ok(Some("abc-1".into())));
        assert_eq!(read(&[r#""a\"b\\c""#]), Ok(Some(r#"a"b\c"#.into())));
    }

    #[test]
    fn an_invalid_key_is_refused() {
        let long = "x".repeat(256);
        for bad in ["", "\"", "\"\"", "\"a", r#""a"b""#, r#""a\x""#, &long] {
            assert!(read(&[bad]).is_err(), "{bad}");
        }
        assert!(read(&["a", "b"]).is_err());
    }

    #[test]
    fn the_fingerprint_covers_method_target_conditions_and_body() {
        let of = |method: Method, uri: &'static str, body: &str| {
            fingerprint(&method, &Uri::from_static(uri), &HeaderMap::new(), body.as_bytes())
        };
        let base = of(Method::POST, "/a?b=1", "{}");
        assert_eq!(base, of(Method::POST, "/a?b=1", "{}"));
        assert_ne!(base, of(Method::PUT, "/a?b=1", "{}"));
        assert_ne!(base, of(Method::POST, "/a?b=2", "{}"));
        assert_ne!(base, of(Method::POST, "/a?b=1", "{ }"));
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, "\"1\"".parse().unwrap());
        assert_ne!(base, fingerprint(&Method::POST, &Uri::from_static("/a?b=1"), &headers, b"{}"));
    }
}

//! What every request that is a command brings: a body, parameters, conditions, and perhaps a
//! key that makes it safe to send again.

use super::{
    App,
    answer::{self, Subject},
    conditional::Conditions,
    input::{self, Faults, JsonBody, Params, Part},
    problem::Problem,
    respond,
};
use crate::{
    engine::{Recording, Request as EngineRequest, Work},
    model::{Action, Command, Identity, Origin, Precondition},
};
use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderName, Method, Uri, header, request::Parts},
    response::Response,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The longest key, in characters.
const KEY_CHARACTERS_MAX: usize = 255;

/// A command as it comes in, its body a JSON object.
pub(super) struct Incoming {
    pub(super) body: JsonBody,
    /// The size of the body in bytes.
    pub(super) body_bytes: usize,
    params: Params,
    conditions: Conditions,
    /// The key, and what the request is, whole.
    key: Result<Option<(String, [u8; 32])>, &'static str>,
}

impl FromRequest<App> for Incoming {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = JsonBody::receive(&parts.headers, body, app).await?;
        input::work_on(bytes.len(), move || Self::read(&parts, &bytes)).await?
    }
}

impl Incoming {
    fn read(parts: &Parts, bytes: &[u8]) -> Result<Self, Problem> {
        let Parts { method, uri, headers, .. } = parts;
        Ok(Self {
            params: Params::parse(uri.query()),
            conditions: Conditions::of(headers),
            key: key(headers)
                .map(|key| key.map(|key| (key, fingerprint(method, uri, headers, bytes)))),
            body: JsonBody::parse(bytes)?,
            body_bytes: bytes.len(),
        })
    }
}

/// A command whose body may be left out.
pub(super) struct IncomingBodyOptional(pub(super) Incoming);

impl FromRequest<App> for IncomingBodyOptional {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = JsonBody::receive(&parts.headers, body, app).await?;
        let bytes = if bytes.is_empty() { "{}".into() } else { bytes };
        let request = Request::from_parts(parts, Body::from(bytes));
        Incoming::from_request(request, app).await.map(Self)
    }
}

/// The key, bare or as a string of a structured field (RFC 9651).
fn key(headers: &HeaderMap) -> Result<Option<String>, &'static str> {
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

/// Everything that makes the request what it is.
fn fingerprint(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> [u8; 32] {
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

/// How a request is to be carried out, once it is known to be sound.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) precondition: Option<Precondition>,
    dry_run: bool,
    key: Option<(String, [u8; 32])>,
}

impl Incoming {
    /// Ends the reading: tells every fault, those of `faults` too.
    pub(super) fn finish(self, mut faults: Faults) -> Result<Terms, Problem> {
        let Self { body, mut params, conditions, key, .. } = self;
        let dry_run = params.flag("dry_run").unwrap_or(false);
        let precondition = conditions.precondition(&mut faults);
        let key = key.unwrap_or_else(|detail| {
            faults.add(Part::Header, "/idempotency-key", detail);
            None
        });
        faults.join(params.into_faults());
        body.finish(faults)?;
        Ok(Terms { precondition, dry_run, key })
    }

    /// The reason and the reference that the body gives.
    pub(super) fn origin(&mut self, with_reason: bool) -> Origin {
        let reference = self.body.text("reference");
        let reason = if with_reason { self.body.text("reason") } else { None };
        Origin {
            caller: None,
            reason: reason.map(Into::into),
            reference: reference.map(Into::into),
        }
    }
}

/// A command under a new id.
pub(super) fn command(
    origin: Origin,
    precondition: Option<Precondition>,
    action: Action,
) -> Command {
    Command { id: Uuid::now_v7(), origin, precondition, action }
}

/// Carries a request out and answers it.
pub(super) async fn carry_out(app: &App, terms: Terms, subject: Subject, work: Work) -> Response {
    let recording = terms.key.map(|(key, fingerprint)| {
        let subject = subject.clone();
        let render = move |result: &_| answer::keep(&answer::whole(&subject, result));
        Box::new(Recording::new(&Identity::ANONYMOUS, key, fingerprint, Box::new(render)))
    });
    let request = EngineRequest { work, dry_run: terms.dry_run, recording };
    let result = app.engine.execute(request).await;
    let made = respond::made(answer::items(&result), move || answer::whole(&subject, &result));
    made.await.map(Body::from)
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
    fn what_is_no_key_is_refused() {
        let long = "x".repeat(256);
        for bad in ["", "\"", "\"\"", "\"a", r#""a"b""#, r#""a\x""#, &long] {
            assert!(read(&[bad]).is_err(), "{bad}");
        }
        assert!(read(&["a", "b"]).is_err());
    }

    #[test]
    fn the_fingerprint_is_of_everything_that_matters() {
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

//! A command as it comes in: the target, the body, and the terms under which it is carried out.

use super::{
    answer::{self, Subject},
    key::{fingerprint, key},
};
use crate::{
    engine::{Recording, Request as EngineRequest, Work},
    http::{
        App, Caller, answers,
        body::{Object, Part, Violations, object, read_query},
        conditional::Conditions,
        input::{self, InPath, Target, read_json, receive_json},
        problem::Problem,
    },
    model::{Identity, Precondition},
};
use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, Request},
    http::request::Parts,
    response::Response,
};

object! {
    /// The query parameters of every command.
    pub(in crate::http) struct CommandParams {
        /// Only decide: nothing is written.
        dry_run: Option<bool>,
    }
}

/// A command that is valid as a request.
pub(in crate::http) struct Incoming<T, B> {
    pub(super) target: T,
    pub(super) body: B,
    pub(super) terms: Terms,
    /// The size of the body in bytes.
    pub(super) body_bytes: usize,
}

/// How a command is carried out.
#[derive(Debug)]
pub(in crate::http) struct Terms {
    pub(super) identity: Identity,
    pub(super) precondition: Option<Precondition>,
    dry_run: bool,
    /// The idempotency key and the fingerprint of the request.
    key: Option<(String, [u8; 32])>,
}

impl<T: Target, B: Object + Send + 'static> FromRequest<App> for Incoming<T, B> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let Ok(target) = InPath::from_request_parts(&mut parts, app).await;
        let Caller(identity) = Caller::from_request_parts(&mut parts, app).await?;
        let bytes = receive_json(&parts.headers, body, app).await?;
        input::process_body(bytes.len(), move || Self::read(&parts, identity, target, &bytes))
            .await?
    }
}

impl<T: Target, B: Object> Incoming<T, B> {
    /// Reads all parts of a request, and tells all that is wrong with any of them.
    fn read(
        parts: &Parts,
        identity: Identity,
        target: InPath<T>,
        bytes: &[u8],
    ) -> Result<Self, Problem> {
        let Parts { method, uri, headers, .. } = parts;
        let mut violations = Violations::default();
        let target = target.take(&mut violations);
        let precondition = Conditions::of(headers).precondition(&mut violations);
        let key = key(headers).unwrap_or_else(|detail| {
            violations.add(Part::Header, "/idempotency-key", detail);
            None
        });
        let params = read_query::<CommandParams>(uri.query(), &mut violations);
        let body = read_json(bytes, &mut violations);
        let read = target.zip(params).zip(body);
        let ((target, params), body) = violations.valid(read)?;
        let dry_run = params.dry_run.unwrap_or(false);
        let key = key.map(|key| (key, fingerprint(method, uri, headers, bytes)));
        let terms = Terms { identity, precondition, dry_run, key };
        Ok(Self { target, body, terms, body_bytes: bytes.len() })
    }
}

/// Carries a request out and answers it.
pub(super) async fn carry_out(app: &App, terms: Terms, subject: Subject, work: Work) -> Response {
    let recording = terms.key.map(|(key, fingerprint)| {
        let subject = subject.clone();
        let render = move |result: &_| answer::keep(&answer::whole(&subject, result));
        Box::new(Recording::new(&terms.identity, key, fingerprint, Box::new(render)))
    });
    let request = EngineRequest { work, dry_run: terms.dry_run, recording };
    let result = app.engine.execute(request).await;
    let made = answers::made(answer::items(&result), move || answer::whole(&subject, &result));
    made.await.map(Body::from)
}

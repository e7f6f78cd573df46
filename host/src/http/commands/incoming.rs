//! The extractor of a command: its target, its body, and the terms of its execution.

use super::{
    answer::{self, AnswerKeys},
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
        /// Whether the command is a dry run, which decides but writes nothing.
        dry_run: Option<bool>,
    }
}

/// A request for a command or a batch. All its parts are valid.
pub(in crate::http) struct Incoming<T, B> {
    pub(super) target: T,
    pub(super) body: B,
    pub(super) terms: Terms,
    /// The size of the body in bytes.
    pub(super) body_bytes: usize,
}

/// The terms of a command's execution: everything but its target and its body.
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
    /// Reads all parts of a request.
    ///
    /// # Errors
    /// The problem lists the violations in all parts.
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

/// Executes a command or a batch and returns its answer.
pub(super) async fn execute(app: &App, terms: Terms, keys: AnswerKeys, work: Work) -> Response {
    let recording = terms.key.map(|(key, fingerprint)| {
        let keys = keys.clone();
        let render = move |result: &_| answer::to_record(&answer::render(&keys, result));
        Box::new(Recording::new(&terms.identity, key, fingerprint, Box::new(render)))
    });
    let request = EngineRequest { work, dry_run: terms.dry_run, recording };
    let result = app.engine.execute(request).await;
    let items = answer::items(&result);
    answers::rendered(items, move || answer::render(&keys, &result)).await.map(Body::from)
}

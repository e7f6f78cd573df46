//! `/v1/admin`: for operators, who know the token.

mod auth;
mod bodies;
mod clock;

use bodies::ShadowBody;
pub use bodies::{ExplanationBody, ReplayBody};
pub(super) use clock::ClockBody;

use super::{
    App,
    input::{self, Faults, Params},
    openapi::AdminProblems,
    problem::Problem,
    respond,
};
use crate::{
    admin::AdminError,
    admission::Until,
    engine::SwapError,
    model::{Digest, Origin},
    replay::{Range, ReplayError},
};
use auth::Operator;
use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use bodies::{DomainBody, StepBody, SwapBody, SwappedBody};
use serde::Serialize;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Who swaps components, in the log.
const OPERATOR: &str = "admin";

/// The longest reason, in characters.
const REASON_CHARACTERS_MAX: usize = 256;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(domain, swap))
        .routes(routes!(roll_back))
        .routes(routes!(shadow, begin_shadow, end_shadow))
        .routes(routes!(promote))
        .routes(routes!(replay))
        .routes(routes!(explain))
        .merge(clock::routes())
}

fn ok<T: Serialize>(body: &T) -> Response {
    respond::json(StatusCode::OK, body).map(Body::from)
}

fn digest(params: &mut Params) -> Option<Digest> {
    let text = params.take("digest")?;
    let digest = Digest::parse(&text);
    if digest.is_none() {
        params.fault("digest", "must be a SHA-256: 64 hexadecimal digits");
    }
    digest
}

fn origin(params: &mut Params) -> Origin {
    let reason = params.take("reason");
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > REASON_CHARACTERS_MAX) {
        params.fault("reason", format!("must have {REASON_CHARACTERS_MAX} characters at most"));
    }
    Origin { caller: Some(OPERATOR.into()), reason: reason.map(Into::into), reference: None }
}

/// A rule that differs on purpose where every domain is the same needs its operator's word.
fn until(params: &mut Params) -> Until {
    match params.flag("self_check") {
        Some(false) => Until::Call,
        _ => Until::SelfCheck,
    }
}

async fn component(app: &App, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Problem> {
    let bytes_max = app.admin.component_bytes_max();
    let limits = input::BodyLimits { bytes_max, time: app.body_limits.time, bodies: None };
    Ok(input::receive(headers, body, &limits).await?.to_vec())
}

/// Which component decides
#[utoipa::path(
    get,
    path = "/v1/admin/domain",
    tag = "admin",
    responses((status = 200, description = "It, its limits and its faults", body = DomainBody), AdminProblems)
)]
async fn domain(State(app): State<App>, _: Operator) -> Result<Response, Problem> {
    Ok(ok(&DomainBody::from(&app.admin.overview().await?)))
}

/// Let another component decide
///
/// The body is the component. It is examined first (size, digest, compiling, contract, a call,
/// a self-check); then it decides from between two batches on. Compiling a large one takes a
/// minute. The one before is kept for a rollback.
#[utoipa::path(
    put,
    path = "/v1/admin/domain",
    tag = "admin",
    params(
        ("digest" = Option<String>, Query, description = "SHA-256 that the body must have, in hexadecimal"),
        ("reason" = Option<String>, Query, description = "Kept with the event"),
        ("self_check" = Option<bool>, Query, description = "false: without the last step"),
    ),
    request_body(content = Vec<u8>, content_type = "application/wasm"),
    responses((status = 200, description = "It decides", body = SwapBody), AdminProblems)
)]
async fn swap(
    State(app): State<App>,
    _: Operator,
    mut params: Params,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (expected, until, origin) = (digest(&mut params), until(&mut params), origin(&mut params));
    params.finish(Faults::default())?;
    let bytes = component(&app, &headers, body).await?;
    Ok(ok(&SwapBody::from(app.admin.swap(bytes, expected, until, origin).await?)))
}

/// Go back to the component before
#[utoipa::path(
    post,
    path = "/v1/admin/domain/rollback",
    tag = "admin",
    params(("reason" = Option<String>, Query, description = "Kept with the event")),
    responses((status = 200, description = "It decides again", body = SwappedBody), AdminProblems)
)]
async fn roll_back(
    State(app): State<App>,
    _: Operator,
    mut params: Params,
) -> Result<Response, Problem> {
    let origin = origin(&mut params);
    params.finish(Faults::default())?;
    Ok(ok(&SwappedBody::from(app.admin.roll_back(origin).await?)))
}

/// What came of the shadow so far
#[utoipa::path(
    get,
    path = "/v1/admin/domain/shadow",
    tag = "admin",
    responses((status = 200, description = "Differences and cost", body = ShadowBody), AdminProblems)
)]
async fn shadow(State(app): State<App>, _: Operator) -> Result<Response, Problem> {
    Ok(ok(&ShadowBody::from(&app.admin.shadow()?)))
}

/// Let a candidate decide live commands, too
///
/// Nothing of what it decides counts. It costs the writer what the report says.
#[utoipa::path(
    put,
    path = "/v1/admin/domain/shadow",
    tag = "admin",
    params(
        ("digest" = Option<String>, Query, description = "SHA-256 that the body must have, in hexadecimal"),
        ("every" = Option<u64>, Query, description = "It decides one in so many commands; 1 where absent"),
    ),
    request_body(content = Vec<u8>, content_type = "application/wasm"),
    responses((status = 200, description = "What it passed", body = Vec<StepBody>), AdminProblems)
)]
async fn begin_shadow(
    State(app): State<App>,
    _: Operator,
    mut params: Params,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (expected, every) = (digest(&mut params), params.number("every").unwrap_or(1));
    if every == 0 {
        params.fault("every", "must be at least 1");
    }
    params.finish(Faults::default())?;
    let bytes = component(&app, &headers, body).await?;
    Ok(ok(&bodies::steps(&app.admin.begin_shadow(bytes, expected, every).await?)))
}

/// End the shadow
#[utoipa::path(
    delete,
    path = "/v1/admin/domain/shadow",
    tag = "admin",
    responses((status = 200, description = "What came of it", body = ShadowBody), AdminProblems)
)]
async fn end_shadow(State(app): State<App>, _: Operator) -> Result<Response, Problem> {
    Ok(ok(&ShadowBody::from(&app.admin.end_shadow()?)))
}

/// Let the shadow decide
#[utoipa::path(
    post,
    path = "/v1/admin/domain/shadow/promote",
    tag = "admin",
    params(
        ("reason" = Option<String>, Query, description = "Kept with the event"),
        ("self_check" = Option<bool>, Query, description = "false: without the last step"),
    ),
    responses((status = 200, description = "It decides", body = SwapBody), AdminProblems)
)]
async fn promote(
    State(app): State<App>,
    _: Operator,
    mut params: Params,
) -> Result<Response, Problem> {
    let (until, origin) = (until(&mut params), origin(&mut params));
    params.finish(Faults::default())?;
    Ok(ok(&SwapBody::from(app.admin.promote(until, origin).await?)))
}

/// Replay recorded commands on a candidate
///
/// The body is the candidate. Each recorded command is decided again, on the state as it was.
#[utoipa::path(
    post,
    path = "/v1/admin/domain/replay",
    tag = "admin",
    params(
        ("from" = Option<u64>, Query, description = "The first event whose command is replayed"),
        ("to" = Option<u64>, Query, description = "The last"),
    ),
    request_body(content = Vec<u8>, content_type = "application/wasm"),
    responses((status = 200, description = "Differences", body = ReplayBody), AdminProblems)
)]
async fn replay(
    State(app): State<App>,
    _: Operator,
    mut params: Params,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let whole = Range::default();
    let from = params.number("from").unwrap_or(whole.from);
    let to = params.number("to").unwrap_or(whole.to);
    params.finish(Faults::default())?;
    let bytes = component(&app, &headers, body).await?;
    Ok(ok(&ReplayBody::from(&app.admin.replay(bytes, Range { from, to }).await?)))
}

/// Explain the decision behind an event
///
/// It is made again, by the component that made it, on the state as it was.
#[utoipa::path(
    get,
    path = "/v1/admin/explain/{sequence}",
    tag = "admin",
    params(("sequence" = u64, Path, description = "The number of the event")),
    responses((status = 200, description = "Command, reads, writes, events", body = ExplanationBody), AdminProblems)
)]
async fn explain(
    State(app): State<App>,
    _: Operator,
    Path(sequence): Path<String>,
) -> Result<Response, Problem> {
    let sequence = sequence.parse().ok().filter(|sequence| *sequence > 0).ok_or_else(|| {
        let detail = format!("{sequence:?} is not the number of an event");
        Problem::new("not-recorded", detail)
    })?;
    Ok(ok(&ExplanationBody::from(&app.admin.explain(sequence).await?)))
}

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        let code = match &error {
            AdminError::Busy | AdminError::Swap(SwapError::UnderWay) => "swap-under-way",
            AdminError::Refused(refusal) => {
                let steps = serde_json::to_value(bodies::steps(&refusal.steps));
                return Self::new("component-refused", error.to_string())
                    .with("steps", steps.unwrap_or_default());
            }
            AdminError::Swap(SwapError::Refused(_))
            | AdminError::Replay(ReplayError::Refused(_)) => "component-refused",
            AdminError::Swap(SwapError::NothingBefore) | AdminError::NoShadow => "no-component",
            AdminError::Swap(SwapError::Engine(inner)) => return inner.clone().into(),
            AdminError::Replay(ReplayError::NotRecorded(_)) => "not-recorded",
            AdminError::Replay(ReplayError::Store(_)) => "store-unavailable",
            AdminError::Library(_)
            | AdminError::Lost(_)
            | AdminError::Replay(ReplayError::Lost) => {
                tracing::error!(%error, "an operator's request failed");
                "internal-error"
            }
        };
        Self::new(code, error.to_string())
    }
}

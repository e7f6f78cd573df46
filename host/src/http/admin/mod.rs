//! `/v1/admin`: for operators, who know the token.

mod auth;
mod bodies;
pub(super) mod clock;

pub use bodies::{ExplanationBody, ReplayBody};

use super::{
    App, answers,
    body::{EventNumber, Query, Sequence, Text, Violations, leaf, object},
    input::{self, EventTarget, InPath},
    openapi::AdminProblems,
    parameters::EventSegment,
    problem::Problem,
};
use crate::{
    admin::AdminError,
    admission::Until,
    engine::SwapError,
    model::{Digest, Identity, Origin},
    replay::{Range, ReplayError},
};
use auth::Operator;
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use bodies::{ComponentBytes, DomainBody, ShadowBody, StepBody, SwapBody, SwappedBody};
use serde::Serialize;
use serde_json::json;

fn ok<T: Serialize>(body: &T) -> Response {
    answers::json(StatusCode::OK, body).map(Body::from)
}

leaf! { Digest,
    json!({"type": "string", "pattern": "^[0-9a-fA-F]{64}$"});
    |scalar| Self::parse(&scalar.text()?)
        .ok_or_else(|| "must be a SHA-256: 64 hexadecimal digits".to_owned())
}

/// One command in so many is decided, at least 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Every(u64);

leaf! { Every,
    json!({"type": "integer", "format": "int64", "minimum": 1, "maximum": i64::MAX, "default": 1}),
    absent = Self(1);
    |scalar| match Sequence::parse(scalar)? {
        Sequence(0) => Err("must be at least 1, is 0".to_owned()),
        Sequence(every) => Ok(Self(every)),
    }
}

object! {
    /// How a component is swapped in.
    pub(super) struct SwapParams {
        /// The SHA-256 that the body must have, in hexadecimal.
        digest: Option<Digest>,
        /// Why, in the operator's words; kept with the event.
        reason: Option<Text>,
        /// `false`: the component is not held against the promises of every domain. A rule that
        /// differs from them on purpose needs the operator's word for it.
        self_check: Option<bool>,
    }
}

object! {
    /// How a shadow becomes current.
    pub(super) struct PromoteParams {
        /// Why, in the operator's words; kept with the event.
        reason: Option<Text>,
        /// `false`: the component is not held against the promises of every domain.
        self_check: Option<bool>,
    }
}

object! {
    /// Why the component before decides again.
    pub(super) struct RollbackParams {
        /// Why, in the operator's words; kept with the event.
        reason: Option<Text>,
    }
}

object! {
    /// How a shadow is begun.
    pub(super) struct ShadowParams {
        /// The SHA-256 that the body must have, in hexadecimal.
        digest: Option<Digest>,
        /// The shadow decides one command in so many; each command where absent.
        every: Every,
    }
}

object! {
    /// Which recorded commands are replayed.
    pub(super) struct ReplayParams {
        /// The first event whose command is replayed.
        from: Option<Sequence>,
        /// The last event whose command is replayed.
        to: Option<Sequence>,
    }
}

fn origin(reason: Option<Text>) -> Origin {
    let reason = reason.map(|text| text.0.into());
    Origin { reason, ..Origin::of(&Identity::operator()) }
}

/// The last step that a component must pass.
fn until(self_check: Option<bool>) -> Until {
    match self_check {
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
    security(("admin_token" = [])),
    responses((status = 200, description = "It, its limits and its faults", body = DomainBody), AdminProblems)
)]
pub(super) async fn get_domain(State(app): State<App>, _: Operator) -> Result<Response, Problem> {
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
    security(("admin_token" = [])),
    params(Query<SwapParams>),
    request_body(content = ComponentBytes, content_type = "application/wasm"),
    responses((status = 200, description = "It decides", body = SwapBody), AdminProblems)
)]
pub(super) async fn swap_domain(
    State(app): State<App>,
    _: Operator,
    params: Query<SwapParams>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let SwapParams { digest: expected, reason, self_check } = params.valid()?;
    let (until, origin) = (until(self_check), origin(reason));
    let bytes = component(&app, &headers, body).await?;
    Ok(ok(&SwapBody::from(app.admin.swap(bytes, expected, until, origin).await?)))
}

/// Go back to the component before
#[utoipa::path(
    post,
    path = "/v1/admin/domain/rollback",
    tag = "admin",
    security(("admin_token" = [])),
    params(Query<RollbackParams>),
    responses((status = 200, description = "It decides again", body = SwappedBody), AdminProblems)
)]
pub(super) async fn roll_back_domain(
    State(app): State<App>,
    _: Operator,
    params: Query<RollbackParams>,
) -> Result<Response, Problem> {
    let origin = origin(params.valid()?.reason);
    Ok(ok(&SwappedBody::from(app.admin.roll_back(origin).await?)))
}

/// What came of the shadow so far
#[utoipa::path(
    get,
    path = "/v1/admin/domain/shadow",
    tag = "admin",
    security(("admin_token" = [])),
    responses((status = 200, description = "Differences and cost", body = ShadowBody), AdminProblems)
)]
pub(super) async fn get_shadow(State(app): State<App>, _: Operator) -> Result<Response, Problem> {
    Ok(ok(&ShadowBody::from(&app.admin.shadow()?)))
}

/// Let a candidate decide live commands, too
///
/// Nothing of what it decides counts. It costs the writer what the report says.
#[utoipa::path(
    put,
    path = "/v1/admin/domain/shadow",
    tag = "admin",
    security(("admin_token" = [])),
    params(Query<ShadowParams>),
    request_body(content = ComponentBytes, content_type = "application/wasm"),
    responses((status = 200, description = "What it passed", body = Vec<StepBody>), AdminProblems)
)]
pub(super) async fn begin_shadow(
    State(app): State<App>,
    _: Operator,
    params: Query<ShadowParams>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let ShadowParams { digest: expected, every: Every(every) } = params.valid()?;
    let bytes = component(&app, &headers, body).await?;
    Ok(ok(&bodies::steps(&app.admin.begin_shadow(bytes, expected, every).await?)))
}

/// End the shadow
#[utoipa::path(
    delete,
    path = "/v1/admin/domain/shadow",
    tag = "admin",
    security(("admin_token" = [])),
    responses((status = 200, description = "What came of it", body = ShadowBody), AdminProblems)
)]
pub(super) async fn end_shadow(State(app): State<App>, _: Operator) -> Result<Response, Problem> {
    Ok(ok(&ShadowBody::from(&app.admin.end_shadow()?)))
}

/// Let the shadow decide
#[utoipa::path(
    post,
    path = "/v1/admin/domain/shadow/promote",
    tag = "admin",
    security(("admin_token" = [])),
    params(Query<PromoteParams>),
    responses((status = 200, description = "It decides", body = SwapBody), AdminProblems)
)]
pub(super) async fn promote_shadow(
    State(app): State<App>,
    _: Operator,
    params: Query<PromoteParams>,
) -> Result<Response, Problem> {
    let PromoteParams { reason, self_check } = params.valid()?;
    let (until, origin) = (until(self_check), origin(reason));
    Ok(ok(&SwapBody::from(app.admin.promote(until, origin).await?)))
}

/// Replay recorded commands on a candidate
///
/// The body is the candidate. Each recorded command is decided again, on the state as it was.
#[utoipa::path(
    post,
    path = "/v1/admin/domain/replay",
    tag = "admin",
    security(("admin_token" = [])),
    params(Query<ReplayParams>),
    request_body(content = ComponentBytes, content_type = "application/wasm"),
    responses((status = 200, description = "Differences", body = ReplayBody), AdminProblems)
)]
pub(super) async fn replay(
    State(app): State<App>,
    _: Operator,
    params: Query<ReplayParams>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (params, whole) = (params.valid()?, Range::default());
    let from = params.from.map_or(whole.from, |sequence| sequence.0);
    let to = params.to.map_or(whole.to, |sequence| sequence.0);
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
    security(("admin_token" = [])),
    params(EventSegment),
    responses((status = 200, description = "Command, reads, writes, events", body = ExplanationBody), AdminProblems)
)]
pub(super) async fn explain(
    State(app): State<App>,
    _: Operator,
    path: InPath<EventTarget>,
) -> Result<Response, Problem> {
    let mut violations = Violations::default();
    let target = path.take(&mut violations);
    let EventTarget { sequence: EventNumber(sequence) } = violations.valid(target)?;
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

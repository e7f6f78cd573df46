//! `/v1/admin`: the routes of operators.
//!
//! The handlers share one shape. [`Operator`] proves that the caller knows the token, and gives the
//! application; [`Params`] or [`Upload`] gives valid input; one call of the application does the
//! work; [`ok`] renders the result. [`described`] adds to the OpenAPI document what all these
//! routes have in common.

mod auth;
mod bodies;
pub(super) mod clock;
pub(super) mod params;
mod problems;
mod upload;

pub use bodies::{ExplanationBody, ReplayBody};

use super::{
    App, answers,
    body::{EventNumber, Query, Violations},
    input::{EventTarget, InPath},
    openapi::{ADMIN_TOKEN, AdminProblems},
    parameters::EventSegment,
    problem::Problem,
};
use crate::replay::Range;
use auth::Operator;
use axum::{body::Body, http::StatusCode, response::Response};
use bodies::{ComponentBytes, DomainBody, ShadowBody, StepBody, SwapBody, SwappedBody};
use params::{
    Every, Params, PromoteParams, ReplayParams, RollbackParams, ShadowParams, SwapParams, origin,
    until,
};
use serde::Serialize;
use upload::Upload;
use utoipa::{IntoResponses, openapi::security::SecurityRequirement};
use utoipa_axum::router::OpenApiRouter;

/// Adds to the description of each route what all admin routes share: the tag, the token that the
/// route requires, and the problems that it can be answered with.
pub(super) fn described(mut routes: OpenApiRouter<App>) -> OpenApiRouter<App> {
    for path in routes.get_openapi_mut().paths.paths.values_mut() {
        let operations = [&mut path.get, &mut path.put, &mut path.post, &mut path.delete];
        for operation in operations.into_iter().flatten() {
            let no_scopes: [&str; 0] = [];
            operation.tags = Some(vec!["admin".to_owned()]);
            operation.security = Some(vec![SecurityRequirement::new(ADMIN_TOKEN, no_scopes)]);
            operation.responses.responses.extend(AdminProblems::responses());
        }
    }
    routes
}

/// Returns the answer 200 with this body.
fn ok<T: Serialize>(body: &T) -> Result<Response, Problem> {
    Ok(answers::json(StatusCode::OK, body).map(Body::from))
}

/// The component that decides
///
/// Its limits, its faults, the other components in the library, and the shadow where there is one.
#[utoipa::path(
    get,
    path = "/v1/admin/domain",
    responses((status = 200, description = "The component that decides", body = DomainBody))
)]
pub(super) async fn get_domain(Operator(app): Operator) -> Result<Response, Problem> {
    ok(&DomainBody::from(&app.admin.overview().await?))
}

/// Swap the component
///
/// The body is the new component. It has to pass the admission first (size, digest, compilation,
/// contract, a call, self-check); it decides from the next batch of commands on. Compiling a large
/// component takes a minute. The previous component is kept for a rollback.
#[utoipa::path(
    put,
    path = "/v1/admin/domain",
    params(Query<SwapParams>),
    request_body(content = ComponentBytes, content_type = "application/wasm"),
    responses((status = 200, description = "The new component decides", body = SwapBody))
)]
pub(super) async fn swap_domain(
    Operator(app): Operator,
    Upload { params, component }: Upload<SwapParams>,
) -> Result<Response, Problem> {
    let SwapParams { digest: expected, reason, self_check } = params;
    let (until, origin) = (until(self_check), origin(reason));
    ok(&SwapBody::from(app.admin.swap(component, expected, until, origin).await?))
}

/// Roll back to the previous component
#[utoipa::path(
    post,
    path = "/v1/admin/domain/rollback",
    params(Query<RollbackParams>),
    responses((status = 200, description = "The previous component decides", body = SwappedBody))
)]
pub(super) async fn roll_back_domain(
    Operator(app): Operator,
    Params(RollbackParams { reason }): Params<RollbackParams>,
) -> Result<Response, Problem> {
    ok(&SwappedBody::from(app.admin.roll_back(origin(reason)).await?))
}

/// The report of the shadow so far
#[utoipa::path(
    get,
    path = "/v1/admin/domain/shadow",
    responses((status = 200, description = "The differences and the cost", body = ShadowBody))
)]
pub(super) async fn get_shadow(Operator(app): Operator) -> Result<Response, Problem> {
    ok(&ShadowBody::from(&app.admin.shadow()?))
}

/// Start a shadow
///
/// The body is the candidate. It decides live commands besides the component that counts, and its
/// decisions are only compared. The report says what that costs the writer.
#[utoipa::path(
    put,
    path = "/v1/admin/domain/shadow",
    params(Query<ShadowParams>),
    request_body(content = ComponentBytes, content_type = "application/wasm"),
    responses((status = 200, description = "The steps of the admission", body = Vec<StepBody>))
)]
pub(super) async fn begin_shadow(
    Operator(app): Operator,
    Upload { params, component }: Upload<ShadowParams>,
) -> Result<Response, Problem> {
    let ShadowParams { digest: expected, every: Every(every) } = params;
    ok(&bodies::steps(&app.admin.begin_shadow(component, expected, every).await?))
}

/// End the shadow
#[utoipa::path(
    delete,
    path = "/v1/admin/domain/shadow",
    responses((status = 200, description = "The final report", body = ShadowBody))
)]
pub(super) async fn end_shadow(Operator(app): Operator) -> Result<Response, Problem> {
    ok(&ShadowBody::from(&app.admin.end_shadow()?))
}

/// Promote the shadow
///
/// The candidate becomes the component that decides, as by a swap.
#[utoipa::path(
    post,
    path = "/v1/admin/domain/shadow/promote",
    params(Query<PromoteParams>),
    responses((status = 200, description = "The candidate decides", body = SwapBody))
)]
pub(super) async fn promote_shadow(
    Operator(app): Operator,
    Params(PromoteParams { reason, self_check }): Params<PromoteParams>,
) -> Result<Response, Problem> {
    ok(&SwapBody::from(app.admin.promote(until(self_check), origin(reason)).await?))
}

/// Replay recorded commands on a candidate
///
/// The body is the candidate. It decides each recorded command again, on the state at that time.
#[utoipa::path(
    post,
    path = "/v1/admin/domain/replay",
    params(Query<ReplayParams>),
    request_body(content = ComponentBytes, content_type = "application/wasm"),
    responses((status = 200, description = "The differences", body = ReplayBody))
)]
pub(super) async fn replay(
    Operator(app): Operator,
    Upload { params, component }: Upload<ReplayParams>,
) -> Result<Response, Problem> {
    let whole = Range::default();
    let from = params.from.map_or(whole.from, |sequence| sequence.0);
    let to = params.to.map_or(whole.to, |sequence| sequence.0);
    ok(&ReplayBody::from(&app.admin.replay(component, Range { from, to }).await?))
}

/// Explain the decision behind an event
///
/// The component that decided decides again, on the state at that time.
#[utoipa::path(
    get,
    path = "/v1/admin/explain/{sequence}",
    params(EventSegment),
    responses((status = 200, description = "Command, reads, writes, events", body = ExplanationBody))
)]
pub(super) async fn explain(
    Operator(app): Operator,
    path: InPath<EventTarget>,
) -> Result<Response, Problem> {
    let mut violations = Violations::default();
    let target = path.take(&mut violations);
    let EventTarget { sequence: EventNumber(sequence) } = violations.valid(target)?;
    ok(&ExplanationBody::from(&app.admin.explain(sequence).await?))
}

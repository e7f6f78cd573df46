//! `/v1/admin/clock`: the server's time, and an operator's word that the wall clock is right.

use super::{App, auth::Operator, ok};
use crate::{
    engine::{ClockReading, ClockStatus},
    http::{openapi::AdminProblems, problem::Problem},
    wire::time,
};
use axum::{extract::State, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

/// How the server's time and the wall clock stand to each other.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ClockBody {
    /// `following`: the time is the wall clock's. `ahead`: the wall clock was set forward too far
    /// to be followed without an operator's word. `behind`: the wall clock is behind, time goes on
    /// by elapsed time. `slowed`: the same, and time passes slower by a tenth until they meet.
    #[schema(example = "following")]
    status: &'static str,
    /// By how many milliseconds the wall clock is ahead of the server's time; negative: behind.
    wall_clock_ahead_ms: i64,
    /// The server's time.
    #[schema(format = DateTime)]
    time: String,
}

impl From<ClockReading> for ClockBody {
    fn from(reading: ClockReading) -> Self {
        let status = match reading.status {
            ClockStatus::Following => "following",
            ClockStatus::Ahead => "ahead",
            ClockStatus::Behind => "behind",
            ClockStatus::Slowed => "slowed",
        };
        let time = time::text(reading.now);
        Self { status, wall_clock_ahead_ms: reading.wall_ahead_ms, time }
    }
}

/// What became of the clock.
#[derive(Serialize, ToSchema)]
struct AcceptedBody {
    before: ClockBody,
    clock: ClockBody,
}

/// The server's time and the wall clock
#[utoipa::path(
    get,
    path = "/v1/admin/clock",
    tag = "admin",
    security(("admin_token" = [])),
    responses((status = 200, description = "How they stand to each other", body = ClockBody), AdminProblems)
)]
pub(in crate::http) async fn get_clock(
    State(app): State<App>,
    _: Operator,
) -> Result<Response, Problem> {
    Ok(ok(&ClockBody::from(app.engine.clock())))
}

/// Accept the wall clock
///
/// Where it is `ahead`, it is followed in one step: what is due by then expires. Where it is
/// `behind`, time passes slower by a tenth until they meet: time never goes back. Otherwise nothing
/// changes.
#[utoipa::path(
    post,
    path = "/v1/admin/clock/accept",
    tag = "admin",
    security(("admin_token" = [])),
    responses((status = 200, description = "What it was like before, and is now", body = AcceptedBody), AdminProblems)
)]
pub(in crate::http) async fn accept_clock(
    State(app): State<App>,
    _: Operator,
) -> Result<Response, Problem> {
    let (before, clock) = app.engine.accept_clock();
    Ok(ok(&AcceptedBody { before: before.into(), clock: clock.into() }))
}

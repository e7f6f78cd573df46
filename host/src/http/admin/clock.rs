//! `/v1/admin/clock`: the server's clock, and the operator's confirmation that the wall clock is
//! right.

use super::{auth::Operator, ok};
use crate::{
    engine::{ClockReading, ClockStatus},
    http::problem::Problem,
    wire::time,
};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

/// The server's clock compared with the wall clock.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ClockBody {
    /// `following`: the server's time is the wall clock's. `ahead`: the wall clock was set forward
    /// so far that the server does not follow it before an operator confirms it. `behind`: the wall
    /// clock was set back; the server's time goes on by the elapsed time. `slowed`: the wall clock
    /// was set back, and the server's time passes a tenth slower until the two are equal.
    #[schema(example = "following")]
    status: &'static str,
    /// The wall clock minus the server's time, in milliseconds; negative where the wall clock is
    /// behind.
    wall_clock_ahead_ms: i64,
    /// The server's time (RFC 3339, UTC).
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

/// The clock before and after an operator accepted the wall clock.
#[derive(Serialize, ToSchema)]
struct AcceptedBody {
    /// The clock before.
    before: ClockBody,
    /// The clock now.
    clock: ClockBody,
}

/// The server's clock
#[utoipa::path(
    get,
    path = "/v1/admin/clock",
    responses((status = 200, description = "The server's clock compared with the wall clock", body = ClockBody))
)]
pub(in crate::http) async fn get_clock(Operator(app): Operator) -> Result<Response, Problem> {
    ok(&ClockBody::from(app.engine.clock()))
}

/// Accept the wall clock
///
/// Where the wall clock is `ahead`, the server's time follows it in one step, and holds that are
/// due by then expire. Where it is `behind`, the server's time passes a tenth slower until the two
/// are equal: it never goes back. Otherwise nothing changes.
#[utoipa::path(
    post,
    path = "/v1/admin/clock/accept",
    responses((status = 200, description = "The clock before and now", body = AcceptedBody))
)]
pub(in crate::http) async fn accept_clock(Operator(app): Operator) -> Result<Response, Problem> {
    let (before, clock) = app.engine.accept_clock();
    ok(&AcceptedBody { before: before.into(), clock: clock.into() })
}

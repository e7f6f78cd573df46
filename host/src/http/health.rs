//! The health of the process, for its supervisor.

use super::{App, admin::clock::ClockBody, answers};
use crate::{engine::Status, model::Integrity};
use axum::{body::Body, extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

/// The answer of a process that is alive.
#[derive(Serialize, ToSchema)]
struct Live {
    #[schema(example = "live")]
    status: &'static str,
}

/// Whether the server accepts commands, and its state.
#[derive(Serialize, ToSchema)]
struct Ready {
    /// `ready`, `read-only` (the store cannot be written at the moment) or `stopped`.
    #[schema(example = "ready")]
    status: &'static str,
    /// The SHA-256 of the component that decides, in hexadecimal.
    component: String,
    /// The reason for which the server itself has rolled back to this component: too many faults of
    /// the one after it. Absent where the server has not done so.
    #[serde(skip_serializing_if = "Option::is_none")]
    rolled_back_for: Option<String>,
    /// The damage that the check of the database after the start has found; absent where it has
    /// found none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    database_damage: Vec<String>,
    /// The number of commands that wait for the writer.
    waiting_commands: usize,
    /// The server's clock compared with the wall clock.
    clock: ClockBody,
}

/// Whether the process is alive
#[utoipa::path(
    get,
    path = "/health/live",
    operation_id = "health_live",
    tag = "health",
    responses((status = 200, description = "The process is alive", body = Live))
)]
pub(super) async fn live() -> Response {
    answers::json(StatusCode::OK, &Live { status: "live" }).map(Body::from)
}

/// Whether commands are accepted
#[utoipa::path(
    get,
    path = "/health/ready",
    operation_id = "health_ready",
    tag = "health",
    responses(
        (status = 200, description = "Commands are accepted", body = Ready),
        (status = 503, description = "Commands are not accepted; reads may work", body = Ready),
    )
)]
pub(super) async fn ready(State(app): State<App>) -> Response {
    let (code, status) = match app.engine.status() {
        Status::Ready => (StatusCode::OK, "ready"),
        Status::ReadOnly => (StatusCode::SERVICE_UNAVAILABLE, "read-only"),
        Status::Stopped => (StatusCode::SERVICE_UNAVAILABLE, "stopped"),
    };
    let domain = app.engine.domain();
    let component = domain.installed.current.to_string();
    let waiting_commands = app.engine.waiting();
    let rolled_back_for = domain.rolled_back_for;
    let clock = app.engine.clock().into();
    let database_damage = match app.admin.integrity() {
        Integrity::Damaged(findings) => findings,
        Integrity::Unchecked | Integrity::Sound => Vec::new(),
    };
    let ready =
        Ready { status, component, rolled_back_for, database_damage, waiting_commands, clock };
    answers::json(code, &ready).map(Body::from)
}

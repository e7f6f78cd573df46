//! For whoever supervises the process.

use super::{App, admin::clock::ClockBody, answers};
use crate::{engine::Status, model::Integrity};
use axum::{body::Body, extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

/// That the process answers.
#[derive(Serialize, ToSchema)]
struct Live {
    #[schema(example = "live")]
    status: &'static str,
}

/// Whether commands are accepted.
#[derive(Serialize, ToSchema)]
struct Ready {
    /// `ready`, `read-only` (the store cannot be written at the moment) or `stopped`.
    #[schema(example = "ready")]
    status: &'static str,
    /// SHA-256 of the component that decides, in hexadecimal.
    component: String,
    /// Why it decides, where it is there by a rollback: too many faults of the one after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    rolled_back_for: Option<String>,
    /// What is wrong with the database, where the check after the start has found something.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    database_damage: Vec<String>,
    /// Commands that wait for the writer.
    waiting_commands: usize,
    /// How the server's time and the wall clock stand to each other.
    clock: ClockBody,
}

/// Whether the process is alive
#[utoipa::path(
    get,
    path = "/health/live",
    operation_id = "health_live",
    tag = "health",
    responses((status = 200, description = "It is", body = Live))
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
        (status = 200, description = "They are", body = Ready),
        (status = 503, description = "They are not; reads may work", body = Ready),
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

use super::on_reservation;
use crate::{
    http::{
        App,
        command::Incoming,
        input::{JsonBody, ReservationPath},
        openapi::ReservationProblems,
        problem::Problem,
        reservations::{ReservationBody, bodies::LineRequestBody},
    },
    model::Action,
};
use axum::{extract::State, response::Response};
use utoipa::ToSchema;

/// What to hold from now on.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it documents what `JsonBody` is asked for")]
pub(super) struct ReplaceBody {
    #[schema(min_items = 1, max_items = 100)]
    lines: Vec<LineRequestBody>,
    #[schema(min_length = 1, max_length = 256)]
    reason: Option<String>,
    #[schema(min_length = 1, max_length = 256)]
    reference: Option<String>,
}

/// Replace the lines of a held reservation
///
/// In one step: what it holds already counts as free, and nobody can take it in between.
#[utoipa::path(
    put,
    path = "/v1/reservations/{reservation_id}",
    tag = "reservations",
    params(
        ("reservation_id" = String, Path, description = "1 to 128 printable ASCII characters without spaces"),
        ("If-Match" = Option<String>, Header, description = "Entity tags, one of which must be current, or `*`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes it safe to send again"),
        ("dry_run" = Option<bool>, Query, description = "Decide only: nothing is written"),
    ),
    request_body = ReplaceBody,
    responses(
        (status = 200, description = "The reservation after the command", body = ReservationBody),
        ReservationProblems,
    )
)]
pub(super) async fn replace(
    State(app): State<App>,
    path: ReservationPath,
    incoming: Incoming,
) -> Result<Response, Problem> {
    on_reservation(&app, path, incoming, JsonBody::lines, |id, lines| Action::Replace { id, lines })
        .await
}

use super::on_reservation;
use crate::{
    http::{
        App, command::IncomingBodyOptional, input::ReservationPath, openapi::ReservationProblems,
        problem::Problem, reservations::ReservationBody,
    },
    model::Action,
};
use axum::{extract::State, response::Response};
use utoipa::ToSchema;

/// Who or what confirms.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it documents what `JsonBody` is asked for")]
pub(super) struct ConfirmBody {
    #[schema(min_length = 1, max_length = 256)]
    reason: Option<String>,
    #[schema(min_length = 1, max_length = 256)]
    reference: Option<String>,
}

/// Confirm a reservation
///
/// Once confirmed, a held reservation no longer expires.
#[utoipa::path(
    post,
    path = "/v1/reservations/{reservation_id}/confirm",
    tag = "reservations",
    params(
        ("reservation_id" = String, Path, description = "1 to 128 printable ASCII characters without spaces"),
        ("If-Match" = Option<String>, Header, description = "Entity tags, one of which must be current, or `*`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes it safe to send again"),
        ("dry_run" = Option<bool>, Query, description = "Decide only: nothing is written"),
    ),
    request_body = Option<ConfirmBody>,
    responses(
        (status = 200, description = "The reservation after the command", body = ReservationBody),
        ReservationProblems,
    )
)]
pub(super) async fn confirm(
    State(app): State<App>,
    path: ReservationPath,
    IncomingBodyOptional(incoming): IncomingBodyOptional,
) -> Result<Response, Problem> {
    on_reservation(&app, path, incoming, |_| (), |id, ()| Action::Confirm { id }).await
}

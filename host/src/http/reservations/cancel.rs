use super::on_reservation;
use crate::{
    http::{
        App,
        command::IncomingBodyOptional,
        input::{JsonBody, ReservationPath},
        openapi::ReservationProblems,
        problem::Problem,
        reservations::{ReservationBody, bodies::ResolveBody},
    },
    model::Action,
};
use axum::{extract::State, response::Response};

/// Cancel a reservation
///
/// The given units, or all that is left, are available again. A reservation of which nothing is
/// left is cancelled.
#[utoipa::path(
    post,
    path = "/v1/reservations/{reservation_id}/cancel",
    tag = "reservations",
    params(
        ("reservation_id" = String, Path, description = "1 to 128 printable ASCII characters without spaces"),
        ("If-Match" = Option<String>, Header, description = "Entity tags, one of which must be current, or `*`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes it safe to send again"),
        ("dry_run" = Option<bool>, Query, description = "Decide only: nothing is written"),
    ),
    request_body = Option<ResolveBody>,
    responses(
        (status = 200, description = "The reservation after the command", body = ReservationBody),
        ReservationProblems,
    )
)]
pub(super) async fn cancel(
    State(app): State<App>,
    path: ReservationPath,
    IncomingBodyOptional(incoming): IncomingBodyOptional,
) -> Result<Response, Problem> {
    on_reservation(&app, path, incoming, JsonBody::optional_lines, |id, lines| Action::Cancel {
        id,
        lines,
    })
    .await
}

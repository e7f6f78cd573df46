use super::on_reservation;
use crate::{
    http::{
        App,
        command::Incoming,
        input::{JsonBody, ReservationPath},
        openapi::ReservationProblems,
        problem::Problem,
        reservations::ReservationBody,
    },
    model::Action,
};
use axum::{extract::State, response::Response};
use utoipa::ToSchema;

/// For how long.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it documents what `JsonBody` is asked for")]
pub(super) struct ExtendBody {
    /// From now; an expiry that is later already stays.
    #[schema(minimum = 1, maximum = 2_678_400)]
    ttl_seconds: u32,
    #[schema(min_length = 1, max_length = 256)]
    reason: Option<String>,
    #[schema(min_length = 1, max_length = 256)]
    reference: Option<String>,
}

/// Extend a hold
///
/// Moves the expiry of a held reservation, never to an earlier time.
#[utoipa::path(
    post,
    path = "/v1/reservations/{reservation_id}/extend",
    tag = "reservations",
    params(
        ("reservation_id" = String, Path, description = "1 to 128 printable ASCII characters without spaces"),
        ("If-Match" = Option<String>, Header, description = "Entity tags, one of which must be current, or `*`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes it safe to send again"),
        ("dry_run" = Option<bool>, Query, description = "Decide only: nothing is written"),
    ),
    request_body = ExtendBody,
    responses(
        (status = 200, description = "The reservation after the command", body = ReservationBody),
        ReservationProblems,
    )
)]
pub(super) async fn extend(
    State(app): State<App>,
    path: ReservationPath,
    incoming: Incoming,
) -> Result<Response, Problem> {
    on_reservation(&app, path, incoming, JsonBody::required_ttl, |id, ttl_seconds| Action::Extend {
        id,
        ttl_seconds,
    })
    .await
}

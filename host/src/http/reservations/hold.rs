use crate::{
    engine::Work,
    http::{
        App,
        answer::Subject,
        command::{Incoming, carry_out, command},
        input::Faults,
        openapi::ReservationProblems,
        problem::Problem,
        reservations::{ReservationBody, bodies::LineRequestBody},
    },
    model::Action,
};
use axum::{extract::State, response::Response};
use utoipa::ToSchema;
use uuid::Uuid;

/// What to hold, and for how long.
#[derive(ToSchema)]
#[schema(example = json!({
    "lines": [{"product_id": "sku-1", "quantity": 2}, {"product_id": "sku-2", "quantity": 1}],
    "ttl_seconds": 900, "reference": "order-7"
}))]
#[allow(dead_code, reason = "it documents what `JsonBody` is asked for")]
pub(super) struct HoldBody {
    /// 1 to 128 printable ASCII characters without spaces; one is made where it is absent.
    reservation_id: Option<String>,
    #[schema(min_items = 1, max_items = 100)]
    lines: Vec<LineRequestBody>,
    /// 900 where absent; null: the hold does not expire.
    #[schema(minimum = 1, maximum = 2_678_400)]
    ttl_seconds: Option<u32>,
    #[schema(min_length = 1, max_length = 256)]
    reason: Option<String>,
    #[schema(min_length = 1, max_length = 256)]
    reference: Option<String>,
}

/// Make a reservation
///
/// Holds all lines or none; several lines of one stock count as their sum. Under an id of the
/// client's own choice, the same request again gives the same reservation.
#[utoipa::path(
    post,
    path = "/v1/reservations",
    tag = "reservations",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Makes it safe to send again"),
        ("dry_run" = Option<bool>, Query, description = "Decide only: nothing is written"),
    ),
    request_body = HoldBody,
    responses(
        (status = 200, description = "The reservation that there was already", body = ReservationBody),
        (status = 201, description = "The reservation", body = ReservationBody,
            headers(("Location" = String, description = "The reservation's address"))),
        ReservationProblems,
    )
)]
pub(super) async fn hold(
    State(app): State<App>,
    mut incoming: Incoming,
) -> Result<Response, Problem> {
    let id = incoming.body.reservation_id();
    let lines = incoming.body.lines();
    let ttl_seconds = incoming.body.ttl();
    let origin = incoming.origin(true);
    let terms = incoming.finish(Faults::default())?;
    let id = id.unwrap_or_else(|| Uuid::now_v7().to_string());
    let action = Action::Hold { id, lines, ttl_seconds };
    let command = command(origin, terms.precondition.clone(), action);
    Ok(carry_out(&app, terms, Subject::Reservation, Work::One(command)).await)
}

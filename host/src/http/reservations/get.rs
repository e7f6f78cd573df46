//! One reservation.

use crate::{
    http::{
        App, Caller,
        answers::ReservationBody,
        body::{Query, Violations, object},
        conditional::{Conditions, not_modified},
        input::{InPath, ReservationTarget},
        openapi::ReservationReadProblems,
        parameters::{IfNoneMatch, ReservationSegment},
        problem::Problem,
    },
    model::GetReservation,
};
use axum::{body::Body, extract::State, http::StatusCode, response::Response};

object! {
    /// The query string of a request for a reservation: it has no parameters.
    pub(in crate::http) struct ReservationParams {}
}

/// Get a reservation
///
/// The entity tag is the reservation's version. A hold that is due is shown as expired even before
/// its expiry is recorded; until then, the number of due units follows the version in the tag.
#[utoipa::path(
    get,
    path = "/v1/reservations/{reservation_id}",
    tag = "reservations",
    params(ReservationSegment, IfNoneMatch),
    responses(
        (status = 200, description = "The reservation", body = ReservationBody,
            headers(("ETag" = String, description = "The version, in double quotes"))),
        (status = 304, description = "The client's copy is current"),
        ReservationReadProblems,
    )
)]
pub(in crate::http) async fn get_reservation(
    State(app): State<App>,
    Caller(identity): Caller,
    path: InPath<ReservationTarget>,
    params: Query<ReservationParams>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let mut violations = Violations::default();
    let target = path.take(&mut violations);
    conditions.check(&mut violations);
    let params = params.take(&mut violations);
    let (ReservationTarget { reservation_id }, _) = violations.valid(target.zip(params))?;
    let query = GetReservation { id: reservation_id.0 };
    let found = app.engine.query(&identity, &query).await?;
    let body = ReservationBody::of(&query.id, &found);
    let tag = body.tag();
    if conditions.has(tag) {
        return Ok(not_modified(tag));
    }
    Ok(body.respond(StatusCode::OK).map(Body::from))
}

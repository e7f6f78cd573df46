use super::ReservationBody;
use crate::{
    http::{
        App,
        conditional::{Conditions, not_modified},
        input::{Params, ReservationPath},
        openapi::ReservationReadProblems,
        problem::Problem,
    },
    model::{GetReservation, Identity},
};
use axum::{body::Body, extract::State, http::StatusCode, response::Response};

/// One reservation
///
/// The entity tag is its version. A hold that has come due is shown as expired, also before that
/// is recorded: then the tag has the units that are due behind the version.
#[utoipa::path(
    get,
    path = "/v1/reservations/{reservation_id}",
    tag = "reservations",
    params(
        ("reservation_id" = String, Path, description = "1 to 128 printable ASCII characters without spaces"),
        ("If-None-Match" = Option<String>, Header, description = "An entity tag that the client has"),
    ),
    responses(
        (status = 200, description = "The reservation", body = ReservationBody,
            headers(("ETag" = String, description = "The version, in double quotes"))),
        (status = 304, description = "The client's copy is current"),
        ReservationReadProblems,
    )
)]
pub(super) async fn get(
    State(app): State<App>,
    path: ReservationPath,
    params: Params,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let (id, ()) = path.id(|mut faults| {
        conditions.check(&mut faults);
        params.finish(faults)
    })?;
    let query = GetReservation { id };
    let found = app.engine.query(&Identity::ANONYMOUS, &query).await?;
    let body = ReservationBody::of(&query.id, &found);
    let tag = body.tag();
    if conditions.has(tag) {
        return Ok(not_modified(tag));
    }
    Ok(body.respond(StatusCode::OK).map(Body::from))
}

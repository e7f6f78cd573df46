use crate::{
    http::{
        App, Caller,
        answers::{self, ReservationBody, ReservationPage},
        body::{Limit, Moment, Query, Text, object},
        cursor::{self, ReservationCursor},
        openapi::ListProblems,
        problem::Problem,
    },
    model::{ListReservations, LocationId, ProductId, ReservationFilter, ReservationState},
};
use axum::{
    body::Body,
    extract::{OriginalUri, State},
    response::Response,
};

object! {
    /// Which reservations to list.
    pub(in crate::http) struct ReservationListParams {
        /// Only reservations with a line about this product.
        product_id: Option<ProductId>,
        /// Only reservations with a line at this location.
        location_id: Option<LocationId>,
        /// Only reservations in this state.
        state: Option<ReservationState>,
        /// Only reservations with this reference.
        reference: Option<Text>,
        /// Only reservations that expire before this time (RFC 3339).
        expires_before: Option<Moment>,
        /// The most items of the page.
        limit: Limit,
        /// `next_cursor` of the page before.
        cursor: Option<ReservationCursor>,
    }
}

/// Reservations
///
/// The newest first. A page can be shorter than `limit`, even empty, and still have a next one.
#[utoipa::path(
    get,
    path = "/v1/reservations",
    tag = "reservations",
    params(Query<ReservationListParams>),
    responses(
        (status = 200, description = "A page of reservations", body = ReservationPage,
            headers(("Link" = Option<String>, description = "The next page, where there is one"))),
        ListProblems,
    )
)]
pub(in crate::http) async fn list_reservations(
    State(app): State<App>,
    Caller(identity): Caller,
    OriginalUri(uri): OriginalUri,
    params: Query<ReservationListParams>,
) -> Result<Response, Problem> {
    let params = params.valid()?;
    let filter = ReservationFilter {
        product_id: params.product_id,
        location_id: params.location_id,
        state: params.state,
        reference: params.reference.map(|text| text.0),
        expires_before: params.expires_before.map(|at| at.0),
    };
    let after = params.cursor.map(|cursor| cursor.0);
    let query = ListReservations { filter, after, limit: params.limit.0 };
    let page = app.engine.query(&identity, &query).await?;
    let lines = page.items.iter().map(|(_, it)| it.lines.len()).sum();
    let make = move || {
        let items = page.items.iter().map(|(id, it)| ReservationBody::of(id, it)).collect();
        answers::page(&uri, items, page.next.map(cursor::of_reservations))
    };
    Ok(answers::made(lines, make).await.map(Body::from))
}

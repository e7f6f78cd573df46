//! The list of reservations.

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
    /// The reservations to list.
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
        /// The maximum number of items on the page.
        limit: Limit,
        /// The `next_cursor` of the previous page.
        cursor: Option<ReservationCursor>,
    }
}

/// List reservations
///
/// The newest come first. A page can be shorter than `limit`, or empty, and still have a next page.
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
    let render = move || {
        let items = page.items.iter().map(|(id, it)| ReservationBody::of(id, it)).collect();
        answers::page(&uri, items, page.next.map(cursor::of_reservations))
    };
    Ok(answers::rendered(lines, render).await.map(Body::from))
}

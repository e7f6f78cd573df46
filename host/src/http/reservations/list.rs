use super::ReservationBody;
use crate::{
    http::{
        App, cursor,
        input::{Faults, Params},
        inventory::{PAGE_ITEMS, PAGE_ITEMS_MAX},
        openapi::ListProblems,
        problem::Problem,
        respond::{self, PageBody},
    },
    model::{ReservationFilter, ReservationScan, ReservationState},
};
use axum::{
    body::Body,
    extract::{OriginalUri, State},
    response::Response,
};

/// Reservations
///
/// The newest first. A page can be shorter than `limit`, even empty, and still have a next one.
#[utoipa::path(
    get,
    path = "/v1/reservations",
    tag = "reservations",
    params(
        ("product_id" = Option<String>, Query, description = "Only with a line about this product"),
        ("location_id" = Option<String>, Query, description = "Only with a line at this location"),
        ("state" = Option<String>, Query, description = "Only those that are `held`, `confirmed`, `fulfilled`, `cancelled` or `expired`"),
        ("reference" = Option<String>, Query, description = "Only with this reference"),
        ("expires_before" = Option<String>, Query, description = "Only those that expire before this time (RFC 3339)"),
        ("limit" = Option<u32>, Query, description = "1 to 500; 100 where absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of reservations", body = PageBody<ReservationBody>,
            headers(("Link" = Option<String>, description = "The next page, where there is one"))),
        ListProblems,
    )
)]
pub(super) async fn list(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    mut params: Params,
) -> Result<Response, Problem> {
    let filter = ReservationFilter {
        product_id: params.product(),
        location_id: params.optional_location(),
        state: params
            .optional_choice("state", &ReservationState::ALL.map(|state| (state.name(), state))),
        reference: params.take("reference"),
        expires_before: params.time("expires_before"),
    };
    let limit = params.limit(PAGE_ITEMS, PAGE_ITEMS_MAX);
    let after = params.cursor(cursor::to_reservations);
    params.finish(Faults::default())?;
    let page =
        app.engine.list_reservations(ReservationScan { filter, after, limit, now: 0 }).await?;
    let lines = page.items.iter().map(|(_, it)| it.lines.len()).sum();
    let make = move || {
        let items = page.items.iter().map(|(id, it)| ReservationBody::of(id, it)).collect();
        respond::page(&uri, items, page.next.map(cursor::of_reservations))
    };
    Ok(respond::made(lines, make).await.map(Body::from))
}

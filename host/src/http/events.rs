//! `/v1/events`: the whole log.

use super::{
    App, cursor,
    input::{Faults, Params},
    inventory::{PAGE_ITEMS, PAGE_ITEMS_MAX},
    openapi::ListProblems,
    problem::Problem,
    respond::{self, PageBody},
};
use crate::{
    store::EventScan,
    wire::{EVENT_TYPES, LogEntryBody},
};
use axum::{
    body::Body,
    extract::{OriginalUri, State},
    response::Response,
};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(events))
}

/// Every fact
///
/// In the order of the log, the oldest first. Facts never change. A page can be shorter than
/// `limit`, even empty, and still have a next one.
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "events",
    params(
        ("type" = Option<String>, Query, description = "Only facts of this type, such as InventoryReserved"),
        ("product_id" = Option<String>, Query, description = "Only about this product, wherever it is"),
        ("reservation_id" = Option<String>, Query, description = "Only about this reservation, or what it moved"),
        ("reference" = Option<String>, Query, description = "Only with this reference"),
        ("from_sequence" = Option<u64>, Query, description = "Only from this number on"),
        ("limit" = Option<u32>, Query, description = "1 to 500; 100 where absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of the log", body = PageBody<LogEntryBody>,
            headers(("Link" = Option<String>, description = "The next page, where there is one"))),
        ListProblems,
    )
)]
async fn events(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    mut params: Params,
) -> Result<Response, Problem> {
    let kinds = params.optional_choice("type", &EVENT_TYPES).unwrap_or_default().to_vec();
    let product_id = params.product();
    let reservation_id = params.take("reservation_id");
    let reference = params.take("reference");
    let from = params.number("from_sequence").unwrap_or(0).saturating_sub(1);
    let limit = params.limit(PAGE_ITEMS, PAGE_ITEMS_MAX);
    let after = params.cursor(cursor::to_events).unwrap_or(0).max(from);
    params.finish(Faults::default())?;
    let scan = EventScan { kinds, product_id, reservation_id, reference, after, limit };
    let page = app.engine.events(scan).await?;
    let entries = page.items.len();
    let make = move || {
        let items = page.items.iter().map(LogEntryBody::from).collect();
        respond::page(&uri, items, page.next.map(cursor::of_events))
    };
    Ok(respond::made(entries, make).await.map(Body::from))
}

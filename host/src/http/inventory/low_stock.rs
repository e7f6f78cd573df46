use super::{PAGE_ITEMS, PAGE_ITEMS_MAX};
use crate::{
    http::{
        App, cursor,
        input::{Faults, Params},
        openapi::ListProblems,
        problem::Problem,
        respond::{self, PageBody, StockBody},
    },
    model::{Identity, LowStock},
};
use axum::{
    body::Body,
    extract::{OriginalUri, State},
    response::Response,
};

/// Low stocks
///
/// Those with a minimum and less than that available, now; the largest deficit first.
#[utoipa::path(
    get,
    path = "/v1/inventory/low-stock",
    tag = "inventory",
    params(
        ("location_id" = Option<String>, Query, description = "Only at this location"),
        ("limit" = Option<u32>, Query, description = "1 to 500; 100 where absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of stocks", body = PageBody<StockBody>,
            headers(("Link" = Option<String>, description = "The next page, where there is one"))),
        ListProblems,
    )
)]
pub(super) async fn low_stock(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    mut params: Params,
) -> Result<Response, Problem> {
    let location_id = params.optional_location();
    let limit = params.limit(PAGE_ITEMS, PAGE_ITEMS_MAX);
    let after = params.cursor(cursor::to_deficits);
    params.finish(Faults::default())?;
    let query = LowStock { location_id, after, limit };
    let page = app.engine.query(&Identity::ANONYMOUS, &query).await?;
    let items = page.items.iter().map(|(key, view)| StockBody::of(key, view)).collect();
    Ok(respond::page(&uri, items, page.next.as_ref().map(cursor::of_deficits)).map(Body::from))
}

use super::{PAGE_ITEMS, PAGE_ITEMS_MAX};
use crate::{
    http::{
        App, cursor,
        input::{Params, StockPath},
        openapi::ReadProblems,
        problem::Problem,
        respond::{self, PageBody},
    },
    store::Order,
    wire::LogEntryBody,
};
use axum::{
    body::Body,
    extract::{OriginalUri, State},
    response::Response,
};

/// The ledger of a stock
///
/// Every fact about it, with the numbers before and after, newest first unless asked
/// otherwise. Facts never change, so a page that has a next one never does either.
#[utoipa::path(
    get,
    path = "/v1/inventory/{product_id}/events",
    tag = "inventory",
    params(
        ("product_id" = String, Path, description = "1 to 128 printable ASCII characters without spaces"),
        ("location_id" = Option<String>, Query, description = "`default` where absent"),
        ("order" = Option<String>, Query, description = "`newest` (default) or `oldest` first"),
        ("limit" = Option<u32>, Query, description = "1 to 500; 100 where absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of the ledger", body = PageBody<LogEntryBody>,
            headers(("Link" = Option<String>, description = "The next page, where there is one"))),
        ReadProblems,
    )
)]
pub(super) async fn events(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    path: StockPath,
    mut params: Params,
) -> Result<Response, Problem> {
    let location_id = params.location();
    let orders = [("newest", Order::NewestFirst), ("oldest", Order::OldestFirst)];
    let order = params.choice("order", &orders).unwrap_or(Order::NewestFirst);
    let limit = params.limit(PAGE_ITEMS, PAGE_ITEMS_MAX);
    let after = params.cursor(cursor::to_ledger);
    let (key, ()) = path.key(location_id, |faults| params.finish(faults))?;
    let Some(page) = app.engine.ledger(key.clone(), order, after, limit).await? else {
        let (product, location) = (key.product_id.as_str(), key.location_id.as_str());
        return Err(Problem::new("product-not-found", format!("there is no stock of {key}"))
            .with("product_id", product)
            .with("location_id", location));
    };
    let entries = page.items.len();
    let make = move || {
        let items = page.items.iter().map(LogEntryBody::from).collect();
        respond::page(&uri, items, page.next.map(cursor::of_ledger))
    };
    Ok(respond::made(entries, make).await.map(Body::from))
}

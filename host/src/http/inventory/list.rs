use super::{PAGE_ITEMS, PAGE_ITEMS_MAX};
use crate::{
    http::{
        App, cursor,
        input::{Faults, Params},
        openapi::ListProblems,
        problem::Problem,
        respond::{self, PageBody, StockBody},
    },
    model::{Identity, ListStocks, ProductId, StockFilter},
};
use axum::{
    body::Body,
    extract::{OriginalUri, State},
    response::Response,
};

/// Stocks
///
/// In the order of product id, then location id, by byte value. A page can be shorter than
/// `limit` and still have a next one: follow `next_cursor`, or the `Link` with rel `next`.
#[utoipa::path(
    get,
    path = "/v1/inventory",
    tag = "inventory",
    params(
        ("location_id" = Option<String>, Query, description = "Only at this location"),
        ("prefix" = Option<String>, Query, description = "Only products whose id starts with this"),
        ("low_stock" = Option<bool>, Query, description = "Only stocks that are low, or only those that are not"),
        ("limit" = Option<u32>, Query, description = "1 to 500; 100 where absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of stocks", body = PageBody<StockBody>,
            headers(("Link" = Option<String>, description = "The next page, where there is one"))),
        ListProblems,
    )
)]
pub(super) async fn list(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    mut params: Params,
) -> Result<Response, Problem> {
    let filter = StockFilter {
        location_id: params.optional_location(),
        product_prefix: prefix(&mut params),
        low: params.flag("low_stock"),
    };
    let limit = params.limit(PAGE_ITEMS, PAGE_ITEMS_MAX);
    let after = params.cursor(cursor::to_stocks);
    params.finish(Faults::default())?;
    let page = app.engine.query(&Identity::ANONYMOUS, &ListStocks { filter, after, limit }).await?;
    let items = page.items.iter().map(|(key, view)| StockBody::of(key, view)).collect();
    Ok(respond::page(&uri, items, page.next.as_ref().map(cursor::of_stocks)).map(Body::from))
}

/// The beginning of a product id, which follows the rule of a whole one. The words that
/// cannot be ids can begin some.
fn prefix(params: &mut Params) -> Option<String> {
    let given = params.take("prefix")?;
    if let Err(error) = ProductId::parse_prefix(&given) {
        params.fault("prefix", error);
    }
    Some(given)
}

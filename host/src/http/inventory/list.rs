//! The list of stocks.

use crate::{
    http::{
        App, Caller,
        answers::{self, StockBody, StockPage},
        body::{Limit, Prefix, Query, object},
        cursor::{self, StockCursor},
        openapi::ListProblems,
        problem::Problem,
    },
    model::{ListStocks, LocationId, StockFilter},
};
use axum::{
    body::Body,
    extract::{OriginalUri, State},
    response::Response,
};

object! {
    /// The stocks to list.
    pub(in crate::http) struct StockListParams {
        /// Only stocks at this location.
        location_id: Option<LocationId>,
        /// Only stocks of products whose id starts with this text.
        prefix: Option<Prefix>,
        /// `true`: only stocks that are low; `false`: only stocks that are not.
        low_stock: Option<bool>,
        /// The maximum number of items on the page.
        limit: Limit,
        /// The `next_cursor` of the previous page.
        cursor: Option<StockCursor>,
    }
}

/// List stocks
///
/// They are ordered by product id and then location id, both by byte value. A page can be shorter
/// than `limit` and still have a next page: follow `next_cursor`, or the `Link` with rel `next`.
#[utoipa::path(
    get,
    path = "/v1/inventory",
    tag = "inventory",
    params(Query<StockListParams>),
    responses(
        (status = 200, description = "A page of stocks", body = StockPage,
            headers(("Link" = Option<String>, description = "The next page, where there is one"))),
        ListProblems,
    )
)]
pub(in crate::http) async fn list_stocks(
    State(app): State<App>,
    Caller(identity): Caller,
    OriginalUri(uri): OriginalUri,
    params: Query<StockListParams>,
) -> Result<Response, Problem> {
    let StockListParams { location_id, prefix, low_stock, limit, cursor } = params.valid()?;
    let product_prefix = prefix.map(|prefix| prefix.0);
    let filter = StockFilter { location_id, product_prefix, low: low_stock };
    let after = cursor.map(|cursor| cursor.0);
    let query = ListStocks { filter, after, limit: limit.0 };
    let page = app.engine.query(&identity, &query).await?;
    let items = page.items.iter().map(|(key, view)| StockBody::of(key, view)).collect();
    Ok(answers::page(&uri, items, page.next.as_ref().map(cursor::of_stocks)).map(Body::from))
}

//! The list of low stocks.

use crate::{
    http::{
        App, Caller,
        answers::{self, StockBody, StockPage},
        body::{Limit, Query, object},
        cursor::{self, DeficitCursor},
        openapi::ListProblems,
        problem::Problem,
    },
    model::{LocationId, LowStock},
};
use axum::{
    body::Body,
    extract::{OriginalUri, State},
    response::Response,
};

object! {
    /// The low stocks to list.
    pub(in crate::http) struct LowStockParams {
        /// Only stocks at this location.
        location_id: Option<LocationId>,
        /// The maximum number of items on the page.
        limit: Limit,
        /// The `next_cursor` of the previous page.
        cursor: Option<DeficitCursor>,
    }
}

/// List low stocks
///
/// These are the stocks with fewer available units than their minimum. The largest deficit comes
/// first.
#[utoipa::path(
    get,
    path = "/v1/inventory/low-stock",
    tag = "inventory",
    params(Query<LowStockParams>),
    responses(
        (status = 200, description = "A page of stocks", body = StockPage,
            headers(("Link" = Option<String>, description = "The next page, where there is one"))),
        ListProblems,
    )
)]
pub(in crate::http) async fn list_low_stocks(
    State(app): State<App>,
    Caller(identity): Caller,
    OriginalUri(uri): OriginalUri,
    params: Query<LowStockParams>,
) -> Result<Response, Problem> {
    let LowStockParams { location_id, limit, cursor } = params.valid()?;
    let after = cursor.map(|cursor| cursor.0);
    let query = LowStock { location_id, after, limit: limit.0 };
    let page = app.engine.query(&identity, &query).await?;
    let items = page.items.iter().map(|(key, view)| StockBody::of(key, view)).collect();
    Ok(answers::page(&uri, items, page.next.as_ref().map(cursor::of_deficits)).map(Body::from))
}

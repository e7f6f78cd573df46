//! The query of many stocks by their keys.

use crate::{
    http::{
        App, Caller,
        answers::{self, StockBody},
        body::{List, Violations, object, read_query},
        input::{self, read_json, receive_json},
        openapi::ListProblems,
        problem::Problem,
    },
    model::{GetStocks, LocationId, ProductId, StockKey},
};
use axum::{
    body::Body,
    extract::{FromRequest, Request, State},
    http::StatusCode,
    response::Response,
};
use serde::Serialize;
use utoipa::ToSchema;

/// The maximum number of keys in one query.
const KEYS_MAX: usize = 500;

object! {
    /// The key of a stock.
    pub(in crate::http) struct KeyBody {
        /// The product.
        product_id: ProductId,
        /// The location; `default` where absent.
        location_id: Option<LocationId>,
    }
}

object! {
    /// The stocks to read.
    #[example({"keys": [{"product_id": "sku-1"}, {"product_id": "sku-2", "location_id": "north"}]})]
    pub(in crate::http) struct QueryBody {
        /// The keys of the stocks.
        keys: List<KeyBody, KEYS_MAX>,
    }
}

object! {
    /// The query string of a query whose parameters are in its body: it has none.
    pub(in crate::http) struct NoParams {}
}

/// The stocks that were found.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct FoundBody<'a> {
    /// The stocks in the order of the keys; null where there is no such stock.
    items: Vec<Option<StockBody<'a>>>,
    /// Always null: the answer has all stocks.
    next_cursor: Option<String>,
}

/// The extractor of a valid query.
pub(in crate::http) struct StockQuery(QueryBody);

impl FromRequest<App> for StockQuery {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = receive_json(&parts.headers, body, app).await?;
        let size = bytes.len();
        let read = move || {
            let mut violations = Violations::default();
            let params = read_query::<NoParams>(parts.uri.query(), &mut violations);
            let body = read_json(&bytes, &mut violations);
            violations.valid(params.zip(body)).map(|(_, body)| Self(body))
        };
        input::process_body(size, read).await?
    }
}

/// Get many stocks
///
/// Returns up to 500 stocks, all as of the same commit.
#[utoipa::path(
    post,
    path = "/v1/inventory/query",
    tag = "inventory",
    request_body = QueryBody,
    responses(
        (status = 200, description = "The stocks, in the order of the keys", body = FoundBody),
        ListProblems,
    )
)]
pub(in crate::http) async fn query_stocks(
    State(app): State<App>,
    Caller(identity): Caller,
    StockQuery(body): StockQuery,
) -> Result<Response, Problem> {
    let key = |key: KeyBody| StockKey {
        product_id: key.product_id,
        location_id: key.location_id.unwrap_or_default(),
    };
    let query = GetStocks { keys: body.keys.0.into_iter().map(key).collect() };
    let found = app.engine.query(&identity, &query).await?;
    let items = query
        .keys
        .iter()
        .zip(&found)
        .map(|(key, view)| view.as_ref().map(|view| StockBody::of(key, view)))
        .collect();
    Ok(answers::json(StatusCode::OK, &FoundBody { items, next_cursor: None }).map(Body::from))
}

use crate::{
    http::{
        App,
        input::{JsonBody, Params},
        openapi::ListProblems,
        problem::Problem,
        respond::{self, StockBody},
    },
    model::{GetStocks, Identity},
};
use axum::{body::Body, extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

/// The most keys of one query.
const KEYS_MAX: usize = 500;

/// Which stocks to read.
#[derive(ToSchema)]
#[schema(example = json!({"keys": [{"product_id": "sku-1"}, {"product_id": "sku-2", "location_id": "north"}]}))]
#[allow(dead_code, reason = "it documents what `JsonBody` is asked for")]
pub(super) struct QueryBody {
    #[schema(min_items = 1, max_items = 500)]
    keys: Vec<KeyBody>,
}

/// Names one stock.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it documents what `JsonBody` is asked for")]
pub(super) struct KeyBody {
    product_id: String,
    /// `default` where absent.
    location_id: Option<String>,
}

/// What was found.
#[derive(Serialize, ToSchema)]
pub(super) struct FoundBody<'a> {
    /// In the order of the keys; null where there is no such stock.
    items: Vec<Option<StockBody<'a>>>,
    /// Always null: the answer is whole.
    next_cursor: Option<String>,
}

/// Many stocks at once
///
/// Up to 500, all as of the same commit.
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
pub(super) async fn query(
    State(app): State<App>,
    params: Params,
    mut body: JsonBody,
) -> Result<Response, Problem> {
    let keys = body.keys("keys", KEYS_MAX);
    body.finish(params.into_faults())?;
    let query = GetStocks { keys };
    let found = app.engine.query(&Identity::ANONYMOUS, &query).await?;
    let items = query
        .keys
        .iter()
        .zip(&found)
        .map(|(key, view)| view.as_ref().map(|view| StockBody::of(key, view)))
        .collect();
    Ok(respond::json(StatusCode::OK, &FoundBody { items, next_cursor: None }).map(Body::from))
}

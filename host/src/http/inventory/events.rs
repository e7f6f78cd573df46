//! The ledger of a stock: all its events.

use crate::{
    engine::LedgerScan,
    http::{
        App,
        answers::{self, EventPage},
        body::{Limit, Query, Violations, object, words},
        cursor::{self, LedgerCursor},
        input::{InPath, StockTarget},
        openapi::ReadProblems,
        parameters::ProductSegment,
        problem::Problem,
    },
    model::{LocationId, StockKey},
    store::Order,
    wire::LogEntryBody,
};
use axum::{
    body::Body,
    extract::{OriginalUri, State},
    response::Response,
};

words! { Order, absent = Self::NewestFirst;
    "newest" => Self::NewestFirst,
    "oldest" => Self::OldestFirst,
}

object! {
    /// The part of a ledger to read.
    pub(in crate::http) struct LedgerParams {
        /// The location; `default` where absent.
        location_id: Option<LocationId>,
        /// The event that comes first; `newest` where absent.
        order: Order,
        /// The maximum number of items on the page.
        limit: Limit,
        /// The `next_cursor` of the previous page.
        cursor: Option<LedgerCursor>,
    }
}

/// List the events of a stock
///
/// The newest come first unless `order` says otherwise. Each event has the numbers before and after
/// it. Events never change, so that a page which has a next page never changes either.
#[utoipa::path(
    get,
    path = "/v1/inventory/{product_id}/events",
    tag = "inventory",
    params(ProductSegment, Query<LedgerParams>),
    responses(
        (status = 200, description = "A page of the ledger", body = EventPage,
            headers(("Link" = Option<String>, description = "The next page, where there is one"))),
        ReadProblems,
    )
)]
pub(in crate::http) async fn list_stock_events(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    path: InPath<StockTarget>,
    params: Query<LedgerParams>,
) -> Result<Response, Problem> {
    let mut violations = Violations::default();
    let (target, params) = (path.take(&mut violations), params.take(&mut violations));
    let (StockTarget { product_id }, params) = violations.valid(target.zip(params))?;
    let LedgerParams { location_id, order, limit, cursor } = params;
    let key = StockKey { product_id, location_id: location_id.unwrap_or_default() };
    let after = cursor.map(|cursor| cursor.0);
    let scan = LedgerScan { key: key.clone(), order, after, limit: limit.0 };
    let Some(page) = app.engine.ledger(scan).await? else {
        return Err(Problem::no_stock(&key, format!("there is no stock of {key}")));
    };
    let entries = page.items.len();
    let render = move || {
        let items = page.items.iter().map(LogEntryBody::from).collect();
        answers::page(&uri, items, page.next.map(cursor::of_ledger))
    };
    Ok(answers::rendered(entries, render).await.map(Body::from))
}

//! `/v1/inventory`: one file per operation.

mod adjust;
mod events;
mod get;
mod list;
mod low_stock;
mod put;
mod query;
mod release;
mod reserve;

use super::{
    App,
    conditional::Conditions,
    input::{Faults, JsonBody, Params, StockPath},
    problem::Problem,
    respond,
};
use crate::model::{Action, Command, Origin, StockKey, StockOutcome};
use axum::http::StatusCode;
use axum::response::Response;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

/// How many items a page has where the client does not say, and at most.
const PAGE_ITEMS: u32 = 100;
const PAGE_ITEMS_MAX: u32 = 500;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(low_stock::low_stock))
        .routes(routes!(query::query))
        .routes(routes!(get::get, put::put))
        .routes(routes!(adjust::adjust))
        .routes(routes!(reserve::reserve))
        .routes(routes!(release::release))
        .routes(routes!(events::events))
}

/// What every command on one stock brings: the stock in path and body, conditions in the
/// headers, reason and reference in the body.
struct Incoming {
    key: StockKey,
    command: Command,
}

/// Reads what all commands share, after `action` has read what is its own, and tells every
/// fault of the request at once.
fn incoming(
    path: StockPath,
    params: Params,
    conditions: Conditions,
    mut body: JsonBody,
    with_reason: bool,
    action: impl FnOnce(&mut JsonBody) -> Action,
) -> Result<Incoming, Problem> {
    let action = action(&mut body);
    let reference = body.text("reference");
    let reason = if with_reason { body.text("reason") } else { None };
    let location_id = body.location();
    let mut faults = Faults::default();
    let precondition = conditions.precondition(&mut faults);
    faults.join(params.into_faults());
    let key = path.key(location_id, |in_path| {
        faults.join(in_path);
        body.finish(faults)
    })?;
    let origin = Origin { caller: None, reason, reference };
    let command = Command { id: Uuid::now_v7(), origin, precondition, key: key.clone(), action };
    Ok(Incoming { key, command })
}

/// Carries a command out and answers with the stock after it.
async fn execute(app: &App, incoming: Incoming) -> Result<(Response, StockOutcome), Problem> {
    let outcome = app.engine.execute(incoming.command).await?;
    let status = if outcome.created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((respond::stock(status, &incoming.key, &outcome.view), outcome))
}

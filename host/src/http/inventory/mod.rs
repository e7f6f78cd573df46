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
    answer::Subject,
    command::{Incoming, carry_out, command},
    input::{JsonBody, StockPath},
    problem::Problem,
};
use crate::{
    engine::Work,
    model::{Action, Precondition, StockKey},
};
use axum::response::Response;
use utoipa_axum::{router::OpenApiRouter, routes};

/// How many items a page has where the client does not say, and at most.
pub(super) const PAGE_ITEMS: u32 = 100;
pub(super) const PAGE_ITEMS_MAX: u32 = 500;

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

/// Reads a command on one stock, its own arguments first, tells every fault of the request at
/// once, and carries it out.
async fn on_stock<A>(
    app: &App,
    path: StockPath,
    mut incoming: Incoming,
    with_reason: bool,
    read: impl FnOnce(&mut JsonBody) -> A,
    act: impl FnOnce(StockKey, A) -> Action,
    permit: impl FnOnce(Option<&Precondition>) -> Result<(), Problem>,
) -> Result<Response, Problem> {
    let argument = read(&mut incoming.body);
    let origin = incoming.origin(with_reason);
    let location_id = incoming.body.location();
    let (key, terms) = path.key(location_id, |faults| incoming.finish(faults))?;
    permit(terms.precondition.as_ref())?;
    let command = command(origin, terms.precondition.clone(), act(key.clone(), argument));
    Ok(carry_out(app, terms, Subject::Stock(key), Work::One(command)).await)
}

/// Whether a command needs a condition: most do not.
fn unconditional(_: Option<&Precondition>) -> Result<(), Problem> {
    Ok(())
}

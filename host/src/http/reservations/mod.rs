//! `/v1/reservations`: one file per operation.

mod bodies;
mod cancel;
mod confirm;
mod extend;
mod fulfill;
mod get;
mod hold;
mod list;
mod replace;

pub(super) use bodies::ReservationBody;

use super::{
    App,
    answer::Subject,
    command::{Incoming, carry_out, command},
    input::{JsonBody, ReservationPath},
    problem::Problem,
};
use crate::{engine::Work, model::Action};
use axum::response::Response;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list, hold::hold))
        .routes(routes!(get::get, replace::replace))
        .routes(routes!(confirm::confirm))
        .routes(routes!(fulfill::fulfill))
        .routes(routes!(cancel::cancel))
        .routes(routes!(extend::extend))
}

/// Reads a command on one reservation, its own arguments first, tells every fault of the
/// request at once, and carries it out.
async fn on_reservation<A>(
    app: &App,
    path: ReservationPath,
    mut incoming: Incoming,
    read: impl FnOnce(&mut JsonBody) -> A,
    act: impl FnOnce(String, A) -> Action,
) -> Result<Response, Problem> {
    let argument = read(&mut incoming.body);
    let origin = incoming.origin(true);
    let (id, terms) = path.id(|faults| incoming.finish(faults))?;
    let command = command(origin, terms.precondition.clone(), act(id, argument));
    Ok(carry_out(app, terms, Subject::Reservation, Work::One(command)).await)
}

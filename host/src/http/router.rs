//! The list of all routes. This file knows every handler; no handler knows this file.

use super::{
    App, admin,
    body::{Schemas, schema::described},
    commands::{
        self, AdjustBody, CancelBody, Command, ConfirmBody, ExtendBody, FulfillBody, HoldBody,
        ReleaseBody, ReplaceBody, ReserveBody, SetBody, TransferBody,
    },
    docs, events, health, inventory, metrics,
    openapi::{self, BATCH, ON_RESERVATION, ON_STOCK, SET},
    problem::Problem,
    reservations,
};
use axum::{
    Router,
    http::{Method, Uri},
    response::Response,
    routing::MethodRouter,
};
use utoipa::openapi::path::{HttpMethod, Operation, Paths};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouter},
    routes,
};

/// Returns all routes together with the OpenAPI document that describes them.
pub(super) fn documented() -> OpenApiRouter<App> {
    let (inventory_tag, reservations_tag) = ("inventory", "reservations");
    OpenApiRouter::with_openapi(openapi::description())
        .routes(routes!(inventory::list::list_stocks))
        .routes(routes!(inventory::low_stock::list_low_stocks))
        .routes(routes!(inventory::query::query_stocks))
        .routes(routes!(inventory::get::get_stock))
        .routes(put::<SetBody>("/v1/inventory/{product_id}", inventory_tag, SET))
        .routes(post::<AdjustBody>("/v1/inventory/{product_id}/adjust", inventory_tag, ON_STOCK))
        .routes(post::<ReserveBody>("/v1/inventory/{product_id}/reserve", inventory_tag, ON_STOCK))
        .routes(post::<ReleaseBody>("/v1/inventory/{product_id}/release", inventory_tag, ON_STOCK))
        .routes(routes!(inventory::events::list_stock_events))
        .routes(post::<TransferBody>("/v1/transfers", inventory_tag, ON_STOCK))
        .routes(routes!(reservations::list::list_reservations))
        .routes(post::<HoldBody>("/v1/reservations", reservations_tag, ON_RESERVATION))
        .routes(routes!(reservations::get::get_reservation))
        .routes(put::<ReplaceBody>(RESERVATION, reservations_tag, ON_RESERVATION))
        .routes(post::<ConfirmBody>(
            "/v1/reservations/{reservation_id}/confirm",
            reservations_tag,
            ON_RESERVATION,
        ))
        .routes(post::<FulfillBody>(
            "/v1/reservations/{reservation_id}/fulfill",
            reservations_tag,
            ON_RESERVATION,
        ))
        .routes(post::<CancelBody>(
            "/v1/reservations/{reservation_id}/cancel",
            reservations_tag,
            ON_RESERVATION,
        ))
        .routes(post::<ExtendBody>(
            "/v1/reservations/{reservation_id}/extend",
            reservations_tag,
            ON_RESERVATION,
        ))
        .routes(route("/v1/batch", &Method::POST, commands::batch_document(BATCH), |on| {
            on.post(commands::batch)
        }))
        .routes(routes!(events::list_events))
        .merge(admin::described(
            OpenApiRouter::new()
                .routes(routes!(admin::get_domain, admin::swap_domain))
                .routes(routes!(admin::roll_back_domain))
                .routes(routes!(admin::get_shadow, admin::begin_shadow, admin::end_shadow))
                .routes(routes!(admin::promote_shadow))
                .routes(routes!(admin::replay))
                .routes(routes!(admin::explain))
                .routes(routes!(admin::clock::get_clock))
                .routes(routes!(admin::clock::accept_clock)),
        ))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(metrics::metrics))
}

const RESERVATION: &str = "/v1/reservations/{reservation_id}";

/// Returns the route of a command that is sent by `POST`. `problems` are the codes of the problems
/// that it can be answered with.
fn post<C: Command>(path: &str, tag: &str, problems: &[&str]) -> UtoipaMethodRouter<App> {
    let described = commands::document::<C>(&Method::POST, tag, problems);
    route(path, &Method::POST, described, |on| on.post(commands::command::<C>))
}

/// Returns the route of a command that is sent by `PUT`, as [`post`] does.
fn put<C: Command>(path: &str, tag: &str, problems: &[&str]) -> UtoipaMethodRouter<App> {
    let described = commands::document::<C>(&Method::PUT, tag, problems);
    route(path, &Method::PUT, described, |on| on.put(commands::command::<C>))
}

/// Returns a route and its description in the OpenAPI document.
fn route(
    path: &str,
    method: &Method,
    (operation, schemas): (Operation, Schemas),
    handle: impl FnOnce(MethodRouter<App>) -> MethodRouter<App>,
) -> UtoipaMethodRouter<App> {
    let method = if *method == Method::PUT { HttpMethod::Put } else { HttpMethod::Post };
    let mut paths = Paths::new();
    paths.add_path_operation(path, vec![method], operation);
    let schemas = schemas.into_iter().map(|(name, schema)| (name, described(schema)));
    (schemas.collect(), paths, handle(MethodRouter::new()))
}

/// Returns the router of the application.
pub fn router(app: App) -> Router {
    let (routes, document) = documented().split_for_parts();
    routes
        .merge(docs::routes(document))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .with_state(app)
}

/// Returns the OpenAPI document as JSON.
///
/// # Errors
/// The document cannot be written as JSON, which is not known to happen.
pub fn document() -> Result<String, serde_json::Error> {
    documented().split_for_parts().1.to_pretty_json()
}

async fn no_route(uri: Uri) -> Response {
    Problem::new("route-not-found", format!("there is no route {}", uri.path())).into()
}

async fn no_method(method: Method, uri: Uri) -> Response {
    let detail = format!("{method} is not a method of {}", uri.path());
    Problem::new("method-not-allowed", detail).into()
}

//! The only room that knows HTTP and JSON: requests in, typed commands and queries out,
//! answers and problems back. It knows nothing of wasmtime, of SQL or of the rules; what a
//! rejection means in HTTP is looked up by its code.

mod admin;
mod answer;
mod batch;
mod command;
mod conditional;
mod cursor;
mod docs;
mod events;
mod health;
mod input;
mod inventory;
mod metrics;
mod openapi;
mod problem;
mod reservations;
mod respond;
mod server;
mod transfers;

pub use admin::{ExplanationBody, ReplayBody};
pub use openapi::document;
pub use server::{Traffic, listen, serve};

use crate::{
    admin::Admin,
    config::{Config, Secret},
    engine::Engine,
    wire::time,
};
use axum::{Router, http::Uri, response::Response};
use problem::Problem;
use std::sync::Arc;

/// What every handler can reach; a copy of it is made for each request.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// What all copies of an [`App`] share.
pub struct Shared {
    engine: Arc<Engine>,
    admin: Arc<Admin>,
    /// What opens the admin routes.
    admin_token: Option<Secret>,
    body_limits: input::BodyLimits,
    bodies: Arc<input::Bodies>,
    traffic: Arc<Traffic>,
    /// Whether PUT of a stock must say which version it is about.
    put_needs_condition: bool,
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    /// The application over an engine.
    #[must_use]
    pub fn new(engine: Arc<Engine>, admin: Arc<Admin>, config: &Config) -> Self {
        let bodies = Arc::new(input::Bodies::new(config.bodies_bytes_max));
        Self(Arc::new(Shared {
            engine,
            admin,
            admin_token: config.admin_token.clone(),
            body_limits: input::BodyLimits {
                bytes_max: config.body_bytes_max,
                time: config.request_timeout,
                bodies: Some(Arc::clone(&bodies)),
            },
            bodies,
            traffic: Arc::new(Traffic::new(config)),
            put_needs_condition: config.put_needs_condition,
        }))
    }

    /// What is counted and bounded over all connections that ask this application.
    #[must_use]
    pub fn traffic(&self) -> Arc<Traffic> {
        Arc::clone(&self.traffic)
    }
}

/// All routes.
pub fn router(app: App) -> Router {
    let (routes, document) = openapi::routes().split_for_parts();
    routes
        .merge(docs::routes(document))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .with_state(app)
}

async fn no_route(uri: Uri) -> Response {
    Problem::new("route-not-found", format!("there is no route {}", uri.path())).into()
}

async fn no_method(method: axum::http::Method, uri: Uri) -> Response {
    let detail = format!("{method} is not a method of {}", uri.path());
    Problem::new("method-not-allowed", detail).into()
}

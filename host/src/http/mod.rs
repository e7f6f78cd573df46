//! The only room that knows HTTP and JSON: requests in, typed commands and queries out,
//! answers and problems back. It knows nothing of wasmtime, of SQL or of the rules; what a
//! rejection means in HTTP is looked up by its code.

mod conditional;
mod cursor;
mod docs;
mod health;
mod input;
mod inventory;
mod openapi;
mod problem;
mod respond;
mod server;

pub use openapi::document;
pub use server::{Bounds, serve};

use crate::engine::Engine;
use axum::{Router, http::Uri, response::Response};
use problem::Problem;
use std::{sync::Arc, time::Duration};

/// What every handler can reach.
#[derive(Clone)]
pub struct App {
    engine: Arc<Engine>,
    /// Time to receive a body.
    body_timeout: Duration,
    body_bytes_max: usize,
}

impl App {
    /// The application over an engine.
    #[must_use]
    pub fn new(engine: Arc<Engine>, body_bytes_max: usize, body_timeout: Duration) -> Self {
        Self { engine, body_timeout, body_bytes_max }
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

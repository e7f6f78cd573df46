//! The state that all handlers share, and the extractor of a request's caller.

use super::{identity, input, metrics::families, problem::Problem, server::Traffic};
use crate::{
    admin::Admin,
    config::{Config, Secret, TrustedCaller},
    engine::Engine,
    metrics::Registry,
    model::Identity,
};
use axum::{extract::FromRequestParts, http::request::Parts};
use std::sync::Arc;

/// The application: everything that handlers need. Each request gets a clone, which is a pointer.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// The parts of the application, which all clones of an [`App`] share.
pub struct Shared {
    pub(super) engine: Arc<Engine>,
    pub(super) admin: Arc<Admin>,
    /// The token that callers of the admin routes have to send; `None` where these routes are off.
    pub(super) admin_token: Option<Secret>,
    /// How a trusted proxy names the caller; `None` where no proxy is trusted.
    pub(super) trusted_caller: Option<TrustedCaller>,
    pub(super) body_limits: input::BodyLimits,
    pub(super) traffic: Arc<Traffic>,
    pub(super) metrics: Registry,
    /// Whether `PUT` of a stock is refused without `If-Match` or `If-None-Match`.
    pub(super) put_needs_condition: bool,
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    /// Creates the application. It adds the metrics of this room to `metrics`, which it serves.
    #[must_use]
    pub fn new(
        engine: Arc<Engine>,
        admin: Arc<Admin>,
        mut metrics: Registry,
        config: &Config,
    ) -> Self {
        let body_budget = Arc::new(input::BodyBudget::new(config.bodies_bytes_max));
        let traffic = Arc::new(Traffic::new(config));
        families::register(&mut metrics, Arc::clone(&traffic), Arc::clone(&body_budget));
        Self(Arc::new(Shared {
            engine,
            admin,
            admin_token: config.admin_token.clone(),
            trusted_caller: config.trusted_caller.clone(),
            body_limits: input::BodyLimits {
                bytes_max: config.body_bytes_max,
                time: config.request_timeout,
                budget: Some(body_budget),
            },
            traffic,
            metrics,
            put_needs_condition: config.put_needs_condition,
        }))
    }

    /// Returns the limits over all connections, for [`serve`](super::serve).
    #[must_use]
    pub fn traffic(&self) -> Arc<Traffic> {
        Arc::clone(&self.traffic)
    }
}

/// The extractor of a request's caller. No other extractor makes an [`Identity`].
pub(super) struct Caller(pub(super) Identity);

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Some(trusted) = &app.trusted_caller else { return Ok(Self(Identity::ANONYMOUS)) };
        match parts.extensions.get::<Identity>() {
            Some(identity) => Ok(Self(identity.clone())),
            // The server could not read the identity: reading the header again yields the problem.
            None => identity::of_proxied(trusted, &parts.headers, &parts.extensions).map(Self),
        }
    }
}

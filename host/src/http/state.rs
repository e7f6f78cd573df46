//! The state that handlers share, and who asks.

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

/// The application: what every handler can reach. A copy of it is made for each request.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// What all copies of an [`App`] share.
pub struct Shared {
    pub(super) engine: Arc<Engine>,
    pub(super) admin: Arc<Admin>,
    /// The token that opens the admin routes; `None` where there are none.
    pub(super) admin_token: Option<Secret>,
    /// How a trusted proxy names the caller; `None` where no proxy is trusted.
    pub(super) trusted_caller: Option<TrustedCaller>,
    pub(super) body_limits: input::BodyLimits,
    pub(super) traffic: Arc<Traffic>,
    pub(super) metrics: Registry,
    /// Whether setting a stock needs a condition about its version.
    pub(super) put_needs_condition: bool,
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    /// The application over an engine. It serves the metrics of `metrics`, to which it adds its own.
    #[must_use]
    pub fn new(
        engine: Arc<Engine>,
        admin: Arc<Admin>,
        mut metrics: Registry,
        config: &Config,
    ) -> Self {
        let bodies = Arc::new(input::Bodies::new(config.bodies_bytes_max));
        let traffic = Arc::new(Traffic::new(config));
        families::register(&mut metrics, Arc::clone(&traffic), Arc::clone(&bodies));
        Self(Arc::new(Shared {
            engine,
            admin,
            admin_token: config.admin_token.clone(),
            trusted_caller: config.trusted_caller.clone(),
            body_limits: input::BodyLimits {
                bytes_max: config.body_bytes_max,
                time: config.request_timeout,
                bodies: Some(bodies),
            },
            traffic,
            metrics,
            put_needs_condition: config.put_needs_condition,
        }))
    }

    /// The counts and bounds over all connections.
    #[must_use]
    pub fn traffic(&self) -> Arc<Traffic> {
        Arc::clone(&self.traffic)
    }
}

/// The caller of a request: the one extractor of an [`Identity`].
pub(super) struct Caller(pub(super) Identity);

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Some(trusted) = &app.trusted_caller else { return Ok(Self(Identity::ANONYMOUS)) };
        match parts.extensions.get::<Identity>() {
            Some(identity) => Ok(Self(identity.clone())),
            // The server has noted none: reading the header again says why.
            None => identity::of_proxied(trusted, &parts.headers, &parts.extensions).map(Self),
        }
    }
}

//! Requests whose body is a component.

use super::params::Params;
use crate::http::{
    App,
    body::Object,
    input::{BodyLimits, receive},
    problem::Problem,
};
use axum::extract::{FromRequest, FromRequestParts, Request};

/// The extractor of a component and of the query parameters that say what to do with it.
pub(in crate::http) struct Upload<T> {
    pub(super) params: T,
    /// The bytes of the component, which may be anything.
    pub(super) component: Vec<u8>,
}

impl<T: Object + Send> FromRequest<App> for Upload<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let Params(params) = Params::from_request_parts(&mut parts, app).await?;
        let bytes_max = app.admin.component_bytes_max();
        let limits = BodyLimits { bytes_max, time: app.body_limits.time, budget: None };
        let component = receive(body, &limits).await?.to_vec();
        Ok(Self { params, component })
    }
}

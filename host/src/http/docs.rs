//! `/openapi.json`: the OpenAPI document, and `/docs`: a page that shows it. The page loads nothing
//! from other servers.

use super::App;
use axum::Router;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

pub(super) fn routes(document: OpenApi) -> Router<App> {
    SwaggerUi::new("/docs").url("/openapi.json", document).into()
}

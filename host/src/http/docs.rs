//! `/openapi.json`, and `/docs`: a page about it that needs nothing from elsewhere.

use super::App;
use axum::Router;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

pub(super) fn routes(document: OpenApi) -> Router<App> {
    SwaggerUi::new("/docs").url("/openapi.json", document).into()
}

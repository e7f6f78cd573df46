use crate::http::{
    App,
    conditional::{Conditions, etag},
    input::{Params, StockPath},
    openapi::ReadProblems,
    problem::Problem,
    respond::{self, StockBody},
};
use axum::{
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::Response,
};

/// One stock
///
/// As of the latest commit. The entity tag is the stock's version: send it back as
/// `If-None-Match` to get 304 while nothing changed, or as `If-Match` with a command.
#[utoipa::path(
    get,
    path = "/v1/inventory/{product_id}",
    tag = "inventory",
    params(
        ("product_id" = String, Path, description = "1 to 128 printable ASCII characters without spaces"),
        ("location_id" = Option<String>, Query, description = "`default` where absent"),
        ("If-None-Match" = Option<String>, Header, description = "An entity tag that the client has"),
    ),
    responses(
        (status = 200, description = "The stock", body = StockBody,
            headers(("ETag" = String, description = "The version, in double quotes"))),
        (status = 304, description = "The client's copy is current"),
        ReadProblems,
    )
)]
pub(super) async fn get(
    State(app): State<App>,
    path: StockPath,
    mut params: Params,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let location_id = params.location();
    let key = path.key(location_id, |mut faults| {
        conditions.check(&mut faults);
        params.finish(faults)
    })?;
    let view = app.engine.stock(&key).await?;
    let version = view.stock.level.version;
    if conditions.has(version) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response.headers_mut().insert(header::ETAG, etag(version));
        return Ok(response);
    }
    Ok(respond::stock(StatusCode::OK, &key, &view))
}

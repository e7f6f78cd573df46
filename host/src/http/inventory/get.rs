use crate::{
    engine::AsOf,
    http::{
        App,
        conditional::{Conditions, not_modified},
        input::{Params, StockPath},
        openapi::ReadProblems,
        problem::Problem,
        respond::{self, StockBody, Whole},
        time,
    },
    model::{GetStock, Identity, Timestamp},
};
use axum::{body::Body, extract::State, http::StatusCode, response::Response};

/// One stock
///
/// As of the latest commit; holds that are due count as free. The entity tag is the stock's
/// version, and the units that are due where there are some: send it back as `If-None-Match` to
/// get 304 while nothing changed, or as `If-Match` with a command.
#[utoipa::path(
    get,
    path = "/v1/inventory/{product_id}",
    tag = "inventory",
    params(
        ("product_id" = String, Path, description = "1 to 128 printable ASCII characters without spaces"),
        ("location_id" = Option<String>, Query, description = "`default` where absent"),
        ("as_of" = Option<String>, Query, description = "As it was then: the sequence of an event, or a time (RFC 3339)"),
        ("If-None-Match" = Option<String>, Header, description = "An entity tag that the client has"),
    ),
    responses(
        (status = 200, description = "The stock", body = StockBody,
            headers(("ETag" = String, description = "The version, in double quotes; `\"4-2\"` where 2 units are due"))),
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
    let as_of = as_of(&mut params, app.engine.now());
    let location_id = params.location();
    let (key, ()) = path.key(location_id, |mut faults| {
        conditions.check(&mut faults);
        params.finish(faults)
    })?;
    let query = GetStock { key };
    if let Some(as_of) = as_of {
        return Ok(past(&app, &query, as_of).await?.map(Body::from));
    }
    let view = app.engine.query(&Identity::ANONYMOUS, &query).await?;
    let tag = respond::stock_tag(&view);
    if conditions.has(tag) {
        return Ok(not_modified(tag));
    }
    Ok(respond::stock(StatusCode::OK, &query.key, &view).map(Body::from))
}

fn as_of(params: &mut Params, now: Timestamp) -> Option<AsOf> {
    let given = params.take("as_of")?;
    if let Ok(sequence) = given.parse() {
        return Some(AsOf::Sequence(sequence));
    }
    match time::parse(&given) {
        Ok(at) if at <= now => return Some(AsOf::Time(at)),
        Ok(_) => params.fault("as_of", "must not be in the future"),
        Err(detail) => params.fault(
            "as_of",
            format!("must be a sequence, or {}", detail.trim_start_matches("must be ")),
        ),
    }
    None
}

/// From the ledger. It has no entity tag: no command is about the past.
async fn past(app: &App, query: &GetStock, as_of: AsOf) -> Result<Whole, Problem> {
    let key = &query.key;
    match app.engine.stock_as_of(&Identity::ANONYMOUS, query, as_of).await? {
        Some(view) => Ok(respond::json(StatusCode::OK, &StockBody::of(key, &view))),
        None => Err(Problem::new("product-not-found", format!("there was no stock of {key} then"))
            .with("product_id", key.product_id.as_str())
            .with("location_id", key.location_id.as_str())),
    }
}

use crate::{
    engine::PointInTime,
    http::{
        App, Caller,
        answers::{self, StockBody},
        body::{Moment, Part, Query, Sequence, Violations, leaf, object},
        conditional::{Conditions, not_modified},
        input::{InPath, StockTarget},
        openapi::ReadProblems,
        parameters::{IfNoneMatch, ProductSegment},
        problem::Problem,
        whole::Whole,
    },
    model::{GetStock, Identity, LocationId, StockKey},
};
use axum::{body::Body, extract::State, http::StatusCode, response::Response};
use serde_json::json;

/// A moment of the past.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Past(PointInTime);

leaf! { Past, json!({"oneOf": [Sequence::schema(), Moment::schema()]});
    |scalar| {
        let number = scalar.integer();
        if number.is_some() {
            return Sequence::parse(scalar).map(|sequence| Self(PointInTime::Sequence(sequence.0)));
        }
        Moment::parse(scalar).map(|at| Self(PointInTime::Time(at.0))).map_err(|detail| {
            format!("must be a sequence, or {}", detail.trim_start_matches("must be "))
        })
    }
}

object! {
    /// Which stock of the product to read, and as of when.
    pub(in crate::http) struct StockParams {
        /// The location; `default` where absent.
        location_id: Option<LocationId>,
        /// The stock as it was then: the sequence of an event, or a time (RFC 3339).
        as_of: Option<Past>,
    }
}

/// One stock
///
/// As of the latest commit; holds that are due count as free. The entity tag is the stock's
/// version, and the units that are due where there are some: send it back as `If-None-Match` to
/// get 304 while nothing changed, or as `If-Match` with a command.
#[utoipa::path(
    get,
    path = "/v1/inventory/{product_id}",
    tag = "inventory",
    params(ProductSegment, Query<StockParams>, IfNoneMatch),
    responses(
        (status = 200, description = "The stock", body = StockBody,
            headers(("ETag" = String, description = "The version, in double quotes; `\"4-2\"` where 2 units are due"))),
        (status = 304, description = "The client's copy is current"),
        ReadProblems,
    )
)]
pub(in crate::http) async fn get_stock(
    State(app): State<App>,
    Caller(identity): Caller,
    path: InPath<StockTarget>,
    params: Query<StockParams>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let mut violations = Violations::default();
    let target = path.take(&mut violations);
    conditions.check(&mut violations);
    let params = params.take(&mut violations);
    if let Some(StockParams { as_of: Some(Past(PointInTime::Time(at))), .. }) = params
        && at > app.engine.now()
    {
        violations.add(Part::Query, "/as_of", "must not be in the future");
    }
    let (StockTarget { product_id }, params) = violations.valid(target.zip(params))?;
    let key = StockKey { product_id, location_id: params.location_id.unwrap_or_default() };
    if let Some(Past(as_of)) = params.as_of {
        return Ok(past(&app, &identity, key, as_of).await?.map(Body::from));
    }
    let query = GetStock { key };
    let view = app.engine.query(&identity, &query).await?;
    let tag = answers::stock_tag(&view);
    if conditions.has(tag) {
        return Ok(not_modified(tag));
    }
    Ok(answers::stock(StatusCode::OK, &query.key, &view).map(Body::from))
}

/// A stock of the past, from the ledger. It has no entity tag: no command is about the past.
async fn past(
    app: &App,
    identity: &Identity,
    key: StockKey,
    as_of: PointInTime,
) -> Result<Whole, Problem> {
    let query = GetStock { key };
    let key = &query.key;
    match app.engine.stock_as_of(identity, &query, as_of).await? {
        Some(view) => Ok(answers::json(StatusCode::OK, &StockBody::of(key, &view))),
        None => Err(Problem::no_stock(key, format!("there was no stock of {key} then"))),
    }
}

//! `/v1/transfers`.

use super::{
    App,
    answer::Subject,
    command::{Incoming, carry_out, command},
    input::Faults,
    openapi::CommandProblems,
    problem::Problem,
    respond::StockBody,
};
use crate::{
    engine::Work,
    model::{Action, LocationId, ProductId, StockKey},
};
use axum::{extract::State, response::Response};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(transfer))
}

/// What to move, from where to where.
#[derive(ToSchema)]
#[schema(example = json!({
    "product_id": "sku-1", "from_location_id": "north", "to_location_id": "south", "quantity": 5
}))]
#[allow(dead_code, reason = "it documents what `JsonBody` is asked for")]
pub(super) struct TransferBody {
    product_id: String,
    from_location_id: String,
    to_location_id: String,
    #[schema(minimum = 1, maximum = 999_999_999_999_i64)]
    quantity: u64,
    #[schema(min_length = 1, max_length = 256)]
    reason: Option<String>,
    #[schema(min_length = 1, max_length = 256)]
    reference: Option<String>,
}

/// Both stocks after a transfer.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it documents what is answered")]
pub(super) struct TransferredBody<'a> {
    from: StockBody<'a>,
    to: StockBody<'a>,
}

/// Move units to another location
///
/// In one step; the stock there is created where there is none. `If-Match` is about the stock
/// that the units leave.
#[utoipa::path(
    post,
    path = "/v1/transfers",
    tag = "inventory",
    params(
        ("If-Match" = Option<String>, Header, description = "Entity tags, one of which must be current, or `*`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes it safe to send again"),
        ("dry_run" = Option<bool>, Query, description = "Decide only: nothing is written"),
    ),
    request_body = TransferBody,
    responses(
        (status = 200, description = "Both stocks after the transfer", body = TransferredBody),
        CommandProblems,
    )
)]
async fn transfer(State(app): State<App>, mut incoming: Incoming) -> Result<Response, Problem> {
    let body = &mut incoming.body;
    let product = body.product();
    let from = body.required_location("from_location_id");
    let to = body.required_location("to_location_id");
    let quantity = body.quantity("quantity", 1);
    let origin = incoming.origin(true);
    let terms = incoming.finish(Faults::default())?;
    let (Some(product_id), Some(from), Some(to)) = (product, from, to) else {
        return Err(Problem::new("invalid-request", "the transfer is not valid"));
    };
    let (subject, action) = prepared(product_id, from, to, quantity);
    let command = command(origin, terms.precondition.clone(), action);
    Ok(carry_out(&app, terms, subject, Work::One(command)).await)
}

/// A transfer and what its answer is about.
pub(super) fn prepared(
    product_id: ProductId,
    from: LocationId,
    to: LocationId,
    quantity: u64,
) -> (Subject, Action) {
    let at = |location_id: &LocationId| StockKey {
        product_id: product_id.clone(),
        location_id: location_id.clone(),
    };
    let subject = Subject::Transfer { source: at(&from), target: at(&to) };
    (subject, Action::Transfer { product_id, from, to, quantity })
}

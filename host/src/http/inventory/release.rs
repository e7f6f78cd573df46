use super::{on_stock, unconditional};
use crate::{
    http::{
        App, command::Incoming, input::StockPath, openapi::CommandProblems, problem::Problem,
        respond::StockBody,
    },
    model::Action,
};
use axum::{extract::State, response::Response};
use utoipa::ToSchema;

/// How much to release.
#[derive(ToSchema)]
#[schema(example = json!({"quantity": 3, "reference": "order-7"}))]
#[allow(dead_code, reason = "it documents what `JsonBody` is asked for")]
pub(super) struct ReleaseBody {
    #[schema(minimum = 1, maximum = 999_999_999_999_i64)]
    quantity: u64,
    #[schema(min_length = 1, max_length = 256)]
    reference: Option<String>,
    /// `default` where absent.
    location_id: Option<String>,
}

/// Release a quantity
///
/// Gives back what `reserve` took; more than that is refused with the numbers.
#[utoipa::path(
    post,
    path = "/v1/inventory/{product_id}/release",
    tag = "inventory",
    params(
        ("product_id" = String, Path, description = "1 to 128 printable ASCII characters without spaces"),
        ("If-Match" = Option<String>, Header, description = "Entity tags, one of which must be current, or `*`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes it safe to send again"),
        ("dry_run" = Option<bool>, Query, description = "Decide only: nothing is written"),
    ),
    request_body = ReleaseBody,
    responses(
        (status = 200, description = "The stock after the command", body = StockBody),
        CommandProblems,
    )
)]
pub(super) async fn release(
    State(app): State<App>,
    path: StockPath,
    incoming: Incoming,
) -> Result<Response, Problem> {
    on_stock(
        &app,
        path,
        incoming,
        false,
        |body| body.quantity("quantity", 1),
        |key, quantity| Action::Release { key, quantity },
        unconditional,
    )
    .await
}

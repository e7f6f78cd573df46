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

/// By how much to change a total.
#[derive(ToSchema)]
#[schema(example = json!({"delta": -3, "reason": "damaged"}))]
#[allow(dead_code, reason = "it documents what `JsonBody` is asked for")]
pub(super) struct AdjustBody {
    /// Signed, not 0.
    #[schema(minimum = -999_999_999_999_i64, maximum = 999_999_999_999_i64)]
    delta: i64,
    #[schema(min_length = 1, max_length = 256)]
    reason: Option<String>,
    #[schema(min_length = 1, max_length = 256)]
    reference: Option<String>,
    /// `default` where absent.
    location_id: Option<String>,
}

/// Change a stock's total
///
/// Adds a signed quantity to the total, which may not fall below what is reserved.
#[utoipa::path(
    post,
    path = "/v1/inventory/{product_id}/adjust",
    tag = "inventory",
    params(
        ("product_id" = String, Path, description = "1 to 128 printable ASCII characters without spaces"),
        ("If-Match" = Option<String>, Header, description = "Entity tags, one of which must be current, or `*`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes it safe to send again"),
        ("dry_run" = Option<bool>, Query, description = "Decide only: nothing is written"),
    ),
    request_body = AdjustBody,
    responses(
        (status = 200, description = "The stock after the command", body = StockBody),
        CommandProblems,
    )
)]
pub(super) async fn adjust(
    State(app): State<App>,
    path: StockPath,
    incoming: Incoming,
) -> Result<Response, Problem> {
    on_stock(
        &app,
        path,
        incoming,
        true,
        |body| body.delta("delta"),
        |key, delta| Action::AdjustBy { key, delta },
        unconditional,
    )
    .await
}

use super::on_stock;
use crate::{
    http::{
        App, command::Incoming, input::StockPath, openapi::PutProblems, problem::Problem,
        respond::StockBody,
    },
    model::Action,
};
use axum::{extract::State, response::Response};
use utoipa::ToSchema;

/// What to set a stock to.
#[derive(ToSchema)]
#[schema(example = json!({"total_quantity": 100, "minimum_stock_level": 20, "reason": "count"}))]
#[allow(dead_code, reason = "it documents what `JsonBody` is asked for")]
pub(super) struct PutBody {
    /// What is there, at least what is reserved.
    #[schema(minimum = 0, maximum = 999_999_999_999_i64)]
    total_quantity: u64,
    /// Absent: as it is; 0 at creation.
    #[schema(minimum = 0, maximum = 999_999_999_999_i64)]
    minimum_stock_level: Option<u64>,
    #[schema(min_length = 1, max_length = 256)]
    reason: Option<String>,
    #[schema(min_length = 1, max_length = 256)]
    reference: Option<String>,
    /// `default` where absent.
    location_id: Option<String>,
}

/// Set a stock
///
/// Creates the stock where there is none. The same values again change nothing.
/// `If-Match` demands a version, `If-None-Match: *` that there is no such stock yet.
#[utoipa::path(
    put,
    path = "/v1/inventory/{product_id}",
    tag = "inventory",
    params(
        ("product_id" = String, Path, description = "1 to 128 printable ASCII characters without spaces"),
        ("If-Match" = Option<String>, Header, description = "Entity tags, one of which must be current, or `*`"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only create"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes it safe to send again"),
        ("dry_run" = Option<bool>, Query, description = "Decide only: nothing is written"),
    ),
    request_body = PutBody,
    responses(
        (status = 200, description = "The stock after the command", body = StockBody),
        (status = 201, description = "The stock, created", body = StockBody,
            headers(("Location" = String, description = "The stock's address"))),
        PutProblems,
    )
)]
pub(super) async fn put(
    State(app): State<App>,
    path: StockPath,
    incoming: Incoming,
) -> Result<Response, Problem> {
    on_stock(
        &app,
        path,
        incoming,
        true,
        |body| {
            let total = body.quantity("total_quantity", 0);
            (total, body.optional_quantity("minimum_stock_level", 0))
        },
        |key, (total, minimum)| Action::AdjustSet { key, total, minimum },
        |precondition| match precondition {
            None if app.put_needs_condition => {
                let detail =
                    "send If-Match with the stock's ETag, or If-None-Match: * to create it";
                Err(Problem::new("precondition-required", detail))
            }
            _ => Ok(()),
        },
    )
    .await
}

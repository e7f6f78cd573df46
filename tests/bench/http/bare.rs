//! The bare route: the same requests and answers over axum, with nothing decided and nothing
//! stored. It shows the cost of HTTP and JSON alone.

use axum::{
    Json, Router,
    extract::Path,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Quantity {
    quantity: u64,
}

#[derive(Serialize)]
struct Stock {
    product_id: String,
    location_id: &'static str,
    total_quantity: u64,
    reserved_quantity: u64,
    available_quantity: u64,
    minimum_stock_level: u64,
    low_stock: bool,
    version: u64,
    updated_at: &'static str,
}

fn stock(product_id: String, reserved_quantity: u64) -> Json<Stock> {
    Json(Stock {
        product_id,
        location_id: "default",
        total_quantity: 1_000_000_000,
        reserved_quantity,
        available_quantity: 1_000_000_000 - reserved_quantity,
        minimum_stock_level: 0,
        low_stock: false,
        version: 12_345,
        updated_at: "2026-01-01T00:00:00.000Z",
    })
}

async fn change(Path(product): Path<String>, Json(body): Json<Quantity>) -> Json<Stock> {
    stock(product, body.quantity)
}

async fn read(Path(product): Path<String>) -> Json<Stock> {
    stock(product, 1)
}

#[derive(Deserialize)]
struct Hold {
    reservation_id: String,
    lines: Vec<Line>,
}

#[derive(Deserialize, Serialize)]
struct Line {
    product_id: String,
    quantity: u64,
}

#[derive(Serialize)]
struct Held {
    reservation_id: String,
    state: &'static str,
    lines: Vec<Line>,
    expires_at: &'static str,
    version: u64,
}

fn held(reservation_id: String, state: &'static str, lines: Vec<Line>) -> Json<Held> {
    let expires_at = "2026-01-01T00:00:00.000Z";
    Json(Held { reservation_id, state, lines, expires_at, version: 1 })
}

async fn hold(Json(body): Json<Hold>) -> Json<Held> {
    held(body.reservation_id, "held", body.lines)
}

async fn confirm(Path(id): Path<String>) -> Json<Held> {
    let line = |i| Line { product_id: format!("sku-{i}"), quantity: 1 };
    held(id, "confirmed", (0..3).map(line).collect())
}

pub(crate) fn serve() {
    let port: u16 = std::env::args().nth(2).and_then(|port| port.parse().ok()).expect("a port");
    let router = Router::new()
        .route("/v1/inventory/{product_id}", get(read))
        .route("/v1/inventory/{product_id}/reserve", post(change))
        .route("/v1/inventory/{product_id}/release", post(change))
        .route("/v1/reservations", post(hold))
        .route("/v1/reservations/{reservation_id}/confirm", post(confirm))
        .route("/health/ready", get(|| async { "ready" }));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("the port");
        axum::serve(listener, router).await.expect("serving");
    });
}

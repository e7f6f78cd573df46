//! What HTTP and JSON alone cost here: the same requests and answers, nothing decided and
//! nothing kept.

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

pub(crate) fn serve() {
    let port: u16 = std::env::args().nth(2).and_then(|port| port.parse().ok()).expect("a port");
    let router = Router::new()
        .route("/v1/inventory/{product_id}", get(read))
        .route("/v1/inventory/{product_id}/reserve", post(change))
        .route("/v1/inventory/{product_id}/release", post(change))
        .route("/health/ready", get(|| async { "ready" }));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("the port");
        axum::serve(listener, router).await.expect("serving");
    });
}

//! The JSON body of a stock.

use super::tagged;
use crate::{
    http::{buffered::BufferedResponse, conditional::Tag},
    model::{StockKey, StockView, Timestamp},
    wire::time::rfc3339,
};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// A stock: one product at one location.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "product_id": "sku-1", "location_id": "default", "total_quantity": 100,
    "reserved_quantity": 30, "available_quantity": 70, "minimum_stock_level": 20,
    "low_stock": false, "version": 4, "updated_at": "2026-11-23T09:30:00.125Z"
}))]
pub(in crate::http) struct StockBody<'a> {
    product_id: &'a str,
    location_id: &'a str,
    /// The number of units in stock.
    total_quantity: u64,
    /// The number of units that are promised, without those of holds that are due.
    reserved_quantity: u64,
    /// The number of units that can still be reserved: total minus reserved.
    available_quantity: u64,
    /// The stock is low while fewer units than this are available; 0 means never.
    minimum_stock_level: u64,
    /// Whether the stock is low.
    low_stock: bool,
    /// The version, which counts the accepted changes from 1.
    version: u64,
    /// The time of the last change (RFC 3339, UTC).
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl<'a> StockBody<'a> {
    pub(in crate::http) fn of(key: &'a StockKey, view: &StockView) -> Self {
        let level = view.stock.level;
        Self {
            product_id: key.product_id.as_str(),
            location_id: key.location_id.as_str(),
            total_quantity: level.total,
            reserved_quantity: view.reserved,
            available_quantity: view.available,
            minimum_stock_level: level.minimum,
            low_stock: view.low,
            version: level.version,
            updated_at: view.stock.updated_at,
        }
    }
}

/// The two stocks of a transfer, after it.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct TransferredBody<'a> {
    /// The stock that the units left.
    pub(in crate::http) from: StockBody<'a>,
    /// The stock that the units arrived at.
    pub(in crate::http) to: StockBody<'a>,
}

/// Returns the entity tag of a stock.
pub(in crate::http) fn stock_tag(view: &StockView) -> Tag {
    Tag { version: view.stock.level.version, due_units: view.stock.due }
}

/// Returns the answer with a stock and its entity tag.
pub(in crate::http) fn stock(
    status: StatusCode,
    key: &StockKey,
    view: &StockView,
) -> BufferedResponse {
    tagged(status, stock_tag(view), &StockBody::of(key, view))
}

use super::tagged;
use crate::{
    http::{conditional::Tag, whole::Whole},
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
    /// What is there.
    total_quantity: u64,
    /// What of it is spoken for, without holds that are due.
    reserved_quantity: u64,
    /// What can still be reserved: total less reserved.
    available_quantity: u64,
    /// Below this many available the stock is low; 0: never.
    minimum_stock_level: u64,
    /// Whether it is low.
    low_stock: bool,
    /// Counts the accepted changes, from 1.
    version: u64,
    /// When it last changed (RFC 3339, UTC).
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

/// Both stocks after a transfer.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct TransferredBody<'a> {
    /// The stock that the units left.
    pub(in crate::http) from: StockBody<'a>,
    /// The stock that they arrived at.
    pub(in crate::http) to: StockBody<'a>,
}

/// The entity tag of a stock.
pub(in crate::http) fn stock_tag(view: &StockView) -> Tag {
    Tag { version: view.stock.level.version, due_units: view.stock.due }
}

/// A stock and its entity tag.
pub(in crate::http) fn stock(status: StatusCode, key: &StockKey, view: &StockView) -> Whole {
    tagged(status, stock_tag(view), &StockBody::of(key, view))
}

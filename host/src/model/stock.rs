use super::Timestamp;
use serde::{Deserialize, Serialize};

/// The largest quantity.
pub const QUANTITY_MAX: u64 = 999_999_999_999;

/// The numbers of a stock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Level {
    /// What is there.
    pub total: u64,
    /// What of it is spoken for.
    pub reserved: u64,
    /// The part of `reserved` that no reservation owns.
    pub unattributed: u64,
    /// The threshold of the low-stock policy; 0: none.
    pub minimum: u64,
    /// Accepted changes so far, from 1.
    pub version: u64,
}

/// A stock as it is stored, under its key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stock {
    /// The numbers.
    pub level: Level,
    /// No hold on it is due before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its level last changed.
    pub updated_at: Timestamp,
}

/// A stock as the domain presents it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StockView {
    /// The stock.
    pub stock: Stock,
    /// What can still be reserved.
    pub available: u64,
    /// Whether the domain calls it low.
    pub low: bool,
}

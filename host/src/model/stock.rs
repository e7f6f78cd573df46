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
    /// Units of `level.reserved` that belong to holds which are due. Only queries are told of
    /// them: nothing is due on a stock on which a command decides, and 0 is stored.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub due: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its level last changed.
    pub updated_at: Timestamp,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn is_zero(units: &u64) -> bool {
    *units == 0
}

/// A stock as the domain presents it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StockView {
    /// The stock as it is stored.
    pub stock: Stock,
    /// What is spoken for, without what is due.
    pub reserved: u64,
    /// What can still be reserved.
    pub available: u64,
    /// Whether the domain calls it low.
    pub low: bool,
}

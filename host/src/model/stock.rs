use super::Timestamp;

/// The largest quantity of units.
pub const QUANTITY_MAX: u64 = 999_999_999_999;

/// The numbers of a stock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Level {
    /// The units that are there.
    pub total: u64,
    /// The units of `total` that are promised.
    pub reserved: u64,
    /// The part of `reserved` that no reservation owns.
    pub unattributed: u64,
    /// The threshold of the low-stock policy; 0 turns the policy off for the stock.
    pub minimum: u64,
    /// The number of accepted changes so far, from 1.
    pub version: u64,
}

/// A stock as it is stored, under its key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stock {
    /// The numbers.
    pub level: Level,
    /// The units of `level.reserved` that belong to holds which are due. The number is 0 in
    /// commands, because due holds expire before a command is decided, and in the store. Only
    /// queries see others.
    pub due: u64,
    /// The time at which the stock was created.
    pub created_at: Timestamp,
    /// The time at which the level last changed.
    pub updated_at: Timestamp,
}

/// A stock as the domain's queries answer it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StockView {
    /// The stock as it is stored.
    pub stock: Stock,
    /// The units that are promised, without those of holds which are due.
    pub reserved: u64,
    /// The units that can still be reserved.
    pub available: u64,
    /// Whether the domain judges the stock low.
    pub low: bool,
}

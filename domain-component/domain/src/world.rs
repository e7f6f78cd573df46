use crate::{Event, Precondition, Quantity, Stock, StockKey, Timestamp};
use alloc::{string::String, vec::Vec};

/// What a handler reads from and writes to: the contract's `storage` and `event-sink`
/// in the words of the domain.
pub trait World {
    /// The stock of this key, where there is one.
    fn stock(&mut self, key: &StockKey) -> Option<Stock>;
    /// Stocks in key order.
    fn scan_stocks(&mut self, scan: StockScan) -> Vec<Stock>;
    /// Stocks below their minimum, the largest deficit first.
    fn scan_deficits(&mut self, scan: DeficitScan) -> Vec<Stock>;
    /// Saves a stock.
    fn save(&mut self, stock: Stock);
    /// Publishes the facts of the command.
    fn publish(&mut self, events: Vec<Event>);
}

/// What comes with a command and matters to its decision.
#[derive(Clone, Debug)]
pub struct Context {
    /// The time of the command.
    pub now: Timestamp,
    /// What must be so first.
    pub precondition: Option<Precondition>,
}

/// Which stocks to scan, in key order.
#[derive(Clone, Debug, Default)]
pub struct StockScan {
    /// Only at this location.
    pub location_id: Option<String>,
    /// Only products whose id starts with this.
    pub product_prefix: Option<String>,
    /// Only stocks below their minimum.
    pub below_minimum: bool,
    /// Only behind this key.
    pub after: Option<StockKey>,
    /// At most this many.
    pub limit: u32,
}

/// A place in the order by deficit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeficitPosition {
    /// Units missing to the minimum.
    pub deficit: Quantity,
    /// The stock.
    pub key: StockKey,
}

/// Which stocks below their minimum to scan, the largest deficit first.
#[derive(Clone, Debug, Default)]
pub struct DeficitScan {
    /// Only at this location.
    pub location_id: Option<String>,
    /// Only behind this place.
    pub after: Option<DeficitPosition>,
    /// At most this many.
    pub limit: u32,
}

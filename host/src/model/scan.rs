use super::StockKey;

/// Which stocks to scan, in key order.
#[derive(Clone, Default, Debug)]
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

/// Which stocks below their minimum to scan, the largest deficit first.
#[derive(Clone, Default, Debug)]
pub struct DeficitScan {
    /// Only at this location.
    pub location_id: Option<String>,
    /// Only behind this place.
    pub after: Option<DeficitPosition>,
    /// At most this many.
    pub limit: u32,
}

/// A place in the order by deficit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeficitPosition {
    /// Units missing to the minimum.
    pub deficit: u64,
    /// The stock.
    pub key: StockKey,
}

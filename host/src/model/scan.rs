use super::StockKey;

/// A scan of stocks in key order.
#[derive(Clone, Default, Debug)]
pub struct StockScan {
    /// Only stocks at this location.
    pub location_id: Option<String>,
    /// Only products whose id begins with this text.
    pub product_prefix: Option<String>,
    /// Whether to scan only stocks below their minimum.
    pub below_minimum: bool,
    /// Only stocks after this key.
    pub after: Option<StockKey>,
    /// The most stocks to return.
    pub limit: u32,
}

/// A scan of the stocks below their minimum, the largest deficit first.
#[derive(Clone, Default, Debug)]
pub struct DeficitScan {
    /// Only stocks at this location.
    pub location_id: Option<String>,
    /// Only stocks after this position.
    pub after: Option<DeficitPosition>,
    /// The most stocks to return.
    pub limit: u32,
}

/// A position in the order by deficit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeficitPosition {
    /// The units by which the stock is below its minimum.
    pub deficit: u64,
    /// The stock.
    pub key: StockKey,
}

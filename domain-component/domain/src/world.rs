use crate::{
    Event, Precondition, Quantity, Reservation, Stock, StockKey, Timestamp, reservation::State,
};
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
    fn save(&mut self, stock: &Stock);
    /// The reservation of this id, where there is one.
    fn reservation(&mut self, id: &str) -> Option<Reservation>;
    /// Reservations, the newest first, and the position behind which to read on.
    fn scan_reservations(&mut self, scan: ReservationScan) -> (Vec<Reservation>, Option<u64>);
    /// Saves a reservation.
    fn save_reservation(&mut self, reservation: Reservation);
    /// Publishes the facts of the command.
    fn publish(&mut self, events: Vec<Event>);
}

/// What comes with a command and matters to its decision.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The time of the command.
    pub now: Timestamp,
    /// The caller's name for the business transaction.
    pub reference: Option<String>,
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

/// Which reservations to scan or to list, the newest first.
#[derive(Clone, Debug, Default)]
pub struct ReservationScan {
    /// Only with a line about this product.
    pub product_id: Option<String>,
    /// Only with a line at this location.
    pub location_id: Option<String>,
    /// Only in this state.
    pub state: Option<State>,
    /// Only with this reference.
    pub reference: Option<String>,
    /// Only those that expire before this.
    pub expires_before: Option<Timestamp>,
    /// Only behind this position.
    pub after: Option<u64>,
    /// At most this many.
    pub limit: u32,
}

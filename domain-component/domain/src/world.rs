//! The state and the circumstances that the handlers get from their caller.

use crate::{
    event::Event, key::StockKey, precondition::Precondition, quantity::Quantity,
    reservation::Reservation, status::State, stock::Stock, units::Timestamp,
};
use alloc::{string::String, vec::Vec};

/// The state that a handler reads and writes. It stands for the contract's imports `storage` and
/// `event-sink`.
pub trait World {
    /// Returns the stock with this key, or `None` where there is none.
    fn stock(&mut self, key: &StockKey) -> Option<Stock>;
    /// Returns stocks sorted by product id, then location id, by byte value.
    fn scan_stocks(&mut self, scan: StockScan) -> Vec<Stock>;
    /// Returns stocks whose recorded level is below their minimum, the largest deficit first, then
    /// in the order of [`World::scan_stocks`].
    fn scan_deficits(&mut self, scan: DeficitScan) -> Vec<Stock>;
    /// Stores a stock, new or changed.
    fn save(&mut self, stock: &Stock);
    /// Returns the reservation with this id, or `None` where there is none.
    fn reservation(&mut self, id: &str) -> Option<Reservation>;
    /// Returns reservations, the newest first, and the position to continue behind; that position
    /// is `None` at the end. A page may be shorter than the limit, even empty, before the end.
    fn scan_reservations(&mut self, scan: ReservationScan) -> (Vec<Reservation>, Option<u64>);
    /// Stores a reservation, new or changed.
    fn save_reservation(&mut self, reservation: Reservation);
    /// Appends the events of the command, in order.
    fn publish(&mut self, events: Vec<Event>);
}

/// The circumstances of a command that matter to its decision.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The time of the command.
    pub now: Timestamp,
    /// The caller's name for the business transaction, such as an order id.
    pub reference: Option<String>,
    /// The demand on the stock or reservation that the command is about to change.
    pub precondition: Option<Precondition>,
}

/// A selection of stocks in key order. A filter that is `None` selects everything.
#[derive(Clone, Debug, Default)]
pub struct StockScan {
    /// Selects the stocks at this location.
    pub location_id: Option<String>,
    /// Selects the products whose id starts with this text.
    pub product_prefix: Option<String>,
    /// Selects the stocks whose recorded level is below their minimum.
    pub below_minimum: bool,
    /// Selects the stocks behind this key.
    pub after: Option<StockKey>,
    /// The largest number of stocks to return.
    pub limit: u32,
}

/// A place in the list of stocks by deficit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeficitPosition {
    /// The units that are missing to the minimum.
    pub deficit: Quantity,
    /// The stock, which orders those with the same deficit.
    pub key: StockKey,
}

/// A selection of stocks below their minimum, the largest deficit first. A filter that is `None`
/// selects everything.
#[derive(Clone, Debug, Default)]
pub struct DeficitScan {
    /// Selects the stocks at this location.
    pub location_id: Option<String>,
    /// Selects the stocks behind this place.
    pub after: Option<DeficitPosition>,
    /// The largest number of stocks to return.
    pub limit: u32,
}

/// A selection of reservations, the newest first. A filter that is `None` selects everything.
#[derive(Clone, Debug, Default)]
pub struct ReservationScan {
    /// Selects the reservations with a line of this product.
    pub product_id: Option<String>,
    /// Selects the reservations with a line at this location; together with a product, those with
    /// one line of both.
    pub location_id: Option<String>,
    /// Selects the reservations in this recorded state.
    pub state: Option<State>,
    /// Selects the reservations with this reference.
    pub reference: Option<String>,
    /// Selects the reservations that expire before this time.
    pub expires_before: Option<Timestamp>,
    /// Selects the reservations behind this position, which an earlier page has returned.
    pub after: Option<u64>,
    /// The largest number of reservations to return.
    pub limit: u32,
}

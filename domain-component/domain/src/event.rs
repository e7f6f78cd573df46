//! The events that accepted commands leave behind.

use crate::{key::StockKey, level::Level, quantity::Quantity, status::Status, units::Timestamp};
use alloc::string::String;

/// The direction in which units of a stock moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Movement {
    /// Available units were reserved.
    Reserved,
    /// Reserved units became available again.
    Released,
    /// Reserved units left the stock.
    Fulfilled,
}

/// The kind of a change of a reservation as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// The hold got a later expiry.
    Extended,
    /// The hold was confirmed and no longer expires.
    Confirmed,
    /// The last units were resolved by a fulfillment.
    Fulfilled,
    /// The last units were resolved by a cancellation.
    Cancelled,
    /// The hold came due and its remaining units were released.
    Expired,
}

/// A fact that an accepted command produced. `from` is the state before the change and `to` the
/// state after it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "a field without a comment is named by the doc of its variant")]
pub enum Event {
    /// The total or the minimum of the stock `key` changed. `from` is `None` where the command
    /// created the stock.
    InventoryAdjusted { key: StockKey, from: Option<Level>, to: Level },
    /// A `quantity` of the stock `key` was reserved, released or fulfilled.
    InventoryMoved {
        movement: Movement,
        key: StockKey,
        quantity: Quantity,
        /// The reservation that owns the units; `None` for unattributed units.
        reservation_id: Option<String>,
        /// The expiry of the hold that reserved the units; `None` where the units do not expire or
        /// were not reserved.
        expires_at: Option<Timestamp>,
        from: Level,
        to: Level,
    },
    /// A `quantity` left the stock `key` by a transfer, or arrived there. Each transfer produces
    /// one event for either side.
    InventoryTransferred {
        key: StockKey,
        quantity: Quantity,
        /// Whether the units arrived at this stock.
        incoming: bool,
        /// The location at the other side of the transfer.
        counterpart_id: String,
        /// `None` where the transfer created the stock.
        from: Option<Level>,
        to: Level,
    },
    /// The status of the reservation `id` changed.
    ReservationChanged { change: Change, id: String, from: Status, to: Status },
    /// The stock `key` became low (`detected`) or ceased to be low, judged by its level before and
    /// after the whole command.
    LowStockChanged { detected: bool, key: StockKey, from: Option<Level>, to: Level },
}

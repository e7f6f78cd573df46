use crate::{Level, Quantity, StockKey, Timestamp, reservation::Status};
use alloc::string::String;

/// Which way units moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Movement {
    /// Available units were reserved.
    Reserved,
    /// Reserved units were given back.
    Released,
    /// Reserved units left the stock.
    Fulfilled,
}

/// What happened to a reservation as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the contract's words")]
pub enum Change {
    Extended,
    Confirmed,
    Fulfilled,
    Cancelled,
    Expired,
}

/// A fact that an accepted command produced.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the members are the words of the domain: key, before, after")]
pub enum Event {
    /// A stock was created (`from` is absent), or its total or minimum changed.
    InventoryAdjusted { key: StockKey, from: Option<Level>, to: Level },
    /// `InventoryReserved`, `InventoryReleased` or `InventoryFulfilled`.
    InventoryMoved {
        movement: Movement,
        key: StockKey,
        quantity: Quantity,
        /// None for the commands that know quantities only.
        reservation_id: Option<String>,
        /// When what a hold reserved comes due.
        expires_at: Option<Timestamp>,
        from: Level,
        to: Level,
    },
    /// One side of a transfer.
    InventoryTransferred {
        key: StockKey,
        quantity: Quantity,
        incoming: bool,
        /// The location at the other side.
        counterpart_id: String,
        from: Option<Level>,
        to: Level,
    },
    /// A reservation was extended, confirmed or came to its end.
    ReservationChanged { change: Change, id: String, from: Status, to: Status },
    /// The stock became low (`detected`) by the whole of the command, or is no longer low.
    LowStockChanged { detected: bool, key: StockKey, from: Option<Level>, to: Level },
}

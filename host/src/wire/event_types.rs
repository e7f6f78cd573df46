//! The `type` of an event's JSON.

use crate::model::{
    DomainEventKind::{DomainRolledBack, DomainSwapped},
    EventKind,
    ReservationEventKind::{
        ReservationCancelled, ReservationConfirmed, ReservationExpired, ReservationExtended,
        ReservationFulfilled,
    },
    StockEventKind::{
        InventoryAdjusted, InventoryFulfilled, InventoryReleased, InventoryReserved,
        InventoryTransferredIn, InventoryTransferredOut, LowStockDetected, LowStockResolved,
    },
};

/// A `type`, and the kinds of events that have it.
type NamedKinds = (&'static str, &'static [EventKind]);

const fn of(kinds: &'static [EventKind]) -> NamedKinds {
    match kinds {
        [first, ..] => (first.name(), kinds),
        [] => ("", kinds),
    }
}

pub(super) const STOCK_EVENT_TYPES: [NamedKinds; 7] = [
    of(&[EventKind::Stock(InventoryAdjusted)]),
    of(&[EventKind::Stock(InventoryReserved)]),
    of(&[EventKind::Stock(InventoryReleased)]),
    of(&[EventKind::Stock(InventoryFulfilled)]),
    of(&[EventKind::Stock(InventoryTransferredOut), EventKind::Stock(InventoryTransferredIn)]),
    of(&[EventKind::Stock(LowStockDetected)]),
    of(&[EventKind::Stock(LowStockResolved)]),
];

pub(super) const RESERVATION_EVENT_TYPES: [NamedKinds; 5] = [
    of(&[EventKind::Reservation(ReservationExtended)]),
    of(&[EventKind::Reservation(ReservationConfirmed)]),
    of(&[EventKind::Reservation(ReservationFulfilled)]),
    of(&[EventKind::Reservation(ReservationCancelled)]),
    of(&[EventKind::Reservation(ReservationExpired)]),
];

pub(super) const DOMAIN_EVENT_TYPES: [NamedKinds; 2] =
    [of(&[EventKind::Domain(DomainSwapped)]), of(&[EventKind::Domain(DomainRolledBack)])];

/// Every `type` of event, and the kinds of events that have it.
pub const EVENT_TYPES: [NamedKinds; 14] = {
    let [a, b, c, d, e, f, g] = STOCK_EVENT_TYPES;
    let [h, i, j, k, l] = RESERVATION_EVENT_TYPES;
    let [m, n] = DOMAIN_EVENT_TYPES;
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n]
};

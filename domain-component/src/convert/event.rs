//! Events.

use super::{
    reservation::status_to_wit,
    stock::{key_to_wit, level_to_wit},
};
use crate::contract::holdfast::inventory::types;
use domain::{Change, Event, Movement};

/// Converts an event to the case of the contract that has its name.
pub(crate) fn event_to_wit(event: Event) -> types::Event {
    match event {
        Event::InventoryAdjusted { key, from, to } => {
            types::Event::InventoryAdjusted(types::InventoryAdjusted {
                key: key_to_wit(key),
                from: from.map(level_to_wit),
                to: level_to_wit(to),
            })
        }
        Event::InventoryMoved { movement, key, quantity, reservation_id, expires_at, from, to } => {
            let moved = types::StockMovement {
                key: key_to_wit(key),
                quantity: quantity.get(),
                reservation_id,
                expires_at,
                from: level_to_wit(from),
                to: level_to_wit(to),
            };
            match movement {
                Movement::Reserved => types::Event::InventoryReserved(moved),
                Movement::Released => types::Event::InventoryReleased(moved),
                Movement::Fulfilled => types::Event::InventoryFulfilled(moved),
            }
        }
        Event::InventoryTransferred { key, quantity, incoming, counterpart_id, from, to } => {
            types::Event::InventoryTransferred(types::InventoryTransferred {
                key: key_to_wit(key),
                quantity: quantity.get(),
                direction: if incoming {
                    types::TransferDirection::Incoming
                } else {
                    types::TransferDirection::Outgoing
                },
                counterpart_id,
                from: from.map(level_to_wit),
                to: level_to_wit(to),
            })
        }
        Event::ReservationChanged { change, id, from, to } => {
            let changed = types::ReservationChange {
                reservation_id: id,
                from: status_to_wit(from),
                to: status_to_wit(to),
            };
            match change {
                Change::Extended => types::Event::ReservationExtended(changed),
                Change::Confirmed => types::Event::ReservationConfirmed(changed),
                Change::Fulfilled => types::Event::ReservationFulfilled(changed),
                Change::Cancelled => types::Event::ReservationCancelled(changed),
                Change::Expired => types::Event::ReservationExpired(changed),
            }
        }
        Event::LowStockChanged { detected, key, from, to } => {
            let changed = types::LowStockChange {
                key: key_to_wit(key),
                from: from.map(level_to_wit),
                to: level_to_wit(to),
            };
            if detected {
                types::Event::LowStockDetected(changed)
            } else {
                types::Event::LowStockResolved(changed)
            }
        }
    }
}

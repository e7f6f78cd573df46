//! The border between the contract's types and the domain's.

pub(crate) mod reservation;
pub(crate) mod stock;

use crate::guest::bindings::holdfast::inventory::types;
use domain::{Change, Event, Movement, Precondition, Rejection, Value};
use stock::{key_to_wit, level_to_wit};

pub(crate) fn precondition_from_wit(precondition: types::Precondition) -> Precondition {
    match precondition {
        types::Precondition::Exists => Precondition::Exists,
        types::Precondition::Absent => Precondition::Absent,
        types::Precondition::VersionIn(versions) => Precondition::VersionIn(versions),
    }
}

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
                from: reservation::status_to_wit(from),
                to: reservation::status_to_wit(to),
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

pub(crate) fn rejection_to_wit(rejection: Rejection) -> types::Rejection {
    types::Rejection {
        code: rejection.code().into(),
        message: rejection.message(),
        details: rejection.into_details().into_iter().map(detail_to_wit).collect(),
    }
}

fn detail_to_wit(detail: domain::Detail) -> types::Detail {
    let value = match detail.value {
        Value::Text(text) => types::DetailValue::Text(text),
        Value::Unsigned(units) => types::DetailValue::Unsigned(units),
        Value::Signed(units) => types::DetailValue::Signed(units),
    };
    types::Detail { line: detail.line, name: detail.name.into(), value }
}

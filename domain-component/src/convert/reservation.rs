//! Reservations, their lines and states.

use super::stock::{key_from_wit, key_to_wit};
use crate::contract::holdfast::inventory::types;
use alloc::{string::String, vec::Vec};
use core::arch::wasm32::unreachable;
use domain::{
    Quantity, RawLine, Reservation, StockKey,
    reservation::{Line, State, Status},
};

/// Converts lines of a command without a check; the handler checks them.
pub(crate) fn lines_from_wit(lines: Vec<types::LineRequest>) -> Vec<RawLine> {
    lines.into_iter().map(|line| (key_from_wit(line.key), line.quantity)).collect()
}

/// Converts a state.
pub(crate) fn state_to_wit(state: State) -> types::ReservationState {
    match state {
        State::Held => types::ReservationState::Held,
        State::Confirmed => types::ReservationState::Confirmed,
        State::Fulfilled => types::ReservationState::Fulfilled,
        State::Cancelled => types::ReservationState::Cancelled,
        State::Expired => types::ReservationState::Expired,
    }
}

/// Converts a state of the contract.
pub(crate) fn state_from_wit(state: types::ReservationState) -> State {
    match state {
        types::ReservationState::Held => State::Held,
        types::ReservationState::Confirmed => State::Confirmed,
        types::ReservationState::Fulfilled => State::Fulfilled,
        types::ReservationState::Cancelled => State::Cancelled,
        types::ReservationState::Expired => State::Expired,
    }
}

/// Converts a status.
pub(crate) fn status_to_wit(status: Status) -> types::ReservationStatus {
    types::ReservationStatus {
        state: state_to_wit(status.state),
        expires_at: status.expires_at,
        version: status.version,
    }
}

/// Converts a stored line. Stored numbers that contradict each other, or a key that is not valid,
/// are a defect of the host, so the call ends with a trap.
fn line_from_wit(line: types::ReservationLine) -> Line {
    let types::ReservationLine { key, quantity, fulfilled, released, expired } = line;
    let (Ok(key), Some(quantity)) =
        (StockKey::parse(key.product_id, key.location_id), Quantity::new(quantity))
    else {
        unreachable()
    };
    let line = Line { key, quantity, fulfilled, released, expired };
    if line.remaining().is_none() {
        unreachable()
    }
    line
}

/// Converts a stored reservation and gives it the id under which it is stored.
pub(crate) fn from_wit(id: String, found: types::Reservation) -> Reservation {
    Reservation {
        id,
        lines: found.lines.into_iter().map(line_from_wit).collect(),
        status: Status {
            state: state_from_wit(found.status.state),
            expires_at: found.status.expires_at,
            version: found.status.version,
        },
        ttl_seconds: found.ttl_seconds,
        reference: found.reference,
        created_at: found.created_at,
        updated_at: found.updated_at,
    }
}

/// Converts a stored reservation of a list, which comes with its id.
pub(crate) fn entry_from_wit(entry: types::ReservationEntry) -> Reservation {
    from_wit(entry.id, entry.reservation)
}

/// Converts a reservation without its id.
fn to_wit(it: Reservation) -> types::Reservation {
    let lines = it.lines.into_iter().map(|line| types::ReservationLine {
        key: key_to_wit(line.key),
        quantity: line.quantity.get(),
        fulfilled: line.fulfilled,
        released: line.released,
        expired: line.expired,
    });
    types::Reservation {
        lines: lines.collect(),
        status: status_to_wit(it.status),
        ttl_seconds: it.ttl_seconds,
        reference: it.reference,
        created_at: it.created_at,
        updated_at: it.updated_at,
    }
}

/// Converts a reservation with its id.
pub(crate) fn entry_to_wit(mut it: Reservation) -> types::ReservationEntry {
    types::ReservationEntry { id: core::mem::take(&mut it.id), reservation: to_wit(it) }
}

//! Conversions of reservations.

use super::{
    super::bindings::{
        exports::holdfast::inventory::inventory as exported,
        holdfast::inventory::{storage, types},
    },
    key_from_wit, key_to_wit,
};
use crate::model::{
    Fault, LINES_MAX, LineRequest, LocationId, Outcome, ProductId, REFERENCE_BYTES_MAX,
    Reservation, ReservationFilter, ReservationLine, ReservationPage, ReservationScan,
    ReservationState, ReservationStatus,
};

/// Checks the id of a reservation, which follows the rule for the ids of locations.
pub(in super::super) fn check_id(id: &str) -> Result<(), Fault> {
    LocationId::check(id).map_err(|error| Fault(format!("it named a reservation whose id {error}")))
}

fn state_from_wit(state: types::ReservationState) -> ReservationState {
    match state {
        types::ReservationState::Held => ReservationState::Held,
        types::ReservationState::Confirmed => ReservationState::Confirmed,
        types::ReservationState::Fulfilled => ReservationState::Fulfilled,
        types::ReservationState::Cancelled => ReservationState::Cancelled,
        types::ReservationState::Expired => ReservationState::Expired,
    }
}

fn state_to_wit(state: ReservationState) -> types::ReservationState {
    match state {
        ReservationState::Held => types::ReservationState::Held,
        ReservationState::Confirmed => types::ReservationState::Confirmed,
        ReservationState::Fulfilled => types::ReservationState::Fulfilled,
        ReservationState::Cancelled => types::ReservationState::Cancelled,
        ReservationState::Expired => types::ReservationState::Expired,
    }
}

pub(super) fn status_from_wit(status: types::ReservationStatus) -> ReservationStatus {
    ReservationStatus {
        state: state_from_wit(status.state),
        expires_at: status.expires_at,
        version: status.version,
    }
}

pub(in super::super) fn lines_to_wit(lines: &[LineRequest]) -> Vec<types::LineRequest> {
    let line = |line: &LineRequest| types::LineRequest {
        key: key_to_wit(&line.key),
        quantity: line.quantity,
    };
    lines.iter().map(line).collect()
}

pub(in super::super) fn from_wit(it: types::Reservation) -> Result<Reservation, Fault> {
    if it.lines.len() > LINES_MAX {
        let count = it.lines.len();
        return Err(Fault(format!("a reservation of {count} lines, allowed are {LINES_MAX}")));
    }
    let reference = it.reference.as_ref().map_or(0, String::len);
    if reference > REFERENCE_BYTES_MAX {
        return Err(Fault(format!("a reference of {reference} bytes in a reservation")));
    }
    let line = |line: types::ReservationLine| {
        Ok(ReservationLine {
            key: key_from_wit(line.key)?,
            quantity: line.quantity,
            fulfilled: line.fulfilled,
            released: line.released,
            expired: line.expired,
        })
    };
    Ok(Reservation {
        lines: it.lines.into_iter().map(line).collect::<Result<_, Fault>>()?,
        status: status_from_wit(it.status),
        ttl_seconds: it.ttl_seconds,
        reference: it.reference,
        created_at: it.created_at,
        updated_at: it.updated_at,
    })
}

pub(in super::super) fn to_wit(it: Reservation) -> types::Reservation {
    let line = |line: ReservationLine| types::ReservationLine {
        key: key_to_wit(&line.key),
        quantity: line.quantity,
        fulfilled: line.fulfilled,
        released: line.released,
        expired: line.expired,
    };
    types::Reservation {
        lines: it.lines.into_iter().map(line).collect(),
        status: types::ReservationStatus {
            state: state_to_wit(it.status.state),
            expires_at: it.status.expires_at,
            version: it.status.version,
        },
        ttl_seconds: it.ttl_seconds,
        reference: it.reference,
        created_at: it.created_at,
        updated_at: it.updated_at,
    }
}

pub(in super::super) fn entry_to_wit(
    (id, reservation): (String, Reservation),
) -> types::ReservationEntry {
    types::ReservationEntry { id, reservation: to_wit(reservation) }
}

pub(in super::super) fn entry_from_wit(
    entry: types::ReservationEntry,
) -> Result<(String, Reservation), Fault> {
    Ok((entry.id, from_wit(entry.reservation)?))
}

pub(in super::super) fn outcome_from_wit(
    outcome: exported::ReservationOutcome,
) -> Result<Outcome, Fault> {
    let (id, reservation) = entry_from_wit(outcome.reservation)?;
    Ok(Outcome::Reservation { id, reservation: Box::new(reservation), created: outcome.created })
}

pub(in super::super) fn page_from_wit(
    page: exported::ReservationPage,
) -> Result<ReservationPage, Fault> {
    Ok(ReservationPage {
        items: page.items.into_iter().map(entry_from_wit).collect::<Result<_, _>>()?,
        next: page.next,
    })
}

pub(in super::super) fn filter_to_wit(filter: &ReservationFilter) -> exported::ReservationFilter {
    exported::ReservationFilter {
        product_id: filter.product_id.as_ref().map(|id| id.as_str().to_owned()),
        location_id: filter.location_id.as_ref().map(|id| id.as_str().to_owned()),
        state: filter.state.map(state_to_wit),
        reference: filter.reference.clone(),
        expires_before: filter.expires_before,
    }
}

pub(in super::super) fn scan_from_wit(
    scan: storage::ReservationScan,
) -> Result<ReservationScan, Fault> {
    let invalid = |error| Fault(format!("it scanned for an id that {error}"));
    Ok(ReservationScan {
        filter: ReservationFilter {
            product_id: scan.product_id.map(ProductId::parse).transpose().map_err(invalid)?,
            location_id: scan.location_id.map(LocationId::parse).transpose().map_err(invalid)?,
            state: scan.state.map(state_from_wit),
            reference: scan.reference,
            expires_before: scan.expires_before,
        },
        after: scan.after,
        limit: scan.limit,
        // The world that carries out the scan sets the time.
        now: 0,
    })
}

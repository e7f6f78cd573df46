//! The commands on the expiry of a reservation.

use super::reservation::{Outcome, accept_change, accept_unchanged, begin};
use crate::{
    event::Change,
    rejection::Rejection,
    reservation::Resolution,
    units::Timestamp,
    world::{Context, World},
};
use alloc::string::String;

/// Moves the expiry of a held reservation to `ttl_seconds` from now. Where the hold expires later
/// than that already, or never, nothing changes.
///
/// # Errors
/// The rejections that the contract lists for `extend`.
pub fn extend(world: &mut dyn World, context: &Context, id: String, ttl_seconds: u32) -> Outcome {
    let (session, reservation, ()) =
        begin(world, context, id, |arguments| arguments.ttl(Some(ttl_seconds)))?;
    reservation.require_held()?;
    let later = expiry(context.now, ttl_seconds);
    if reservation.status.expires_at.is_none_or(|at| at >= later) {
        return accept_unchanged(reservation);
    }
    accept_change(session, reservation, Change::Extended, Some(later), context.now)
}

/// Confirms a held reservation, which then never expires.
///
/// # Errors
/// The rejections that the contract lists for `confirm`.
pub fn confirm(world: &mut dyn World, context: &Context, id: String) -> Outcome {
    let (session, reservation, ()) = begin(world, context, id, |_| Some(()))?;
    reservation.require_held()?;
    accept_change(session, reservation, Change::Confirmed, None, context.now)
}

/// Expires a hold that is due: releases the units that it has left. Stocks and reservation change
/// as of the time at which the hold came due, so it does not matter when this command runs.
///
/// # Errors
/// The rejections that the contract lists for `expire`.
pub fn expire(world: &mut dyn World, context: &Context, id: String) -> Outcome {
    let (mut session, mut reservation, ()) = begin(world, context, id, |_| Some(()))?;
    let status = reservation.status;
    let Some(due) = status.expires_at.filter(|_| reservation.is_due(context.now)) else {
        let (state, expires_at) = (status.state, status.expires_at);
        return Err(Rejection::ReservationNotDue { id: reservation.id, state, expires_at });
    };
    let (resolution, id) = (Resolution::Expire, reservation.id.as_str());
    for (key, units) in reservation.holdings().iter() {
        session.move_units(key, resolution.movement(), units, (id, None), due)?;
    }
    reservation.resolve_all(resolution);
    accept_change(session, reservation, resolution.end(), Some(due), due)
}

/// Returns the time `ttl_seconds` after `now`, or the largest time where that is out of range.
pub(super) fn expiry(now: Timestamp, ttl_seconds: u32) -> Timestamp {
    now.saturating_add(u64::from(ttl_seconds) * 1_000)
}

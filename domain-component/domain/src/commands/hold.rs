//! The commands that reserve units for a reservation: `hold` and `replace`.

use super::{
    expiry::expiry,
    reservation::{Outcome, accept, accept_unchanged, begin},
};
use crate::{
    arguments::{Arguments, RawLine},
    demand::Demand,
    event::Movement,
    key::StockKey,
    precondition::check_precondition,
    quantity::Quantity,
    rejection::{Rejection, ShortLine},
    reservation::{Line, Reservation},
    session::Session,
    status::{State, Status},
    units::Timestamp,
    world::{Context, World},
};
use alloc::{string::String, vec::Vec};
use core::cmp::Ordering;

/// Creates a reservation: reserves the units of 1 to 100 lines, all or none. The hold expires
/// after `ttl_seconds` (1 to 2,678,400), or never where it is `None`. The same request under the
/// same id returns the reservation as it is now and changes nothing.
///
/// # Errors
/// The rejections that the contract lists for `hold`.
pub fn hold(
    world: &mut dyn World,
    context: &Context,
    id: String,
    lines: Vec<RawLine>,
    ttl_seconds: Option<u32>,
) -> Outcome {
    let mut arguments = Arguments::default();
    let id = arguments.reservation_id(id);
    let ttl = arguments.ttl(ttl_seconds);
    let lines = arguments.lines(lines);
    let (Some(id), Some(()), Some(lines)) = (id, ttl, lines) else {
        return Err(arguments.rejection());
    };
    let mut session = Session::new(world, context.now);
    if let Some(known) = session.reservation(&id) {
        check_precondition(context.precondition.as_ref(), Some(known.status.version))?;
        if !known.is_same_as(&lines, ttl_seconds, context.reference.as_deref()) {
            return Err(Rejection::ReservationExists { id });
        }
        return accept_unchanged(known);
    }
    let now = context.now;
    let expires_at = ttl_seconds.map(|seconds| expiry(now, seconds));
    require_stocks(&mut session, &lines)?;
    check_precondition(context.precondition.as_ref(), None)?;
    change_holdings(&mut session, (&id, expires_at), &Demand::default(), &lines)?;
    let reservation = Reservation {
        id,
        lines: lines.into_iter().map(|(key, quantity)| Line::new(key, quantity)).collect(),
        status: Status { state: State::Held, expires_at, version: 1 },
        ttl_seconds,
        reference: context.reference.clone(),
        created_at: now,
        updated_at: now,
    };
    accept(session, reservation, true)
}

/// Gives a held reservation new lines in one step: its own units count as available, and no other
/// command can take them in between. The same lines change nothing.
///
/// # Errors
/// The rejections that the contract lists for `replace`.
pub fn replace(
    world: &mut dyn World,
    context: &Context,
    id: String,
    lines: Vec<RawLine>,
) -> Outcome {
    let (mut session, mut reservation, lines) =
        begin(world, context, id, |arguments| arguments.lines(lines))?;
    require_stocks(&mut session, &lines)?;
    reservation.require_held()?;
    if reservation.is_whole() && reservation.has_lines(&lines) {
        return accept_unchanged(reservation);
    }
    let (id, expires_at) = (reservation.id.as_str(), reservation.status.expires_at);
    change_holdings(&mut session, (id, expires_at), &reservation.holdings(), &lines)?;
    reservation.lines = lines.into_iter().map(|(key, units)| Line::new(key, units)).collect();
    reservation.touch(context.now);
    accept(session, reservation, false)
}

/// Checks that the stock of each line exists.
///
/// # Errors
/// [`Rejection::ProductNotFound`] for the first stock that does not exist.
fn require_stocks(
    session: &mut Session<'_>,
    lines: &[(StockKey, Quantity)],
) -> Result<(), Rejection> {
    lines.iter().try_for_each(|(key, _)| session.stock(key).map(|_| ()))
}

/// Changes the units that a reservation holds from `held` to those of the lines. Only the net
/// change of each stock moves: first the stocks of the lines in their order, then the stocks that
/// the lines no longer name.
///
/// # Errors
/// [`Rejection::InsufficientStock`] with every line whose stock is short.
fn change_holdings(
    session: &mut Session<'_>,
    (id, expires_at): (&str, Option<Timestamp>),
    held: &Demand,
    lines: &[(StockKey, Quantity)],
) -> Result<(), Rejection> {
    let mut wanted = Demand::default();
    for (key, quantity) in lines {
        wanted.add(key, quantity.get());
    }
    let mut short = Vec::new();
    for (index, (key, _)) in (0..).zip(lines) {
        let available = session.stock(key)?.level().available().get() + held.of(key);
        let requested = wanted.of(key);
        if requested > available {
            short.push(ShortLine { index, key: key.clone(), requested, available });
        }
    }
    if !short.is_empty() {
        return Err(Rejection::InsufficientStock { lines: short });
    }
    let now = session.now;
    for (key, wanted) in wanted.iter() {
        let held = held.of(key);
        let (movement, units, expires_at) = match wanted.cmp(&held) {
            Ordering::Greater => (Movement::Reserved, wanted - held, expires_at),
            Ordering::Less => (Movement::Released, held - wanted, None),
            Ordering::Equal => continue,
        };
        session.move_units(key, movement, units, (id, expires_at), now)?;
    }
    for (key, units) in held.iter().filter(|(key, _)| wanted.of(key) == 0) {
        session.move_units(key, Movement::Released, units, (id, None), now)?;
    }
    Ok(())
}

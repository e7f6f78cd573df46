//! Commands on one reservation.

use crate::{
    Change, Context, Quantity, RawLine, Rejection, Reservation, ShortLine, StockKey, Timestamp,
    World,
    arguments::Arguments,
    check_precondition,
    reservation::{Demand, Line, Resolution, State, Status},
    session::{Session, Slot},
};
use alloc::{string::String, vec::Vec};

/// What a command on a reservation did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReservationOutcome {
    /// The reservation after the command.
    pub reservation: Reservation,
    /// Whether the command made it.
    pub created: bool,
}

type Outcome = Result<ReservationOutcome, Rejection>;

/// Makes a reservation. The same again gives the same reservation, as it is now.
///
/// # Errors
/// As the contract lists them for `hold`.
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
    let found = session.reservation(&id);
    if let Some(known) = found {
        check_precondition(context.precondition.as_ref(), Some(known.status.version))?;
        if !known.is_same_as(&lines, ttl_seconds, context.reference.as_deref()) {
            return Err(Rejection::ReservationExists { id });
        }
        return Ok(finish_unchanged(known));
    }
    let now = context.now;
    let expires_at = ttl_seconds.map(|seconds| expiry(now, seconds));
    require(&mut session, &lines)?;
    check_precondition(context.precondition.as_ref(), None)?;
    shift(&mut session, &id, expires_at, &lines, &Demand::default())?;
    let reservation = Reservation {
        id,
        lines: lines.into_iter().map(|(key, quantity)| Line::new(key, quantity)).collect(),
        status: Status { state: State::Held, expires_at, version: 1 },
        ttl_seconds,
        reference: context.reference.clone(),
        created_at: now,
        updated_at: now,
    };
    Ok(finish(session, reservation, true))
}

/// Gives a held reservation new lines, its own holding counted as free.
///
/// # Errors
/// As the contract lists them for `replace`.
pub fn replace(
    world: &mut dyn World,
    context: &Context,
    id: String,
    lines: Vec<RawLine>,
) -> Outcome {
    let mut arguments = Arguments::default();
    let (id, lines) = (arguments.reservation_id(id), arguments.lines(lines));
    let (Some(id), Some(lines)) = (id, lines) else {
        return Err(arguments.rejection());
    };
    let mut session = Session::new(world, context.now);
    let mut reservation = load(&mut session, context, &id)?;
    require(&mut session, &lines)?;
    reservation.require(false)?;
    let own = reservation.holdings();
    if reservation.is_whole() && reservation.has_lines(&lines) {
        return Ok(finish_unchanged(reservation));
    }
    let expires_at = reservation.status.expires_at;
    shift(&mut session, &id, expires_at, &lines, &own)?;
    reservation.lines = lines.into_iter().map(|(key, units)| Line::new(key, units)).collect();
    reservation.touch(context.now);
    Ok(finish(session, reservation, false))
}

/// Moves the expiry of a held reservation, where that is later than it is.
///
/// # Errors
/// As the contract lists them for `extend`.
pub fn extend(world: &mut dyn World, context: &Context, id: String, ttl_seconds: u32) -> Outcome {
    let mut arguments = Arguments::default();
    let (id, ttl) = (arguments.reservation_id(id), arguments.ttl(Some(ttl_seconds)));
    let (Some(id), Some(())) = (id, ttl) else {
        return Err(arguments.rejection());
    };
    let mut session = Session::new(world, context.now);
    let mut reservation = load(&mut session, context, &id)?;
    reservation.require(false)?;
    let later = expiry(context.now, ttl_seconds);
    if reservation.status.expires_at.is_none_or(|at| at >= later) {
        return Ok(finish_unchanged(reservation));
    }
    let event = reservation.change(Change::Extended, Some(later), context.now);
    session.say(event);
    Ok(finish(session, reservation, false))
}

/// Confirms a held reservation: it no longer expires.
///
/// # Errors
/// As the contract lists them for `confirm`.
pub fn confirm(world: &mut dyn World, context: &Context, id: String) -> Outcome {
    let mut arguments = Arguments::default();
    let Some(id) = arguments.reservation_id(id) else {
        return Err(arguments.rejection());
    };
    let mut session = Session::new(world, context.now);
    let mut reservation = load(&mut session, context, &id)?;
    reservation.require(false)?;
    let event = reservation.change(Change::Confirmed, None, context.now);
    session.say(event);
    Ok(finish(session, reservation, false))
}

/// Takes units out of their stocks: the given ones, or all that is left.
///
/// # Errors
/// As the contract lists them for `fulfil`.
pub fn fulfil(
    world: &mut dyn World,
    context: &Context,
    id: String,
    lines: Option<Vec<RawLine>>,
) -> Outcome {
    resolve(world, context, id, lines, Resolution::Fulfil)
}

/// Gives units back: the given ones, or all that is left.
///
/// # Errors
/// As the contract lists them for `cancel`.
pub fn cancel(
    world: &mut dyn World,
    context: &Context,
    id: String,
    lines: Option<Vec<RawLine>>,
) -> Outcome {
    resolve(world, context, id, lines, Resolution::Release)
}

fn resolve(
    world: &mut dyn World,
    context: &Context,
    id: String,
    lines: Option<Vec<RawLine>>,
    resolution: Resolution,
) -> Outcome {
    let mut arguments = Arguments::default();
    let id = arguments.reservation_id(id);
    let lines = match lines {
        None => Some(None),
        Some(lines) => arguments.lines(lines).map(Some),
    };
    let (Some(id), Some(lines)) = (id, lines) else {
        return Err(arguments.rejection());
    };
    let mut session = Session::new(world, context.now);
    let mut reservation = load(&mut session, context, &id)?;
    reservation.require(true)?;
    let held = reservation.holdings();
    match lines {
        None => {
            move_units(&mut session, &id, &held, resolution, context.now)?;
            reservation.resolve_all(resolution);
        }
        Some(lines) => {
            let wanted = within(&held, &lines)?;
            move_units(&mut session, &id, &wanted, resolution, context.now)?;
            reservation.resolve(wanted, resolution);
        }
    }
    if reservation.is_resolved() {
        let end = match resolution {
            Resolution::Fulfil => Change::Fulfilled,
            _ => Change::Cancelled,
        };
        let event = reservation.change(end, reservation.status.expires_at, context.now);
        session.say(event);
    } else {
        reservation.touch(context.now);
    }
    Ok(finish(session, reservation, false))
}

/// Lets units that a reservation holds leave their stocks, or be free again.
pub(super) fn move_units(
    session: &mut Session<'_>,
    id: &str,
    units: &Demand,
    resolution: Resolution,
    at: Timestamp,
) -> Result<(), Rejection> {
    for (key, units) in units.iter() {
        let Some(quantity) = Quantity::new(units) else { continue };
        let slot = session.require(key)?;
        session.change(slot, &mut |stock| {
            Ok(match resolution {
                Resolution::Fulfil => stock.fulfil(quantity, id, at),
                Resolution::Release | Resolution::Expire => stock.release_held(quantity, id, at),
            })
        })?;
    }
    Ok(())
}

/// What the lines ask for, where the reservation holds as much.
fn within(held: &Demand, lines: &[(StockKey, Quantity)]) -> Result<Demand, Rejection> {
    let mut wanted = Demand::default();
    for (index, (key, quantity)) in (0..).zip(lines) {
        wanted.add(key, quantity.get());
        let (requested, remaining) = (wanted.of(key), held.of(key));
        if requested > remaining {
            let key = key.clone();
            return Err(Rejection::QuantityExceedsLine { index, key, requested, remaining });
        }
    }
    Ok(wanted)
}

/// The reservation, its version as the caller wants it.
pub(super) fn load(
    session: &mut Session<'_>,
    context: &Context,
    id: &str,
) -> Result<Reservation, Rejection> {
    let Some(reservation) = session.reservation(id) else {
        return Err(Rejection::ReservationNotFound { id: id.into() });
    };
    check_precondition(context.precondition.as_ref(), Some(reservation.status.version))?;
    Ok(reservation)
}

/// Refuses lines about a stock that does not exist.
fn require(session: &mut Session<'_>, lines: &[(StockKey, Quantity)]) -> Result<(), Rejection> {
    lines.iter().try_for_each(|(key, _)| session.require(key).map(|_| ()))
}

fn demand(lines: &[(StockKey, Quantity)]) -> Demand {
    let mut demand = Demand::default();
    for (key, quantity) in lines {
        demand.add(key, quantity.get());
    }
    demand
}

/// Brings what is held of each stock from `own` to what the lines ask for, or names every
/// line that is short.
fn shift(
    session: &mut Session<'_>,
    id: &str,
    expires_at: Option<Timestamp>,
    lines: &[(StockKey, Quantity)],
    own: &Demand,
) -> Result<(), Rejection> {
    let wanted = demand(lines);
    let mut short = Vec::new();
    for (index, (key, _)) in (0..).zip(lines) {
        let slot = session.require(key)?;
        let Some(stock) = session.look(slot) else { continue };
        let (requested, free) = (wanted.of(key), stock.level().available().get() + own.of(key));
        if requested > free {
            short.push(ShortLine { index, key: key.clone(), requested, available: free });
        }
    }
    if !short.is_empty() {
        return Err(Rejection::InsufficientStock { lines: short });
    }
    let now = session.now;
    for (key, units) in wanted.iter() {
        let (slot, held) = (session.require(key)?, own.of(key));
        // At most what is available, so it is a quantity.
        let more = units.checked_sub(held).filter(|more| *more > 0).and_then(Quantity::new);
        if let Some(more) = more {
            session.change(slot, &mut |stock| Ok(stock.hold(more, id, expires_at, now)))?;
        } else if held > units {
            give_back(session, slot, held - units, id)?;
        }
    }
    for (key, units) in own.iter().filter(|(key, _)| wanted.of(key) == 0) {
        let slot = session.require(key)?;
        give_back(session, slot, units, id)?;
    }
    Ok(())
}

fn give_back(session: &mut Session<'_>, slot: Slot, units: u64, id: &str) -> Result<(), Rejection> {
    let now = session.now;
    let Some(quantity) = Quantity::new(units) else { return Ok(()) };
    session.change(slot, &mut |stock| Ok(stock.release_held(quantity, id, now)))
}

fn expiry(now: Timestamp, ttl_seconds: u32) -> Timestamp {
    now.saturating_add(u64::from(ttl_seconds) * 1_000)
}

pub(super) fn finish(
    mut session: Session<'_>,
    reservation: Reservation,
    created: bool,
) -> ReservationOutcome {
    session.keep_reservation(reservation.clone());
    session.commit();
    ReservationOutcome { reservation, created }
}

fn finish_unchanged(reservation: Reservation) -> ReservationOutcome {
    ReservationOutcome { reservation, created: false }
}

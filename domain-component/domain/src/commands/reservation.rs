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
        return finish_unchanged(session, known);
    }
    let now = context.now;
    let expires_at = ttl_seconds.map(|seconds| expiry(now, seconds));
    let slots = stocks(&mut session, &lines)?;
    check_precondition(context.precondition.as_ref(), None)?;
    shift(&mut session, &id, expires_at, &lines, &slots, &Demand::default())?;
    let reservation = Reservation {
        id,
        lines: lines.into_iter().map(|(key, quantity)| Line::new(key, quantity)).collect(),
        status: Status { state: State::Held, expires_at, version: 1 },
        ttl_seconds,
        reference: context.reference.clone(),
        created_at: now,
        updated_at: now,
    };
    finish(session, reservation, true)
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
    let slots = stocks(&mut session, &lines)?;
    reservation.require(false)?;
    let own = reservation.holdings();
    if reservation.is_whole() && reservation.has_lines(&lines) {
        return finish_unchanged(session, reservation);
    }
    let expires_at = reservation.status.expires_at;
    shift(&mut session, &id, expires_at, &lines, &slots, &own)?;
    for (key, units) in &own.0 {
        if lines.iter().all(|(kept, _)| kept != key) {
            let slot = session.require(key)?;
            give_back(&mut session, slot, *units, &id)?;
        }
    }
    reservation.lines = lines.into_iter().map(|(key, units)| Line::new(key, units)).collect();
    reservation.touch(context.now);
    finish(session, reservation, false)
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
        return finish_unchanged(session, reservation);
    }
    let event = reservation.change(Change::Extended, Some(later), context.now);
    session.say(event);
    finish(session, reservation, false)
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
    finish(session, reservation, false)
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
    let wanted = match lines {
        None => held.clone(),
        Some(lines) => within(&held, &lines)?,
    };
    for (key, units) in &wanted.0 {
        let Some(quantity) = Quantity::new(*units) else { continue };
        let slot = session.require(key)?;
        session.change(slot, &mut |stock| {
            Ok(match resolution {
                Resolution::Fulfil => stock.fulfil(quantity, &id, context.now),
                _ => stock.release_held(quantity, &id, context.now),
            })
        })?;
        reservation.resolve(key, *units, resolution);
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
    finish(session, reservation, false)
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

/// The reservation, settled, its version as the caller wants it.
fn load(session: &mut Session<'_>, context: &Context, id: &str) -> Result<Reservation, Rejection> {
    let Some(reservation) = session.reservation(id) else {
        return Err(Rejection::ReservationNotFound { id: id.into() });
    };
    check_precondition(context.precondition.as_ref(), Some(reservation.status.version))?;
    Ok(reservation)
}

/// The stock of each line.
fn stocks(
    session: &mut Session<'_>,
    lines: &[(StockKey, Quantity)],
) -> Result<Vec<Slot>, Rejection> {
    lines.iter().map(|(key, _)| session.require(key)).collect()
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
    slots: &[Slot],
    own: &Demand,
) -> Result<(), Rejection> {
    let wanted = demand(lines);
    let mut short = Vec::new();
    for (index, ((key, _), slot)) in (0..).zip(lines.iter().zip(slots)) {
        let Some(stock) = session.look(*slot) else { continue };
        let (requested, free) = (wanted.of(key), stock.level().available().get() + own.of(key));
        if requested > free {
            short.push(ShortLine { index, key: key.clone(), requested, available: free });
        }
    }
    if !short.is_empty() {
        return Err(Rejection::InsufficientStock { lines: short });
    }
    let now = session.now;
    for (key, units) in &wanted.0 {
        let Some(slot) = lines.iter().zip(slots).find(|((it, _), _)| it == key) else { continue };
        let held = own.of(key);
        if let Some(more) = units.checked_sub(held).filter(|more| *more > 0) {
            // At most what is available, so it is a quantity.
            let Some(more) = Quantity::new(more) else { continue };
            session.change(*slot.1, &mut |stock| Ok(stock.hold(more, id, expires_at, now)))?;
        } else if held > *units {
            give_back(session, *slot.1, held - units, id)?;
        }
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

fn finish(mut session: Session<'_>, reservation: Reservation, created: bool) -> Outcome {
    session.keep_reservation(reservation.clone());
    session.commit();
    Ok(ReservationOutcome { reservation, created })
}

/// Nothing to change; what expired on the way is written all the same.
fn finish_unchanged(session: Session<'_>, reservation: Reservation) -> Outcome {
    session.commit();
    Ok(ReservationOutcome { reservation, created: false })
}

//! The commands that resolve units of a reservation: `fulfill` and `cancel`.

use super::reservation::{Outcome, accept, accept_change, begin};
use crate::{
    arguments::RawLine,
    demand::Demand,
    key::StockKey,
    quantity::Quantity,
    rejection::Rejection,
    reservation::Resolution,
    world::{Context, World},
};
use alloc::{string::String, vec::Vec};

/// The units to resolve: those of the given lines, or all that are left where it is `None`.
type RawUnits = Option<Vec<RawLine>>;

/// Takes units of a held or confirmed reservation out of their stocks: those of `lines`, or all
/// that are left. A reservation of which no unit is left is then fulfilled.
///
/// # Errors
/// The rejections that the contract lists for `fulfill`.
pub fn fulfill(world: &mut dyn World, context: &Context, id: String, lines: RawUnits) -> Outcome {
    resolve(world, context, id, lines, Resolution::Fulfill)
}

/// Releases units of a held or confirmed reservation: those of `lines`, or all that are left. A
/// reservation of which no unit is left is then cancelled.
///
/// # Errors
/// The rejections that the contract lists for `cancel`.
pub fn cancel(world: &mut dyn World, context: &Context, id: String, lines: RawUnits) -> Outcome {
    resolve(world, context, id, lines, Resolution::Release)
}

fn resolve(
    world: &mut dyn World,
    context: &Context,
    id: String,
    lines: RawUnits,
    resolution: Resolution,
) -> Outcome {
    let (mut session, mut reservation, lines) = begin(world, context, id, |arguments| {
        lines.map(|lines| arguments.lines(lines).ok_or(())).transpose().ok()
    })?;
    reservation.require_active()?;
    let held = reservation.holdings();
    let units = match &lines {
        None => held,
        Some(lines) => within(&held, lines)?,
    };
    for (key, units) in units.iter() {
        let reservation = (reservation.id.as_str(), None);
        session.move_units(key, resolution.movement(), units, reservation, context.now)?;
    }
    match lines {
        None => reservation.resolve_all(resolution),
        Some(_) => reservation.resolve(units, resolution),
    }
    if reservation.is_resolved() {
        let expires_at = reservation.status.expires_at;
        return accept_change(session, reservation, resolution.end(), expires_at, context.now);
    }
    reservation.touch(context.now);
    accept(session, reservation, false)
}

/// Returns the units that the lines ask for by stock.
///
/// # Errors
/// [`Rejection::QuantityExceedsLine`] for the first line that, together with the lines before it,
/// asks for more units of a stock than are held.
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

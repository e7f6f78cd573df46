//! What must hold of reservations, and between them and their stocks.

use super::{Draft, ReservationBefore, Said, StockBefore};
use crate::model::{
    LINES_MAX, LocationId, Map, QUANTITY_MAX, REFERENCE_BYTES_MAX, Reservation,
    ReservationState as State, Stock, StockKey,
};

/// One reservation, before and after the command.
pub(super) fn check(
    id: &str,
    before: Option<&Reservation>,
    after: &Reservation,
    said: &Said<'_>,
) -> Result<(), String> {
    LocationId::check(id).map_err(|error| format!("a reservation's id {error}"))?;
    check_lines(id, after)?;
    let expected = before.map_or(1, |before| before.status.version.saturating_add(1));
    if after.status.version != expected {
        let version = after.status.version;
        return Err(format!("version {version} of reservation {id} where {expected} is due"));
    }
    if let Some(before) = before {
        if before.created_at != after.created_at || before.reference != after.reference {
            return Err(format!("the origin of reservation {id} changed"));
        }
        if !may_become(before.status.state, after.status.state) {
            let (from, to) = (before.status.state, after.status.state);
            return Err(format!("reservation {id} went from {from:?} to {to:?}"));
        }
    }
    check_events(id, before, after, said)
}

fn may_become(from: State, to: State) -> bool {
    match from {
        State::Held => true,
        State::Confirmed => !matches!(to, State::Held | State::Expired),
        State::Fulfilled | State::Cancelled | State::Expired => false,
    }
}

fn check_lines(id: &str, it: &Reservation) -> Result<(), String> {
    if it.lines.is_empty() || it.lines.len() > LINES_MAX {
        return Err(format!("reservation {id} has {} lines", it.lines.len()));
    }
    if it.reference.as_ref().is_some_and(|reference| reference.len() > REFERENCE_BYTES_MAX) {
        return Err(format!("reservation {id} has a reference that is too long"));
    }
    let mut left = false;
    for line in &it.lines {
        match line.remaining() {
            Some(remaining) if (1..=QUANTITY_MAX).contains(&line.quantity) => left |= remaining > 0,
            _ => return Err(format!("a line of reservation {id} does not add up: {line:?}")),
        }
    }
    if left != it.status.state.is_active() {
        let state = it.status.state;
        return Err(format!("reservation {id} is {state:?}, and something is left: {left}"));
    }
    Ok(())
}

/// A change of state or expiry is told, once, and as it was.
fn check_events(
    id: &str,
    before: Option<&Reservation>,
    after: &Reservation,
    said: &Said<'_>,
) -> Result<(), String> {
    let mut told = said.on_reservation(id);
    let Some(before) = before else {
        return match told.next() {
            Some(_) => Err(format!("an event says that the new reservation {id} changed")),
            None => Ok(()),
        };
    };
    let (from, to) = (before.status, after.status);
    let silent = (from.state, from.expires_at) == (to.state, to.expires_at);
    match (told.next(), told.next()) {
        (None, None) if silent => Ok(()),
        (Some(event), None) if (event.from, event.to) == (from, to) => Ok(()),
        _ => Err(format!("the events on reservation {id} do not say what was written")),
    }
}

/// What a stock has reserved beyond the unattributed changes as much as what reservations hold
/// of it: so the sum stays right, command by command.
pub(super) fn check_holdings<'a>(
    writes: &Draft<'_>,
    stock: &StockBefore<'a>,
    reservation: &ReservationBefore<'a>,
) -> Result<(), String> {
    let attributed =
        |stock: &Stock| i128::from(stock.level.reserved) - i128::from(stock.level.unattributed);
    let mut held: Map<&StockKey, i128> = Map::default();
    for (id, after) in writes.reservations {
        for (key, units) in active_lines(after) {
            *held.entry(key).or_default() += i128::from(units);
        }
        for (key, units) in reservation(id).into_iter().flat_map(active_lines) {
            *held.entry(key).or_default() -= i128::from(units);
        }
    }
    for (key, after) in writes.stocks {
        let change = attributed(after) - stock(key).map_or(0, attributed);
        let expected = held.remove(key).unwrap_or(0);
        if change != expected {
            return Err(format!(
                "what is reserved of {key} for reservations changed by {change}, what they hold \
                 by {expected}"
            ));
        }
    }
    match held.into_iter().find(|(_, change)| *change != 0) {
        Some((key, change)) => {
            Err(format!("what reservations hold of {key} changed by {change}, the stock did not"))
        }
        None => Ok(()),
    }
}

fn active_lines(it: &Reservation) -> impl Iterator<Item = (&StockKey, u64)> {
    let active = it.status.state.is_active();
    let lines = it.lines.iter().filter(move |_| active);
    lines.map(|line| (&line.key, line.remaining().unwrap_or(0)))
}

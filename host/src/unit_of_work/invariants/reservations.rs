//! The invariants of reservations, and those between reservations and stocks.

use super::{Draft, DraftIndex, ReservationBefore, StockBefore};
use crate::model::{
    LINES_MAX, LocationId, Map, QUANTITY_MAX, REFERENCE_BYTES_MAX, Reservation,
    ReservationState as State, Stock, StockKey,
};

/// Checks one reservation, before and after the command.
pub(super) fn check(
    id: &str,
    before: Option<&Reservation>,
    after: &Reservation,
    index: &DraftIndex<'_>,
) -> Result<(), String> {
    LocationId::check(id).map_err(|error| format!("a reservation's id {error}"))?;
    check_lines(id, after)?;
    let expected = before.map_or(1, |before| before.status.version.saturating_add(1));
    if after.status.version != expected {
        let version = after.status.version;
        return Err(format!("version {version} of reservation {id} where {expected} is expected"));
    }
    if let Some(before) = before {
        if before.created_at != after.created_at || before.reference != after.reference {
            return Err(format!("the creation time or the reference of reservation {id} changed"));
        }
        if !may_become(before.status.state, after.status.state) {
            let (from, to) = (before.status.state, after.status.state);
            return Err(format!("reservation {id} went from {from:?} to {to:?}"));
        }
    }
    check_events(id, before, after, index)
}

/// Whether a reservation may change from one state to the other.
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
        let units = if left { "units remain" } else { "no units remain" };
        return Err(format!("reservation {id} is {state:?}, but {units} on its lines"));
    }
    Ok(())
}

/// Checks that a change of the state or the expiry has exactly one event, with the values before
/// and after.
fn check_events(
    id: &str,
    before: Option<&Reservation>,
    after: &Reservation,
    index: &DraftIndex<'_>,
) -> Result<(), String> {
    let mut events = index.events_on_reservation(id);
    let Some(before) = before else {
        return match events.next() {
            Some(_) => Err(format!("an event says that reservation {id} changed, but it is new")),
            None => Ok(()),
        };
    };
    let (from, to) = (before.status, after.status);
    let unchanged = (from.state, from.expires_at) == (to.state, to.expires_at);
    match (events.next(), events.next()) {
        (None, None) if unchanged => Ok(()),
        (Some(event), None) if (event.from, event.to) == (from, to) => Ok(()),
        _ => Err(format!("the events on reservation {id} differ from its change")),
    }
}

/// Checks that the attributed units of each stock change by as much as the units that reservations
/// hold of it. So both stay equal, command by command.
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
                "the units of {key} reserved for reservations changed by {change}, the units that \
                 reservations hold by {expected}"
            ));
        }
    }
    match held.into_iter().find(|(_, change)| *change != 0) {
        Some((key, change)) => Err(format!(
            "the units that reservations hold of {key} changed by {change}, the stock did not"
        )),
        None => Ok(()),
    }
}

/// The units that an active reservation still holds, line by line.
fn active_lines(it: &Reservation) -> impl Iterator<Item = (&StockKey, u64)> {
    let active = it.status.state.is_active();
    let lines = it.lines.iter().filter(move |_| active);
    lines.map(|line| (&line.key, line.remaining().unwrap_or(0)))
}

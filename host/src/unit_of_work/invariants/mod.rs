//! The host's own check of a draft, before it may join the batch. The invariants hold whatever the
//! component decided; business rules are not checked here.

mod answer;
mod reservations;

use super::Draft;
use crate::model::{
    Event, Level, QUANTITY_MAX, Reservation, ReservationEvent, Stock, StockEvent, StockKey,
};

/// The longest text in an event that the domain may choose, in bytes.
const TEXT_BYTES_MAX: usize = 128;

/// Returns the stock of a key as it was before the command.
type StockBefore<'a> = dyn Fn(&StockKey) -> Option<&'a Stock> + 'a;
/// Returns the reservation of an id as it was before the command.
type ReservationBefore<'a> = dyn Fn(&str) -> Option<&'a Reservation> + 'a;

/// Up to this many events are searched one by one for each stock and reservation; more are sorted.
const EVENTS_SEARCHED_MAX: usize = 16;

/// A draft, with an index of its writes and events where the events are many: so the cost of a
/// check does not grow with the square of their number.
struct DraftIndex<'a> {
    draft: Draft<'a>,
    sorted: Option<Sorted<'a>>,
}

/// The writes and the events of a draft, sorted by key and id.
struct Sorted<'a> {
    stocks: Vec<&'a StockKey>,
    reservations: Vec<&'a str>,
    on_stocks: Vec<(&'a StockKey, &'a StockEvent)>,
    on_reservations: Vec<(&'a str, &'a ReservationEvent)>,
}

fn about_stock(event: &Event) -> Option<(&StockKey, &StockEvent)> {
    match event {
        Event::Stock(event) => Some((&event.key, event)),
        _ => None,
    }
}

fn about_reservation(event: &Event) -> Option<(&str, &ReservationEvent)> {
    match event {
        Event::Reservation(event) => Some((event.reservation_id.as_str(), event)),
        _ => None,
    }
}

impl<'a> Sorted<'a> {
    fn of(draft: &Draft<'a>) -> Self {
        let mut stocks: Vec<_> = draft.stocks.iter().map(|(key, _)| key).collect();
        let mut reservations: Vec<_> =
            draft.reservations.iter().map(|(id, _)| id.as_str()).collect();
        let mut on_stocks: Vec<_> = draft.events.iter().filter_map(about_stock).collect();
        let mut on_reservations: Vec<_> =
            draft.events.iter().filter_map(about_reservation).collect();
        stocks.sort_unstable();
        reservations.sort_unstable();
        // A stable sort: the events on one stock or reservation stay in the order of publication.
        on_stocks.sort_by_key(|(key, _)| *key);
        on_reservations.sort_by_key(|(id, _)| *id);
        Self { stocks, reservations, on_stocks, on_reservations }
    }
}

/// The events on one stock or reservation.
fn on<'s, 'a, K: Ord + ?Sized, E>(sorted: &'s [(&'a K, &'a E)], about: &K) -> &'s [(&'a K, &'a E)] {
    let from = sorted.partition_point(|(key, _)| **key < *about);
    let to = sorted.partition_point(|(key, _)| **key <= *about);
    sorted.get(from..to).unwrap_or_default()
}

impl<'a> DraftIndex<'a> {
    fn of(draft: &Draft<'a>) -> Self {
        let many = draft.events.len() > EVENTS_SEARCHED_MAX;
        Self { draft: *draft, sorted: many.then(|| Sorted::of(draft)) }
    }

    /// The events to search one by one; empty where the events are sorted.
    fn few(&self) -> &'a [Event] {
        if self.sorted.is_some() { &[] } else { self.draft.events }
    }

    fn events_on_stock<'s>(
        &'s self,
        key: &'s StockKey,
    ) -> impl Iterator<Item = &'a StockEvent> + 's {
        let many = self.sorted.as_ref().map(|it| on(&it.on_stocks, key)).unwrap_or_default();
        let few = self.few().iter().filter_map(about_stock).filter(move |(its, _)| *its == key);
        few.chain(many.iter().copied()).map(|(_, event)| event)
    }

    fn events_on_reservation<'s>(
        &'s self,
        id: &'s str,
    ) -> impl Iterator<Item = &'a ReservationEvent> + 's {
        let many = self.sorted.as_ref().map(|it| on(&it.on_reservations, id)).unwrap_or_default();
        let few = self.few().iter().filter_map(about_reservation);
        let few = few.filter(move |(its, _)| *its == id);
        few.chain(many.iter().copied()).map(|(_, event)| event)
    }

    fn writes_stock(&self, key: &StockKey) -> bool {
        match &self.sorted {
            Some(sorted) => sorted.stocks.binary_search(&key).is_ok(),
            None => self.draft.stocks.iter().any(|(written, _)| written == key),
        }
    }

    fn writes_reservation(&self, id: &str) -> bool {
        match &self.sorted {
            Some(sorted) => sorted.reservations.binary_search(&id).is_ok(),
            None => self.draft.reservations.iter().any(|(written, _)| written == id),
        }
    }
}

impl Draft<'_> {
    /// Checks the invariants. `stock` and `reservation` give the state before the command.
    ///
    /// # Errors
    /// The invariant that the draft breaks, in words.
    pub(crate) fn check<'a>(
        &self,
        stock: &StockBefore<'a>,
        reservation: &ReservationBefore<'a>,
    ) -> Result<(), String> {
        let index = DraftIndex::of(self);
        for (key, after) in self.stocks {
            check_stock(key, stock(key), after, &index)?;
        }
        for (id, after) in self.reservations {
            reservations::check(id, reservation(id), after, &index)?;
        }
        reservations::check_holdings(self, stock, reservation)?;
        self.events.iter().try_for_each(|event| check_event(event, &index))
    }
}

fn check_event(event: &Event, index: &DraftIndex<'_>) -> Result<(), String> {
    match event {
        Event::Stock(event) => {
            if event.kind.changes_stock() && !index.writes_stock(&event.key) {
                return Err(format!(
                    "an event says that {} changed, but it was not written",
                    event.key
                ));
            }
            check_texts(&[&event.counterpart_id])?;
            event.reservation_id.as_deref().map_or(Ok(()), |id| check_written(id, index))?;
            if event.quantity.is_some_and(|quantity| quantity > QUANTITY_MAX) {
                return Err(format!("an event on {} moves an impossible quantity", event.key));
            }
            Ok(())
        }
        Event::Reservation(event) => check_written(&event.reservation_id, index),
        Event::Domain(_) => Err("a command published an event about the component".to_owned()),
    }
}

fn check_written(id: &str, index: &DraftIndex<'_>) -> Result<(), String> {
    if index.writes_reservation(id) {
        return Ok(());
    }
    let shown: String = id.chars().take(TEXT_BYTES_MAX).collect();
    Err(format!("an event names reservation {shown}, which was not written"))
}

fn check_texts(texts: &[&Option<String>]) -> Result<(), String> {
    let long = texts.iter().filter_map(|text| text.as_ref()).find(|it| it.len() > TEXT_BYTES_MAX);
    match long {
        Some(text) => Err(format!("a text of {} bytes in an event", text.len())),
        None => Ok(()),
    }
}

fn check_stock(
    key: &StockKey,
    before: Option<&Stock>,
    after: &Stock,
    index: &DraftIndex<'_>,
) -> Result<(), String> {
    check_level(key, &after.level)?;
    if before.is_some_and(|before| before.created_at != after.created_at) {
        return Err(format!("the creation time of {key} changed"));
    }
    let first = before.map(|stock| stock.level);
    let mut current = first;
    for event in index.events_on_stock(key) {
        if event.kind.changes_stock() {
            check_change(event, current)?;
            current = Some(event.to);
        } else if (event.from, event.to) != (first, after.level) {
            return Err(format!(
                "an event on {key} that changes nothing does not span the whole command"
            ));
        }
    }
    if current == Some(after.level) {
        return Ok(());
    }
    Err(format!("the events on {key} do not lead to what was written"))
}

fn check_change(event: &StockEvent, current: Option<Level>) -> Result<(), String> {
    let key = &event.key;
    check_level(key, &event.to)?;
    if event.from != current {
        return Err(format!("an event on {key} does not begin where the one before it ended"));
    }
    let expected = current.map_or(1, |level| level.version.saturating_add(1));
    if event.to.version != expected {
        let version = event.to.version;
        return Err(format!("version {version} of {key} where {expected} is expected"));
    }
    Ok(())
}

fn check_level(key: &StockKey, level: &Level) -> Result<(), String> {
    let Level { total, reserved, unattributed, minimum, .. } = *level;
    if total > QUANTITY_MAX || minimum > QUANTITY_MAX {
        return Err(format!("{key} has a total of {total} and a minimum of {minimum}"));
    }
    if unattributed > reserved || reserved > total {
        return Err(format!(
            "{key} has {total} in total, {reserved} reserved, {unattributed} unattributed"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;

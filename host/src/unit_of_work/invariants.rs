//! The host's own check of what a command writes, before it may join a batch: whatever the
//! component decided, these hold. Rules of business are not checked here.

mod answer;
mod reservations;

use super::Draft;
use crate::model::{
    Event, Level, QUANTITY_MAX, Reservation, ReservationEvent, Stock, StockEvent, StockKey,
};

/// The longest text in an event that the domain may choose.
const TEXT_BYTES_MAX: usize = 128;

type StockBefore<'a> = dyn Fn(&StockKey) -> Option<&'a Stock> + 'a;
type ReservationBefore<'a> = dyn Fn(&str) -> Option<&'a Reservation> + 'a;

/// What a draft writes and says, in the order of what it is about, so that a check costs no more
/// than looking through it a few times.
struct Sorted<'a> {
    stocks: Vec<&'a StockKey>,
    reservations: Vec<&'a str>,
    on_stocks: Vec<(&'a StockKey, &'a StockEvent)>,
    on_reservations: Vec<(&'a str, &'a ReservationEvent)>,
}

impl<'a> Sorted<'a> {
    fn of(draft: &Draft<'a>) -> Self {
        let mut stocks: Vec<_> = draft.stocks.iter().map(|(key, _)| key).collect();
        let mut reservations: Vec<_> =
            draft.reservations.iter().map(|(id, _)| id.as_str()).collect();
        let (mut on_stocks, mut on_reservations) = (Vec::new(), Vec::new());
        for fact in draft.facts {
            match fact {
                Event::Stock(event) => on_stocks.push((&event.key, event)),
                Event::Reservation(event) => {
                    on_reservations.push((event.reservation_id.as_str(), event));
                }
                Event::Domain(_) => {}
            }
        }
        stocks.sort_unstable();
        reservations.sort_unstable();
        // Stable: what is about one thing stays in the order in which it was said.
        on_stocks.sort_by_key(|(key, _)| *key);
        on_reservations.sort_by_key(|(id, _)| *id);
        Self { stocks, reservations, on_stocks, on_reservations }
    }

    fn on_stock(&self, key: &StockKey) -> impl Iterator<Item = &'a StockEvent> {
        on(&self.on_stocks, key)
    }

    fn on_reservation(&self, id: &str) -> impl Iterator<Item = &'a ReservationEvent> {
        on(&self.on_reservations, id)
    }
}

/// The events about one thing.
fn on<'s, 'a, K: Ord + ?Sized, E>(
    sorted: &'s [(&'a K, &'a E)],
    about: &K,
) -> impl Iterator<Item = &'a E> + use<'s, 'a, K, E> {
    let from = sorted.partition_point(|(key, _)| **key < *about);
    let to = sorted.partition_point(|(key, _)| **key <= *about);
    sorted.get(from..to).unwrap_or_default().iter().map(|(_, event)| *event)
}

impl Draft<'_> {
    /// Says which invariant it breaks, if any. `stock` and `reservation` are what the command
    /// found.
    ///
    /// # Errors
    /// The invariant, in words.
    pub(crate) fn check<'a>(
        &self,
        stock: &StockBefore<'a>,
        reservation: &ReservationBefore<'a>,
    ) -> Result<(), String> {
        let sorted = Sorted::of(self);
        for (key, after) in self.stocks {
            check_stock(key, stock(key), after, &sorted)?;
        }
        for (id, after) in self.reservations {
            reservations::check(id, reservation(id), after, &sorted)?;
        }
        reservations::check_holdings(self, stock, reservation)?;
        self.facts.iter().try_for_each(|fact| check_fact(fact, &sorted))
    }
}

fn check_fact(fact: &Event, written: &Sorted<'_>) -> Result<(), String> {
    match fact {
        Event::Stock(event) => {
            if event.kind.changes_stock() && written.stocks.binary_search(&&event.key).is_err() {
                return Err(format!(
                    "an event says that {} changed, but it was not written",
                    event.key
                ));
            }
            check_texts(&[&event.counterpart_id])?;
            event.reservation_id.as_deref().map_or(Ok(()), |id| check_written(id, written))?;
            if event.quantity.is_some_and(|quantity| quantity > QUANTITY_MAX) {
                return Err(format!("an event on {} moves an impossible quantity", event.key));
            }
            Ok(())
        }
        Event::Reservation(event) => check_written(&event.reservation_id, written),
        Event::Domain(_) => Err("a command speaks of the component".to_owned()),
    }
}

fn check_written(id: &str, written: &Sorted<'_>) -> Result<(), String> {
    if written.reservations.binary_search(&id).is_ok() {
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
    said: &Sorted<'_>,
) -> Result<(), String> {
    check_level(key, &after.level)?;
    if before.is_some_and(|before| before.created_at != after.created_at) {
        return Err(format!("the creation time of {key} changed"));
    }
    let first = before.map(|stock| stock.level);
    let mut current = first;
    for event in said.on_stock(key) {
        if event.kind.changes_stock() {
            check_change(event, current)?;
            current = Some(event.to);
        } else if (event.from, event.to) != (first, after.level) {
            return Err(format!("a remark on {key} does not span the whole command"));
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
        return Err(format!("version {version} of {key} where {expected} is due"));
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
#[path = "invariants_tests.rs"]
mod tests;

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

/// Up to so many facts are looked through for each thing that they are about.
const FACTS_SEARCHED_MAX: usize = 16;

/// What a draft writes and says. Where that is much, it is put in the order of what it is about,
/// so that a check costs no more than looking through it a few times.
struct Said<'a> {
    draft: Draft<'a>,
    sorted: Option<Sorted<'a>>,
}

struct Sorted<'a> {
    stocks: Vec<&'a StockKey>,
    reservations: Vec<&'a str>,
    on_stocks: Vec<(&'a StockKey, &'a StockEvent)>,
    on_reservations: Vec<(&'a str, &'a ReservationEvent)>,
}

fn about_stock(fact: &Event) -> Option<(&StockKey, &StockEvent)> {
    match fact {
        Event::Stock(event) => Some((&event.key, event)),
        _ => None,
    }
}

fn about_reservation(fact: &Event) -> Option<(&str, &ReservationEvent)> {
    match fact {
        Event::Reservation(event) => Some((event.reservation_id.as_str(), event)),
        _ => None,
    }
}

impl<'a> Sorted<'a> {
    fn of(draft: &Draft<'a>) -> Self {
        let mut stocks: Vec<_> = draft.stocks.iter().map(|(key, _)| key).collect();
        let mut reservations: Vec<_> =
            draft.reservations.iter().map(|(id, _)| id.as_str()).collect();
        let mut on_stocks: Vec<_> = draft.facts.iter().filter_map(about_stock).collect();
        let mut on_reservations: Vec<_> =
            draft.facts.iter().filter_map(about_reservation).collect();
        stocks.sort_unstable();
        reservations.sort_unstable();
        // Stable: what is about one thing stays in the order in which it was said.
        on_stocks.sort_by_key(|(key, _)| *key);
        on_reservations.sort_by_key(|(id, _)| *id);
        Self { stocks, reservations, on_stocks, on_reservations }
    }
}

/// The part that is about one thing.
fn on<'s, 'a, K: Ord + ?Sized, E>(sorted: &'s [(&'a K, &'a E)], about: &K) -> &'s [(&'a K, &'a E)] {
    let from = sorted.partition_point(|(key, _)| **key < *about);
    let to = sorted.partition_point(|(key, _)| **key <= *about);
    sorted.get(from..to).unwrap_or_default()
}

impl<'a> Said<'a> {
    fn by(draft: &Draft<'a>) -> Self {
        let much = draft.facts.len() > FACTS_SEARCHED_MAX;
        Self { draft: *draft, sorted: much.then(|| Sorted::of(draft)) }
    }

    /// The facts to search; none where they are sorted.
    fn few(&self) -> &'a [Event] {
        if self.sorted.is_some() { &[] } else { self.draft.facts }
    }

    fn on_stock<'s>(&'s self, key: &'s StockKey) -> impl Iterator<Item = &'a StockEvent> + 's {
        let many = self.sorted.as_ref().map(|it| on(&it.on_stocks, key)).unwrap_or_default();
        let few = self.few().iter().filter_map(about_stock).filter(move |(its, _)| *its == key);
        few.chain(many.iter().copied()).map(|(_, event)| event)
    }

    fn on_reservation<'s>(
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
        let said = Said::by(self);
        for (key, after) in self.stocks {
            check_stock(key, stock(key), after, &said)?;
        }
        for (id, after) in self.reservations {
            reservations::check(id, reservation(id), after, &said)?;
        }
        reservations::check_holdings(self, stock, reservation)?;
        self.facts.iter().try_for_each(|fact| check_fact(fact, &said))
    }
}

fn check_fact(fact: &Event, said: &Said<'_>) -> Result<(), String> {
    match fact {
        Event::Stock(event) => {
            if event.kind.changes_stock() && !said.writes_stock(&event.key) {
                return Err(format!(
                    "an event says that {} changed, but it was not written",
                    event.key
                ));
            }
            check_texts(&[&event.counterpart_id])?;
            event.reservation_id.as_deref().map_or(Ok(()), |id| check_written(id, said))?;
            if event.quantity.is_some_and(|quantity| quantity > QUANTITY_MAX) {
                return Err(format!("an event on {} moves an impossible quantity", event.key));
            }
            Ok(())
        }
        Event::Reservation(event) => check_written(&event.reservation_id, said),
        Event::Domain(_) => Err("a command speaks of the component".to_owned()),
    }
}

fn check_written(id: &str, said: &Said<'_>) -> Result<(), String> {
    if said.writes_reservation(id) {
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
    said: &Said<'_>,
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
mod tests;

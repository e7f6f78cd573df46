//! The host's own check of what a command writes, before it may join a batch: whatever the
//! component decided, these hold. Rules of business are not checked here.

mod answer;
mod reservations;

use super::Draft;
use crate::model::{Event, Level, QUANTITY_MAX, Reservation, Stock, StockEvent, StockKey};

/// The longest text in an event that the domain may choose.
const TEXT_BYTES_MAX: usize = 128;

type StockBefore<'a> = dyn Fn(&StockKey) -> Option<&'a Stock> + 'a;
type ReservationBefore<'a> = dyn Fn(&str) -> Option<&'a Reservation> + 'a;

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
        for (key, after) in self.stocks {
            check_stock(key, stock(key), after, self.facts)?;
        }
        for (id, after) in self.reservations {
            reservations::check(id, reservation(id), after, self.facts)?;
        }
        reservations::check_holdings(self, stock, reservation)?;
        self.facts.iter().try_for_each(|fact| self.check_fact(fact))
    }

    fn check_fact(&self, fact: &Event) -> Result<(), String> {
        match fact {
            Event::Stock(event) => {
                let written = || self.stocks.iter().any(|(key, _)| *key == event.key);
                if event.kind.changes_stock() && !written() {
                    return Err(format!(
                        "an event says that {} changed, but it was not written",
                        event.key
                    ));
                }
                check_texts(&[&event.counterpart_id])?;
                event.reservation_id.as_deref().map_or(Ok(()), |id| self.check_written(id))?;
                if event.quantity.is_some_and(|quantity| quantity > QUANTITY_MAX) {
                    return Err(format!("an event on {} moves an impossible quantity", event.key));
                }
                Ok(())
            }
            Event::Reservation(event) => self.check_written(&event.reservation_id),
            Event::Domain(_) => Err("a command speaks of the component".to_owned()),
        }
    }

    fn check_written(&self, id: &str) -> Result<(), String> {
        if self.reservations.iter().any(|(written, _)| written == id) {
            return Ok(());
        }
        let shown: String = id.chars().take(TEXT_BYTES_MAX).collect();
        Err(format!("an event names reservation {shown}, which was not written"))
    }
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
    facts: &[Event],
) -> Result<(), String> {
    check_level(key, &after.level)?;
    if before.is_some_and(|before| before.created_at != after.created_at) {
        return Err(format!("the creation time of {key} changed"));
    }
    let first = before.map(|stock| stock.level);
    let mut current = first;
    for event in about(key, facts) {
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

fn about<'a>(key: &StockKey, facts: &'a [Event]) -> impl Iterator<Item = &'a StockEvent> {
    facts.iter().filter_map(move |fact| match fact {
        Event::Stock(event) if event.key == *key => Some(event),
        _ => None,
    })
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

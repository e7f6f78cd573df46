//! The host's own check of what a command writes, before it may join a batch: whatever the
//! component decided, these hold. Rules of business are not checked here.

use crate::model::{Event, Level, QUANTITY_MAX, Stock, StockEvent, StockKey};

/// The longest text in an event that the domain may choose.
const TEXT_BYTES_MAX: usize = 128;

/// Says which invariant the writes and facts of one command break, if any. `before` is the
/// stock as the command found it.
pub(super) fn check<'a>(
    writes: &[(StockKey, Stock)],
    facts: &[Event],
    before: impl Fn(&StockKey) -> Option<&'a Stock>,
) -> Result<(), String> {
    for (key, after) in writes {
        check_stock(key, before(key), after, facts)?;
    }
    for fact in facts {
        match fact {
            Event::Stock(event) => {
                if event.kind.changes_stock() && !writes.iter().any(|(key, _)| *key == event.key) {
                    return Err(format!(
                        "an event says that {} changed, but it was not written",
                        event.key
                    ));
                }
                check_texts(&[&event.reservation_id, &event.counterpart_id])?;
                if event.quantity.is_some_and(|quantity| quantity > QUANTITY_MAX) {
                    return Err(format!("an event on {} moves an impossible quantity", event.key));
                }
            }
            Event::Reservation(event) => check_texts(&[&Some(event.reservation_id.clone())])?,
        }
    }
    Ok(())
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

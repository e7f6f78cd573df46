//! Answers and events as tables and lines, in the form in which scenarios expect them.

use super::scenario::number;
use crate::model::{Answer, Event, Outcome, Rejection, Reservation, StockKey, StockView, Value};
use toml::{Table, Value as Toml};

fn key(key: &StockKey) -> String {
    match key.location_id.as_str() {
        "default" => key.product_id.as_str().to_owned(),
        location => format!("{}@{location}", key.product_id.as_str()),
    }
}

fn stock(view: &StockView) -> Table {
    let level = view.stock.level;
    let mut table: Table = [
        ("total", level.total),
        ("reserved", view.reserved),
        ("unattributed", level.unattributed),
        ("minimum", level.minimum),
        ("version", level.version),
        ("available", view.available),
        ("created-at", view.stock.created_at),
        ("updated-at", view.stock.updated_at),
    ]
    .into_iter()
    .map(|(name, units)| (name.to_owned(), number(units)))
    .collect();
    table.insert("low".to_owned(), Toml::Boolean(view.low));
    table
}

fn reservation(it: &Reservation) -> Table {
    let mut table = Table::new();
    let mut put = |name: &str, value: Toml| table.insert(name.to_owned(), value);
    put("state", Toml::String(it.status.state.name().to_owned()));
    put("version", number(it.status.version));
    // 0 stands for a reservation that never expires.
    put("expires-at", number(it.status.expires_at.unwrap_or(0)));
    put("created-at", number(it.created_at));
    put("updated-at", number(it.updated_at));
    if let Some(reference) = &it.reference {
        put("reference", Toml::String(reference.clone()));
    }
    let lines = it.lines.iter().map(|line| {
        let left = line.remaining().unwrap_or(0);
        Toml::String(format!("{} {} left {left}", key(&line.key), line.quantity))
    });
    put("lines", Toml::Array(lines.collect()));
    table
}

pub(super) fn outcome(outcome: &Outcome) -> Table {
    match outcome {
        Outcome::Stock { view, created } => {
            let mut table = stock(view);
            table.insert("created".to_owned(), Toml::Boolean(*created));
            table
        }
        Outcome::Transfer { source, target } => [("source", source), ("target", target)]
            .into_iter()
            .map(|(name, view)| (name.to_owned(), number(view.available)))
            .collect(),
        Outcome::Reservation { reservation: it, created, .. } => {
            let mut table = reservation(it);
            table.insert("created".to_owned(), Toml::Boolean(*created));
            table
        }
    }
}

fn page(items: impl Iterator<Item = String>, more: bool) -> Table {
    let mut table = Table::new();
    table.insert("items".to_owned(), Toml::Array(items.map(Toml::String).collect()));
    table.insert("more".to_owned(), Toml::Boolean(more));
    table
}

pub(super) fn answer(answer: &Answer) -> Table {
    match answer {
        Answer::GetStock(view) => stock(view),
        Answer::GetStocks(found) => {
            let available = |view: &Option<StockView>| match view {
                Some(view) => format!("{} available", view.available),
                None => "none".to_owned(),
            };
            page(found.iter().map(available), false)
        }
        Answer::ListStocks(found) => {
            page(found.items.iter().map(|(it, _)| key(it)), found.next.is_some())
        }
        Answer::LowStock(found) => {
            page(found.items.iter().map(|(it, _)| key(it)), found.next.is_some())
        }
        Answer::GetReservation(it) => reservation(it),
        Answer::ListReservations(found) => {
            page(found.items.iter().map(|(id, _)| id.clone()), found.next.is_some())
        }
    }
}

pub(super) fn details(rejection: &Rejection) -> Table {
    let value = |value: &Value| match value {
        Value::Text(text) => Toml::String(text.clone()),
        Value::Unsigned(units) => number(*units),
        Value::Signed(units) => Toml::Integer(*units),
        Value::Flag(flag) => Toml::Boolean(*flag),
    };
    let named = rejection.details.iter().map(|detail| {
        let name = match detail.line {
            Some(line) => format!("{line}.{}", detail.name),
            None => detail.name.clone(),
        };
        (name, value(&detail.value))
    });
    named.collect()
}

/// An event in one line: its name, its stock or reservation, and its quantity.
pub(super) fn event(event: &Event) -> String {
    let name = event.kind().name();
    match event {
        Event::Stock(it) => {
            let name = match it.kind.direction() {
                Some(direction) => format!("{name} {direction}"),
                None => name.to_owned(),
            };
            match it.quantity {
                Some(quantity) => format!("{name} {} {quantity}", key(&it.key)),
                None => format!("{name} {}", key(&it.key)),
            }
        }
        Event::Reservation(it) => format!("{name} {}", it.reservation_id),
        Event::Domain(it) => format!("{name} {}", it.to),
    }
}

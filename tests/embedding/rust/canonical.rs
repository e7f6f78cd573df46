//! The canonical form of the contract's values: JSON without spaces, fields in the contract's order
//! and in `snake_case`, absent fields left out.

use crate::bindings::holdfast::inventory::types::Event;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Prints a value on a line of its own.
pub fn print(line: &Value) {
    println!("{line}");
}

/// Writes an event: `{"event": "inventory-reserved", ...}`.
pub fn event(event: &Event) -> Value {
    let mut line = Map::new();
    for (case, fields) in members(plain(event)) {
        line.insert("event".to_owned(), Value::String(kebab(&case)));
        line.extend(members(fields));
    }
    Value::Object(line)
}

/// Writes a decision: `{"ok": {...}}` or `{"rejected": {...}}`.
pub fn decision<T: Serialize, E: Serialize>(decision: &Result<T, E>) -> Value {
    match decision {
        Ok(outcome) => json!({"ok": plain(outcome)}),
        Err(rejection) => json!({"rejected": plain(rejection)}),
    }
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Writes a value of the generated types, which name cases as Rust does and write absent fields as
/// null.
fn plain(value: &impl Serialize) -> Value {
    tidy(serde_json::to_value(value).expect("plain values"))
}

fn tidy(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let present = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(
                present
                    .map(|(name, value)| {
                        let value = match (&*name, value) {
                            ("state" | "direction", Value::String(case)) => {
                                Value::String(kebab(&case))
                            }
                            ("value", Value::Object(value)) => {
                                let one =
                                    value.into_iter().map(|(case, value)| (kebab(&case), value));
                                Value::Object(one.collect())
                            }
                            (_, value) => tidy(value),
                        };
                        (name, value)
                    })
                    .collect(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(tidy).collect()),
        other => other,
    }
}

fn kebab(case: &str) -> String {
    let mut text = String::new();
    for (index, letter) in case.char_indices() {
        if letter.is_ascii_uppercase() && index > 0 {
            text.push('-');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

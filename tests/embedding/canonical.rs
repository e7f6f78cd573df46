//! The canonical form of an event, in which the embeddings are compared: JSON without spaces, the
//! contract's case as `event`, the fields in the contract's order in `snake_case`, absent fields
//! left out.

use holdfast::model::{Event, EventKind, Level, ReservationStatus, StockKey};
use serde_json::{Map, Value, json};

/// Writes an event of the host in canonical form.
pub fn event(event: &Event) -> String {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    put("event", Some(case(event.kind()).into()));
    match event {
        Event::Stock(it) => {
            put("key", Some(key(&it.key)));
            put("quantity", it.quantity.map(Value::from));
            put("direction", it.kind.direction().map(Value::from));
            put("reservation_id", it.reservation_id.clone().map(Value::from));
            put("expires_at", it.expires_at.map(Value::from));
            put("counterpart_id", it.counterpart_id.clone().map(Value::from));
            put("from", it.from.as_ref().map(level));
            put("to", Some(level(&it.to)));
        }
        Event::Reservation(it) => {
            put("reservation_id", Some(it.reservation_id.clone().into()));
            put("from", Some(status(&it.from)));
            put("to", Some(status(&it.to)));
        }
        Event::Domain(_) => panic!("the contract has no such event"),
    }
    Value::Object(fields).to_string()
}

/// The name of an event's case in the contract.
fn case(kind: EventKind) -> String {
    let mut case = String::new();
    for (index, letter) in kind.name().char_indices() {
        if letter.is_ascii_uppercase() && index > 0 {
            case.push('-');
        }
        case.push(letter.to_ascii_lowercase());
    }
    case
}

fn key(key: &StockKey) -> Value {
    json!({"product_id": key.product_id.as_str(), "location_id": key.location_id.as_str()})
}

fn level(level: &Level) -> Value {
    json!({
        "total": level.total, "reserved": level.reserved, "unattributed": level.unattributed,
        "minimum": level.minimum, "version": level.version
    })
}

fn status(status: &ReservationStatus) -> Value {
    let mut fields = Map::new();
    fields.insert("state".to_owned(), status.state.name().into());
    if let Some(at) = status.expires_at {
        fields.insert("expires_at".to_owned(), at.into());
    }
    fields.insert("version".to_owned(), status.version.into());
    Value::Object(fields)
}

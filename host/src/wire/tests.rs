use super::*;
use crate::model::{
    Digest, DomainEvent, DomainEventKind, Event, EventKind, Level, LogEntry, ReservationEvent,
    ReservationEventKind, ReservationState, ReservationStatus, StockEvent, StockEventKind,
    StockKey,
};
use serde_json::{Value, json};
use std::collections::HashSet;
use utoipa::ToSchema;

fn stock_event(kind: StockEventKind) -> Event {
    let level = Level { total: 10, reserved: 4, unattributed: 1, minimum: 3, version: 7 };
    Event::Stock(StockEvent {
        kind,
        key: StockKey::parse("a".to_owned(), "north".to_owned()).unwrap(),
        quantity: Some(2),
        reservation_id: Some("r".to_owned()),
        expires_at: Some(1_000),
        counterpart_id: None,
        from: None,
        to: level,
    })
}

fn event(kind: EventKind) -> Event {
    let digest = Digest([0xab; 32]);
    match kind {
        EventKind::Stock(kind) => stock_event(kind),
        EventKind::Reservation(kind) => {
            let from =
                ReservationStatus { state: ReservationState::Held, expires_at: None, version: 1 };
            let to = ReservationStatus { state: ReservationState::Confirmed, version: 2, ..from };
            Event::Reservation(ReservationEvent { kind, reservation_id: "r".to_owned(), from, to })
        }
        EventKind::Domain(kind) => Event::Domain(DomainEvent { kind, from: digest, to: digest }),
    }
}

fn entry(kind: EventKind) -> LogEntry {
    LogEntry {
        sequence: 17,
        at: 1,
        command_id: uuid::Uuid::from_u128(5),
        caller: None,
        reason: None,
        reference: Some("order-7".into()),
        component: Digest([0xab; 32]),
        event: event(kind),
    }
}

fn rendered(entry: &LogEntry) -> Value {
    serde_json::to_value(LogEntryBody::from(entry)).unwrap()
}

#[test]
fn every_kind_of_event_has_one_type_and_every_type_another_name() {
    let names: HashSet<_> = EVENT_TYPES.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), EVENT_TYPES.len());
    for kind in EventKind::ALL {
        let having: Vec<_> =
            EVENT_TYPES.iter().filter(|(_, kinds)| kinds.contains(&kind)).collect();
        assert_eq!(having.len(), 1, "{kind:?}");
        assert_eq!(having[0].0, kind.name());
        assert_eq!(rendered(&entry(kind))["type"], kind.name());
    }
}

#[test]
fn an_entry_has_the_members_of_its_family_and_always_a_caller() {
    let mut stock = entry(EventKind::Stock(StockEventKind::InventoryReserved));
    let hex = "ab".repeat(32);
    let level = json!({
        "total_quantity": 10, "reserved_quantity": 4, "available_quantity": 6,
        "unattributed_quantity": 1, "minimum_stock_level": 3, "version": 7
    });
    let mut expected = json!({
        "sequence": 17, "at": "1970-01-01T00:00:00.001Z",
        "command_id": "00000000-0000-0000-0000-000000000005", "component": hex,
        "caller": "anonymous", "reason": null, "reference": "order-7",
        "type": "InventoryReserved", "product_id": "a", "location_id": "north",
        "reservation_id": "r", "quantity": 2, "expires_at": "1970-01-01T00:00:01.000Z",
        "counterpart_location_id": null, "from": null, "to": level
    });
    assert_eq!(rendered(&stock), expected);
    stock.caller = Some("web-7".into());
    expected["caller"] = "web-7".into();
    assert_eq!(rendered(&stock), expected);

    let kind = EventKind::Reservation(ReservationEventKind::ReservationConfirmed);
    let confirmed = serde_json::to_value(EventBody::from(&event(kind))).unwrap();
    let expected = json!({
        "type": "ReservationConfirmed", "reservation_id": "r",
        "from": {"state": "held", "expires_at": null, "version": 1},
        "to": {"state": "confirmed", "expires_at": null, "version": 2}
    });
    assert_eq!(confirmed, expected);

    let kind = EventKind::Domain(DomainEventKind::DomainSwapped);
    let swapped = serde_json::to_value(EventBody::from(&event(kind))).unwrap();
    let (from, to) = (json!({"component": hex}), json!({"component": hex}));
    assert_eq!(swapped, json!({"type": "DomainSwapped", "from": from, "to": to}));
}

/// The members of an object schema and of all that it is composed of.
fn members(schemas: &Value, schema: &Value) -> HashSet<String> {
    let own = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone());
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let referred = schema["$ref"].as_str().map(|it| it.rsplit('/').next().unwrap());
    let referred = referred.map(|name| members(schemas, &schemas[name]));
    own.chain(parts.flat_map(|part| members(schemas, part)))
        .chain(referred.into_iter().flatten())
        .collect()
}

/// The schemas that a type brings, and for each `type` the members of an event of it.
fn described<T: ToSchema>() -> impl Fn(&str) -> HashSet<String> {
    let mut found = Vec::new();
    T::schemas(&mut found);
    let found = found.into_iter().map(|(name, it)| (name, serde_json::to_value(it).unwrap()));
    let schemas = Value::Object(found.collect());
    let schema = serde_json::to_value(T::schema()).unwrap();
    move |kind| {
        let mapped = &schema["discriminator"]["mapping"][kind];
        let choices = schema["oneOf"].as_array().unwrap();
        assert!(choices.contains(&json!({"$ref": mapped})), "{kind} is one of the choices");
        let name = mapped.as_str().unwrap().rsplit('/').next().unwrap();
        members(&schemas, &schemas[name])
    }
}

#[test]
fn the_schemas_name_the_members_that_are_written() {
    let (entries, events) = (described::<LogEntryBody<'_>>(), described::<EventBody<'_>>());
    for kind in EventKind::ALL {
        let names = |value: Value| value.as_object().unwrap().keys().cloned().collect();
        let written: HashSet<String> = names(rendered(&entry(kind)));
        assert_eq!(entries(kind.name()), written, "{kind:?}");
        let bare = serde_json::to_value(EventBody::from(&event(kind))).unwrap();
        assert_eq!(events(kind.name()), names(bare), "{kind:?}");
    }
}

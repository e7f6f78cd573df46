//! The schemas of events: every `type` belongs to one of three shapes.

use super::{
    event::{
        DomainEventBody, EntryOriginBody, EventBody, LogEntryBody, ReservationEventBody,
        StockEventBody,
    },
    event_types::{DOMAIN_EVENT_TYPES, RESERVATION_EVENT_TYPES, STOCK_EVENT_TYPES},
};
use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{AllOfBuilder, Discriminator, OneOfBuilder, Ref, RefOr, Schema},
};

type NamedSchemas = Vec<(String, RefOr<Schema>)>;

/// One of three shapes, told apart by `type`. The names are those of the shapes' schemas: of the
/// events of stocks, of reservations, and of the domain component.
fn by_type(names: [&str; 3]) -> OneOfBuilder {
    let [stock, reservation, domain] = names;
    let families: [(&str, &[_]); 3] = [
        (stock, &STOCK_EVENT_TYPES),
        (reservation, &RESERVATION_EVENT_TYPES),
        (domain, &DOMAIN_EVENT_TYPES),
    ];
    let mut one_of = OneOfBuilder::new();
    let mut mapping = Vec::new();
    for (name, types) in families {
        one_of = one_of.item(Ref::from_schema_name(name));
        let location = format!("#/components/schemas/{name}");
        mapping.extend(types.iter().map(|(word, _)| ((*word).to_owned(), location.clone())));
    }
    one_of.discriminator(Some(Discriminator::with_mapping("type", mapping)))
}

fn add<T: ToSchema>(schemas: &mut NamedSchemas) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

impl ToSchema for EventBody<'_> {
    fn schemas(schemas: &mut NamedSchemas) {
        add::<StockEventBody<'_>>(schemas);
        add::<ReservationEventBody<'_>>(schemas);
        add::<DomainEventBody>(schemas);
    }
}

impl PartialSchema for EventBody<'_> {
    fn schema() -> RefOr<Schema> {
        let names = [StockEventBody::name(), ReservationEventBody::name(), DomainEventBody::name()];
        by_type(names.each_ref().map(AsRef::as_ref))
            .description(Some(
                "An event: what happened to a stock or a reservation, or that another component \
                 decides",
            ))
            .into()
    }
}

/// The names of the schemas of an entry with each of the three shapes of events.
const ENTRIES: [&str; 3] = ["StockLogEntryBody", "ReservationLogEntryBody", "DomainLogEntryBody"];

impl ToSchema for LogEntryBody<'_> {
    fn schemas(schemas: &mut NamedSchemas) {
        EventBody::schemas(schemas);
        add::<EntryOriginBody<'_>>(schemas);
        let events =
            [StockEventBody::name(), ReservationEventBody::name(), DomainEventBody::name()];
        for (name, event) in ENTRIES.into_iter().zip(events) {
            let entry = AllOfBuilder::new()
                .item(Ref::from_schema_name(EntryOriginBody::name()))
                .item(Ref::from_schema_name(event));
            schemas.push((name.to_owned(), entry.into()));
        }
    }
}

impl PartialSchema for LogEntryBody<'_> {
    fn schema() -> RefOr<Schema> {
        by_type(ENTRIES)
            .description(Some("An entry of the log: an event with its place and its origin"))
            .examples([json!({
                "sequence": 17, "at": "2026-11-23T09:30:00.125Z",
                "command_id": "019abc12-0000-7000-8000-000000000000",
                "component": "5d6a5f0c4f7c5d1f0b5e2a8f3f1f0a3c5d6a5f0c4f7c5d1f0b5e2a8f3f1f0a3c",
                "caller": "anonymous", "reason": null, "reference": "order-7",
                "type": "InventoryReserved", "product_id": "sku-1", "location_id": "default",
                "reservation_id": null, "quantity": 3, "expires_at": null,
                "counterpart_location_id": null,
                "from": {"total_quantity": 100, "reserved_quantity": 27, "available_quantity": 73,
                    "unattributed_quantity": 27, "minimum_stock_level": 20, "version": 3},
                "to": {"total_quantity": 100, "reserved_quantity": 30, "available_quantity": 70,
                    "unattributed_quantity": 30, "minimum_stock_level": 20, "version": 4}
            })])
            .into()
    }
}

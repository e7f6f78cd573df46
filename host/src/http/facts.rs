//! Facts as JSON: entries of the ledger, and what a rehearsed command would have said.

use super::time::{optional_rfc3339, rfc3339};
use crate::model::{
    Digest, DomainEventKind, Event, EventKind, Identity, Level, LogEntry, ReservationEventKind,
    ReservationStatus, StockEvent, StockEventKind, Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

/// The numbers of a stock before or after an event.
#[derive(Serialize, ToSchema)]
pub(super) struct LevelBody {
    total_quantity: u64,
    reserved_quantity: u64,
    available_quantity: u64,
    /// The part of the reserved quantity that no reservation owns.
    unattributed_quantity: u64,
    minimum_stock_level: u64,
    version: u64,
}

impl From<Level> for LevelBody {
    fn from(level: Level) -> Self {
        Self {
            total_quantity: level.total,
            reserved_quantity: level.reserved,
            available_quantity: level.total.saturating_sub(level.reserved),
            unattributed_quantity: level.unattributed,
            minimum_stock_level: level.minimum,
            version: level.version,
        }
    }
}

/// The status of a reservation before or after an event.
#[derive(Serialize, ToSchema)]
pub(super) struct StatusBody {
    state: &'static str,
    #[serde(serialize_with = "optional_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    version: u64,
}

impl From<ReservationStatus> for StatusBody {
    fn from(status: ReservationStatus) -> Self {
        let state = status.state.name();
        Self { state, expires_at: status.expires_at, version: status.version }
    }
}

/// Before or after: the numbers of a stock, the status of a reservation, or the component.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum BeforeOrAfter {
    Stock(LevelBody),
    Reservation(StatusBody),
    Domain(ComponentBody),
}

/// Which component decided before or after an event.
#[derive(Serialize, ToSchema)]
pub(super) struct ComponentBody {
    /// SHA-256 of the component, in hexadecimal.
    component: String,
}

impl From<Digest> for ComponentBody {
    fn from(digest: Digest) -> Self {
        Self { component: digest.to_string() }
    }
}

/// An entry of the ledger: a fact, in the order in which the facts happened.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "sequence": 17, "at": "2026-11-23T09:30:00.125Z", "type": "InventoryReserved",
    "product_id": "sku-1", "location_id": "default", "reservation_id": null, "quantity": 3,
    "expires_at": null, "counterpart_location_id": null,
    "from": {"total_quantity": 100, "reserved_quantity": 27, "available_quantity": 73,
        "unattributed_quantity": 27, "minimum_stock_level": 20, "version": 3},
    "to": {"total_quantity": 100, "reserved_quantity": 30, "available_quantity": 70,
        "unattributed_quantity": 30, "minimum_stock_level": 20, "version": 4},
    "reason": null, "reference": "order-7", "caller": "anonymous",
    "command_id": "019abc12-0000-7000-8000-000000000000",
    "component": "5d6a5f0c4f7c5d1f0b5e2a8f3f1f0a3c5d6a5f0c4f7c5d1f0b5e2a8f3f1f0a3c"
}))]
pub(super) struct EntryBody<'a> {
    /// Its number in the log of all facts: rising, without a gap there.
    sequence: u64,
    /// When (RFC 3339, UTC).
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[serde(flatten)]
    fact: FactBody<'a>,
    reason: Option<&'a str>,
    reference: Option<&'a str>,
    /// Who asked; `anonymous` where nobody was named.
    caller: &'a str,
    /// The command that produced it (UUID).
    command_id: String,
    /// SHA-256 of the component that decided it, in hexadecimal.
    component: String,
}

/// A fact: what happened to a stock or a reservation, or that another component decides.
#[derive(Serialize, ToSchema)]
pub(super) struct FactBody<'a> {
    /// What happened, such as InventoryReserved or LowStockDetected.
    #[serde(rename = "type")]
    kind: &'static str,
    product_id: Option<&'a str>,
    location_id: Option<&'a str>,
    reservation_id: Option<&'a str>,
    /// How many units moved, where some did.
    quantity: Option<u64>,
    /// When the hold that reserved them comes due.
    #[serde(serialize_with = "optional_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// The other side of a transfer.
    counterpart_location_id: Option<&'a str>,
    /// Before; null where the stock was created.
    from: Option<BeforeOrAfter>,
    /// After.
    to: BeforeOrAfter,
}

impl<'a> EntryBody<'a> {
    pub(super) fn of(entry: &'a LogEntry) -> Self {
        Self {
            sequence: entry.sequence,
            at: entry.at,
            fact: FactBody::of(&entry.event),
            reason: entry.reason.as_deref(),
            reference: entry.reference.as_deref(),
            caller: entry.caller.as_deref().unwrap_or(Identity::ANONYMOUS.subject()),
            command_id: entry.command_id.to_string(),
            component: entry.component.to_string(),
        }
    }
}

impl<'a> FactBody<'a> {
    pub(super) fn of(event: &'a Event) -> Self {
        let stock = match event {
            Event::Stock(event) => Some(event),
            Event::Reservation(_) | Event::Domain(_) => None,
        };
        let (kind, reservation_id, from, to) = match event {
            Event::Stock(StockEvent { kind, reservation_id, from, to, .. }) => (
                name_of(EventKind::Stock(*kind)),
                reservation_id.as_deref(),
                from.map(|from| BeforeOrAfter::Stock(from.into())),
                BeforeOrAfter::Stock((*to).into()),
            ),
            Event::Reservation(event) => (
                name_of(EventKind::Reservation(event.kind)),
                Some(event.reservation_id.as_str()),
                Some(BeforeOrAfter::Reservation(event.from.into())),
                BeforeOrAfter::Reservation(event.to.into()),
            ),
            Event::Domain(event) => (
                name_of(EventKind::Domain(event.kind)),
                None,
                Some(BeforeOrAfter::Domain(event.from.into())),
                BeforeOrAfter::Domain(event.to.into()),
            ),
        };
        Self {
            kind,
            product_id: stock.map(|event| event.key.product_id.as_str()),
            location_id: stock.map(|event| event.key.location_id.as_str()),
            reservation_id,
            quantity: stock.and_then(|event| event.quantity),
            expires_at: stock.and_then(|event| event.expires_at),
            counterpart_location_id: stock.and_then(|event| event.counterpart_id.as_deref()),
            from,
            to,
        }
    }
}

/// The name of every kind of event. Both sides of a transfer have the same.
pub(super) const EVENT_KINDS: [(&str, &[EventKind]); 14] = [
    ("InventoryAdjusted", &[EventKind::Stock(StockEventKind::InventoryAdjusted)]),
    ("InventoryReserved", &[EventKind::Stock(StockEventKind::InventoryReserved)]),
    ("InventoryReleased", &[EventKind::Stock(StockEventKind::InventoryReleased)]),
    ("InventoryFulfilled", &[EventKind::Stock(StockEventKind::InventoryFulfilled)]),
    (
        "InventoryTransferred",
        &[
            EventKind::Stock(StockEventKind::InventoryTransferredOut),
            EventKind::Stock(StockEventKind::InventoryTransferredIn),
        ],
    ),
    ("LowStockDetected", &[EventKind::Stock(StockEventKind::LowStockDetected)]),
    ("LowStockResolved", &[EventKind::Stock(StockEventKind::LowStockResolved)]),
    ("ReservationExtended", &[EventKind::Reservation(ReservationEventKind::ReservationExtended)]),
    ("ReservationConfirmed", &[EventKind::Reservation(ReservationEventKind::ReservationConfirmed)]),
    ("ReservationFulfilled", &[EventKind::Reservation(ReservationEventKind::ReservationFulfilled)]),
    ("ReservationCancelled", &[EventKind::Reservation(ReservationEventKind::ReservationCancelled)]),
    ("ReservationExpired", &[EventKind::Reservation(ReservationEventKind::ReservationExpired)]),
    ("DomainSwapped", &[EventKind::Domain(DomainEventKind::DomainSwapped)]),
    ("DomainRolledBack", &[EventKind::Domain(DomainEventKind::DomainRolledBack)]),
];

fn name_of(kind: EventKind) -> &'static str {
    EVENT_KINDS.iter().find(|(_, kinds)| kinds.contains(&kind)).map_or("", |(name, _)| name)
}

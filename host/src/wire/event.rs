//! Events and entries of the log as JSON.

use super::{
    time::{optional_rfc3339, rfc3339},
    words::{DomainEventType, ReservationEventType, ReservationStateSchema, StockEventType},
};
use crate::model::{
    Digest, DomainEvent, Event, EventKind, Identity, Level, LogEntry, ReservationEvent,
    ReservationStatus, StockEvent, Timestamp,
};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use uuid::Uuid;

/// The numbers of a stock before or after an event.
#[derive(Serialize, ToSchema)]
pub struct LevelBody {
    /// The units that are there.
    total_quantity: u64,
    /// The units of the total that are promised.
    reserved_quantity: u64,
    /// The units that can still be reserved: total less reserved.
    available_quantity: u64,
    /// The part of the reserved quantity that no reservation owns.
    unattributed_quantity: u64,
    /// The threshold of the low-stock policy; 0 turns the policy off for the stock.
    minimum_stock_level: u64,
    /// The number of accepted changes so far, from 1.
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
pub struct StatusBody {
    #[schema(value_type = ReservationStateSchema)]
    state: &'static str,
    /// The time at which the hold expires (RFC 3339, UTC); null where it never does.
    #[serde(serialize_with = "optional_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// The number of accepted changes so far, from 1.
    version: u64,
}

impl From<ReservationStatus> for StatusBody {
    fn from(status: ReservationStatus) -> Self {
        let state = status.state.name();
        Self { state, expires_at: status.expires_at, version: status.version }
    }
}

/// The component that decided before or after an event.
#[derive(Serialize, ToSchema)]
pub struct ComponentBody {
    /// The SHA-256 of the component, in hexadecimal.
    #[serde(serialize_with = "hexadecimal")]
    #[schema(value_type = String)]
    component: Digest,
}

impl From<Digest> for ComponentBody {
    fn from(component: Digest) -> Self {
        Self { component }
    }
}

fn hexadecimal<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(digest)
}

/// An event of a stock.
#[derive(Serialize, ToSchema)]
pub struct StockEventBody<'a> {
    #[serde(rename = "type")]
    #[schema(value_type = StockEventType)]
    kind: &'static str,
    product_id: &'a str,
    location_id: &'a str,
    /// The reservation that the units belong to; null where they belong to none.
    reservation_id: Option<&'a str>,
    /// The units that moved; null where the event moves no units.
    quantity: Option<u64>,
    /// The expiry of the hold that reserved the units (RFC 3339, UTC); null where there is none.
    #[serde(serialize_with = "optional_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// The location at the other side of a transfer; null for every other event.
    counterpart_location_id: Option<&'a str>,
    /// The stock before the event; null where the event created it.
    from: Option<LevelBody>,
    /// The stock after the event.
    to: LevelBody,
}

impl<'a> From<&'a StockEvent> for StockEventBody<'a> {
    fn from(event: &'a StockEvent) -> Self {
        Self {
            kind: EventKind::Stock(event.kind).name(),
            product_id: event.key.product_id.as_str(),
            location_id: event.key.location_id.as_str(),
            reservation_id: event.reservation_id.as_deref(),
            quantity: event.quantity,
            expires_at: event.expires_at,
            counterpart_location_id: event.counterpart_id.as_deref(),
            from: event.from.map(LevelBody::from),
            to: event.to.into(),
        }
    }
}

/// An event of a reservation.
#[derive(Serialize, ToSchema)]
pub struct ReservationEventBody<'a> {
    #[serde(rename = "type")]
    #[schema(value_type = ReservationEventType)]
    kind: &'static str,
    reservation_id: &'a str,
    /// The reservation before the event.
    from: StatusBody,
    /// The reservation after the event.
    to: StatusBody,
}

impl<'a> From<&'a ReservationEvent> for ReservationEventBody<'a> {
    fn from(event: &'a ReservationEvent) -> Self {
        Self {
            kind: EventKind::Reservation(event.kind).name(),
            reservation_id: &event.reservation_id,
            from: event.from.into(),
            to: event.to.into(),
        }
    }
}

/// An event of the domain component: another component decides.
#[derive(Serialize, ToSchema)]
pub struct DomainEventBody {
    #[serde(rename = "type")]
    #[schema(value_type = DomainEventType)]
    kind: &'static str,
    /// The component that decided before the event.
    from: ComponentBody,
    /// The component that decides from the event on.
    to: ComponentBody,
}

impl From<&DomainEvent> for DomainEventBody {
    fn from(event: &DomainEvent) -> Self {
        let kind = EventKind::Domain(event.kind).name();
        Self { kind, from: event.from.into(), to: event.to.into() }
    }
}

/// An event: what happened to a stock or a reservation, or that another component decides.
#[derive(Serialize)]
#[serde(untagged)]
pub enum EventBody<'a> {
    /// An event of a stock.
    Stock(StockEventBody<'a>),
    /// An event of a reservation.
    Reservation(ReservationEventBody<'a>),
    /// An event of the domain component.
    Domain(DomainEventBody),
}

impl<'a> From<&'a Event> for EventBody<'a> {
    fn from(event: &'a Event) -> Self {
        match event {
            Event::Stock(event) => Self::Stock(event.into()),
            Event::Reservation(event) => Self::Reservation(event.into()),
            Event::Domain(event) => Self::Domain(event.into()),
        }
    }
}

/// The place of an entry in the log, and its origin.
#[derive(Serialize, ToSchema)]
pub(super) struct EntryOriginBody<'a> {
    /// The number of the event in the log: from 1, without gaps.
    sequence: u64,
    /// The time at which the command was decided (RFC 3339, UTC).
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The command that produced the event.
    #[schema(value_type = String, format = "uuid")]
    command_id: Uuid,
    /// The SHA-256 of the component that decided the command, in hexadecimal.
    #[serde(serialize_with = "hexadecimal")]
    #[schema(value_type = String)]
    component: Digest,
    /// The caller who sent the command; `anonymous` where the caller has no name.
    caller: &'a str,
    /// The reason, in the caller's words.
    reason: Option<&'a str>,
    /// The caller's name for the business transaction.
    reference: Option<&'a str>,
}

/// An entry of the log: an event with its place and its origin.
#[derive(Serialize)]
pub struct LogEntryBody<'a> {
    #[serde(flatten)]
    origin: EntryOriginBody<'a>,
    #[serde(flatten)]
    event: EventBody<'a>,
}

impl<'a> From<&'a LogEntry> for LogEntryBody<'a> {
    fn from(entry: &'a LogEntry) -> Self {
        Self {
            origin: EntryOriginBody {
                sequence: entry.sequence,
                at: entry.at,
                command_id: entry.command_id,
                component: entry.component,
                caller: entry.caller.as_deref().unwrap_or(Identity::ANONYMOUS.subject()),
                reason: entry.reason.as_deref(),
                reference: entry.reference.as_deref(),
            },
            event: (&entry.event).into(),
        }
    }
}

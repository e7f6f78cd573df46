//! Conversions between rows of the database and the host's values.

use super::handles::{ReservationHandle, StockHandle, Stored, StoredReservation};
use crate::model::{
    Digest, DomainEvent, DomainEventKind, Event, EventKind, Level, LogEntry, Reservation,
    ReservationEvent, ReservationEventKind, ReservationLine, ReservationState, ReservationStatus,
    Stock, StockEvent, StockEventKind, StockKey,
};

use rusqlite::{
    Row,
    types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Type, ValueRef},
};
use std::sync::Arc;
use uuid::Uuid;

/// An unsigned number, stored as one of SQLite's signed integers. Every number of the host is below
/// 2^63; a larger one is an error.
pub(super) struct Unsigned(pub(super) u64);

impl ToSql for Unsigned {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let signed = i64::try_from(self.0)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        Ok(ToSqlOutput::from(signed))
    }
}

impl FromSql for Unsigned {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let signed = value.as_i64()?;
        u64::try_from(signed).map(Self).map_err(|_| FromSqlError::OutOfRange(signed))
    }
}

/// The unsigned number in a column.
pub(super) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, Unsigned>(column).map(|number| number.0)
}

/// The unsigned number in a column that may be NULL.
pub(super) fn optional(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<u64>> {
    Ok(row.get::<_, Option<Unsigned>>(column)?.map(|number| number.0))
}

/// The error for a column whose value is not valid.
pub(super) fn invalid_column(column: usize, what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Null, what.to_owned().into())
}

/// The columns of a stock, in the order in which [`stored`] reads them.
pub(super) const STORED_COLUMNS: &str = "stock_id, event_count, last_event, total, reserved, \
     unattributed, minimum, version, created_at, updated_at";

/// A stock from the columns [`STORED_COLUMNS`], the first of which has the index `first`.
pub(super) fn stored(row: &Row<'_>, first: usize) -> rusqlite::Result<Stored> {
    let handle = StockHandle {
        stock_id: row.get(first)?,
        event_count: unsigned(row, first + 1)?,
        last_event: unsigned(row, first + 2)?,
    };
    Ok(Stored { handle, stock: stock(row, first + 3)? })
}

fn stock(row: &Row<'_>, first: usize) -> rusqlite::Result<Stock> {
    Ok(Stock {
        level: Level {
            total: unsigned(row, first)?,
            reserved: unsigned(row, first + 1)?,
            unattributed: unsigned(row, first + 2)?,
            minimum: unsigned(row, first + 3)?,
            version: unsigned(row, first + 4)?,
        },
        due: 0,
        created_at: unsigned(row, first + 5)?,
        updated_at: unsigned(row, first + 6)?,
    })
}

/// A stock's key from two columns: the product's id at the index `first`, then the location's id.
pub(super) fn key(row: &Row<'_>, first: usize) -> rusqlite::Result<StockKey> {
    StockKey::parse(row.get(first)?, row.get(first + 1)?)
        .map_err(|error| invalid_column(first, &error.to_string()))
}

const STOCK_EVENT_KINDS: [(i64, StockEventKind); 8] = [
    (1, StockEventKind::InventoryAdjusted),
    (2, StockEventKind::InventoryReserved),
    (3, StockEventKind::InventoryReleased),
    (4, StockEventKind::InventoryFulfilled),
    (5, StockEventKind::InventoryTransferredOut),
    (6, StockEventKind::InventoryTransferredIn),
    (7, StockEventKind::LowStockDetected),
    (8, StockEventKind::LowStockResolved),
];

const RESERVATION_EVENT_KINDS: [(i64, ReservationEventKind); 5] = [
    (17, ReservationEventKind::ReservationExtended),
    (18, ReservationEventKind::ReservationConfirmed),
    (19, ReservationEventKind::ReservationFulfilled),
    (20, ReservationEventKind::ReservationCancelled),
    (21, ReservationEventKind::ReservationExpired),
];

const DOMAIN_EVENT_KINDS: [(i64, DomainEventKind); 2] =
    [(33, DomainEventKind::DomainSwapped), (34, DomainEventKind::DomainRolledBack)];

const STATES: [(i64, ReservationState); 5] = [
    (1, ReservationState::Held),
    (2, ReservationState::Confirmed),
    (3, ReservationState::Fulfilled),
    (4, ReservationState::Cancelled),
    (5, ReservationState::Expired),
];

fn decode<T: Copy>(table: &[(i64, T)], number: i64) -> Option<T> {
    table.iter().find(|(known, _)| *known == number).map(|(_, value)| *value)
}

fn encode<T: PartialEq>(table: &[(i64, T)], value: &T) -> Option<i64> {
    table.iter().find(|(_, known)| known == value).map(|(number, _)| *number)
}

/// The number by which the database names a state of a reservation.
pub(super) fn state_number(state: ReservationState) -> Option<i64> {
    encode(&STATES, &state)
}

/// The number by which the database names a kind of event.
pub(super) fn kind_number(kind: EventKind) -> Option<i64> {
    match kind {
        EventKind::Stock(kind) => encode(&STOCK_EVENT_KINDS, &kind),
        EventKind::Reservation(kind) => encode(&RESERVATION_EVENT_KINDS, &kind),
        EventKind::Domain(kind) => encode(&DOMAIN_EVENT_KINDS, &kind),
    }
}

/// The columns of a reservation, in the order in which [`reservation`] reads them.
pub(super) const RESERVATION_COLUMNS: &str = "reservation_no, reservation_id, state, expires_at, \
     ttl_seconds, reference, version, created_at, updated_at, last_event";

/// A reservation without its lines, and its id, from the columns [`RESERVATION_COLUMNS`].
pub(super) fn reservation(row: &Row<'_>) -> rusqlite::Result<(String, StoredReservation)> {
    let state = decode(&STATES, row.get(2)?)
        .ok_or_else(|| invalid_column(2, "an unknown reservation state"))?;
    let status =
        ReservationStatus { state, expires_at: optional(row, 3)?, version: unsigned(row, 6)? };
    let reservation = Reservation {
        lines: Vec::new(),
        status,
        ttl_seconds: row.get(4)?,
        reference: row.get(5)?,
        created_at: unsigned(row, 7)?,
        updated_at: unsigned(row, 8)?,
    };
    let handle = ReservationHandle { number: row.get(0)?, last_event: optional(row, 9)? };
    Ok((row.get(1)?, StoredReservation { handle, reservation }))
}

/// A line of a reservation from the columns product, location, quantity, fulfilled, released and
/// expired.
pub(super) fn line(row: &Row<'_>) -> rusqlite::Result<ReservationLine> {
    Ok(ReservationLine {
        key: key(row, 0)?,
        quantity: unsigned(row, 2)?,
        fulfilled: unsigned(row, 3)?,
        released: unsigned(row, 4)?,
        expired: unsigned(row, 5)?,
    })
}

/// The columns of the table `event_row` that depend on the event itself. The columns of the log
/// entry and of the chains are not part of this type.
#[derive(Default)]
pub(super) struct EventRow<'a> {
    pub(super) kind: Option<i64>,
    pub(super) reservation_id: Option<&'a str>,
    pub(super) expires_at: Option<u64>,
    pub(super) quantity: Option<u64>,
    pub(super) counterpart_id: Option<&'a str>,
    pub(super) level: [Option<u64>; 4],
    pub(super) level_from: [Option<u64>; 4],
    pub(super) version: u64,
    pub(super) version_span: Option<u64>,
    pub(super) state: Option<i64>,
    pub(super) state_from: Option<i64>,
    pub(super) expires_at_from: Option<u64>,
}

fn numbers(level: &Level) -> [u64; 4] {
    [level.total, level.reserved, level.unattributed, level.minimum]
}

impl<'a> EventRow<'a> {
    pub(super) fn of(event: &'a Event) -> Self {
        match event {
            Event::Stock(event) => Self::of_stock(event),
            Event::Reservation(event) => Self::of_reservation(event),
            // The numbers of both components are columns of the log entry.
            Event::Domain(event) => {
                Self { kind: encode(&DOMAIN_EVENT_KINDS, &event.kind), ..Self::default() }
            }
        }
    }

    fn of_stock(event: &'a StockEvent) -> Self {
        let after = numbers(&event.to);
        let mut level_from = [None; 4];
        if let Some(from) = &event.from {
            for ((slot, before), after) in level_from.iter_mut().zip(numbers(from)).zip(after) {
                *slot = (before != after).then_some(before);
            }
        }
        Self {
            kind: encode(&STOCK_EVENT_KINDS, &event.kind),
            reservation_id: event.reservation_id.as_deref(),
            expires_at: event.expires_at,
            quantity: event.quantity,
            counterpart_id: event.counterpart_id.as_deref(),
            level: after.map(Some),
            level_from,
            version: event.to.version,
            version_span: event.from.map(|from| event.to.version.saturating_sub(from.version)),
            ..Self::default()
        }
    }

    fn of_reservation(event: &'a ReservationEvent) -> Self {
        Self {
            kind: encode(&RESERVATION_EVENT_KINDS, &event.kind),
            reservation_id: Some(&event.reservation_id),
            expires_at: event.to.expires_at,
            version: event.to.version,
            version_span: Some(event.to.version.saturating_sub(event.from.version)),
            state: encode(&STATES, &event.to.state),
            state_from: encode(&STATES, &event.from.state),
            expires_at_from: event.from.expires_at,
            ..Self::default()
        }
    }
}

/// The columns of a log entry, in the order in which [`log_entry`] reads them. Caller, reason and
/// reference are stored with the first event of a command.
pub(super) const LOG_COLUMNS: &str = "event.sequence, event.kind, event.at, component.digest, \
     event.command_id, coalesce(event.caller, first.caller), \
     coalesce(event.reason, first.reason), coalesce(event.reference, first.reference), \
     event.reservation_id, event.expires_at, event.quantity, event.counterpart_id, event.total, \
     event.reserved, event.unattributed, event.minimum, event.version, event.version_span, \
     event.total_from, event.reserved_from, event.unattributed_from, event.minimum_from, \
     event.state, event.state_from, event.expires_at_from, \
     (SELECT digest FROM component WHERE component_id = event.component_from)";

/// The tables that [`LOG_COLUMNS`] come from.
pub(super) const LOG_TABLES: &str = "event_row AS event JOIN component USING (component_id) \
     LEFT JOIN event_row AS first ON first.sequence = event.origin";

/// The number of [`LOG_COLUMNS`].
pub(super) const LOG_COLUMNS_COUNT: usize = 26;

/// A log entry from the columns [`LOG_COLUMNS`]. `key` is the stock of an event of a stock, and
/// `None` for every other event.
pub(super) fn log_entry(row: &Row<'_>, key: Option<StockKey>) -> rusqlite::Result<LogEntry> {
    let kind: i64 = row.get(1)?;
    let event = match (decode(&STOCK_EVENT_KINDS, kind), key) {
        (Some(kind), Some(key)) => Event::Stock(stock_event(row, kind, key)?),
        (None, _) => match decode(&DOMAIN_EVENT_KINDS, kind) {
            Some(kind) => {
                let (from, to) = (Digest(row.get(25)?), Digest(row.get(3)?));
                Event::Domain(DomainEvent { kind, from, to })
            }
            None => Event::Reservation(reservation_event(row, kind)?),
        },
        (Some(_), None) => return Err(invalid_column(1, "an event about a stock names none")),
    };
    let command_id: [u8; 16] = row.get(4)?;
    Ok(LogEntry {
        sequence: unsigned(row, 0)?,
        at: unsigned(row, 2)?,
        component: Digest(row.get(3)?),
        command_id: Uuid::from_bytes(command_id),
        caller: row.get::<_, Option<String>>(5)?.map(Arc::from),
        reason: row.get::<_, Option<String>>(6)?.map(Arc::from),
        reference: row.get::<_, Option<String>>(7)?.map(Arc::from),
        event,
    })
}

fn stock_event(row: &Row<'_>, kind: StockEventKind, key: StockKey) -> rusqlite::Result<StockEvent> {
    let to = Level {
        total: unsigned(row, 12)?,
        reserved: unsigned(row, 13)?,
        unattributed: unsigned(row, 14)?,
        minimum: unsigned(row, 15)?,
        version: unsigned(row, 16)?,
    };
    let from = match optional(row, 17)? {
        None => None,
        Some(span) => Some(Level {
            total: optional(row, 18)?.unwrap_or(to.total),
            reserved: optional(row, 19)?.unwrap_or(to.reserved),
            unattributed: optional(row, 20)?.unwrap_or(to.unattributed),
            minimum: optional(row, 21)?.unwrap_or(to.minimum),
            version: to.version.saturating_sub(span),
        }),
    };
    Ok(StockEvent {
        kind,
        key,
        quantity: optional(row, 10)?,
        reservation_id: row.get(8)?,
        expires_at: optional(row, 9)?,
        counterpart_id: row.get(11)?,
        from,
        to,
    })
}

fn reservation_event(row: &Row<'_>, kind: i64) -> rusqlite::Result<ReservationEvent> {
    let state = |column| {
        row.get::<_, i64>(column).and_then(|number| {
            decode(&STATES, number)
                .ok_or_else(|| invalid_column(column, "an unknown reservation state"))
        })
    };
    let version = unsigned(row, 16)?;
    Ok(ReservationEvent {
        kind: decode(&RESERVATION_EVENT_KINDS, kind)
            .ok_or_else(|| invalid_column(1, "an unknown kind of event"))?,
        reservation_id: row.get(8)?,
        to: ReservationStatus { state: state(22)?, expires_at: optional(row, 9)?, version },
        from: ReservationStatus {
            state: state(23)?,
            expires_at: optional(row, 24)?,
            version: version.saturating_sub(optional(row, 17)?.unwrap_or(1)),
        },
    })
}

//! Answers: the host's values as JSON bodies.

use super::conditional::etag;
use crate::model::{
    Event, Level, LogEntry, ReservationEventKind, ReservationState, ReservationStatus, StockEvent,
    StockEventKind, StockKey, StockView, Timestamp,
};
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde::{Serialize, Serializer};
use std::time::{Duration, UNIX_EPOCH};
use utoipa::ToSchema;

/// A stock: one product at one location.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "product_id": "sku-1", "location_id": "default", "total_quantity": 100,
    "reserved_quantity": 30, "available_quantity": 70, "minimum_stock_level": 20,
    "low_stock": false, "version": 4, "updated_at": "2026-11-23T09:30:00.125Z"
}))]
pub(super) struct StockBody<'a> {
    product_id: &'a str,
    location_id: &'a str,
    /// What is there.
    total_quantity: u64,
    /// What of it is spoken for.
    reserved_quantity: u64,
    /// What can still be reserved: total less reserved.
    available_quantity: u64,
    /// Below this many available the stock is low; 0: never.
    minimum_stock_level: u64,
    /// Whether it is low.
    low_stock: bool,
    /// Counts the accepted changes, from 1.
    version: u64,
    /// When it last changed (RFC 3339, UTC).
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl<'a> StockBody<'a> {
    pub(super) fn of(key: &'a StockKey, view: &StockView) -> Self {
        let level = view.stock.level;
        Self {
            product_id: key.product_id.as_str(),
            location_id: key.location_id.as_str(),
            total_quantity: level.total,
            reserved_quantity: level.reserved,
            available_quantity: view.available,
            minimum_stock_level: level.minimum,
            low_stock: view.low,
            version: level.version,
            updated_at: view.stock.updated_at,
        }
    }
}

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
        let state = match status.state {
            ReservationState::Held => "held",
            ReservationState::Confirmed => "confirmed",
            ReservationState::Fulfilled => "fulfilled",
            ReservationState::Cancelled => "cancelled",
            ReservationState::Expired => "expired",
        };
        Self { state, expires_at: status.expires_at, version: status.version }
    }
}

/// Before or after: the numbers of a stock, or the status of a reservation.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum BeforeOrAfter {
    Stock(LevelBody),
    Reservation(StatusBody),
}

/// An entry of the ledger: a fact, in the order in which the facts happened.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "sequence": 17, "type": "InventoryReserved", "at": "2026-11-23T09:30:00.125Z",
    "product_id": "sku-1", "location_id": "default", "reservation_id": null, "quantity": 3,
    "expires_at": null, "counterpart_location_id": null,
    "from": {"total_quantity": 100, "reserved_quantity": 27, "available_quantity": 73,
        "unattributed_quantity": 27, "minimum_stock_level": 20, "version": 3},
    "to": {"total_quantity": 100, "reserved_quantity": 30, "available_quantity": 70,
        "unattributed_quantity": 30, "minimum_stock_level": 20, "version": 4},
    "reason": null, "reference": "order-7", "caller": null,
    "command_id": "019abc12-0000-7000-8000-000000000000",
    "component": "5d6a5f0c4f7c5d1f0b5e2a8f3f1f0a3c5d6a5f0c4f7c5d1f0b5e2a8f3f1f0a3c"
}))]
pub(super) struct EntryBody<'a> {
    /// Its number in the log of all facts: rising, without a gap there.
    sequence: u64,
    /// What happened, such as InventoryReserved or LowStockDetected.
    #[serde(rename = "type")]
    kind: &'static str,
    /// When (RFC 3339, UTC).
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
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
    reason: Option<&'a str>,
    reference: Option<&'a str>,
    caller: Option<&'a str>,
    /// The command that produced it (UUID).
    command_id: String,
    /// SHA-256 of the component that decided it, in hexadecimal.
    component: String,
}

impl<'a> EntryBody<'a> {
    pub(super) fn of(entry: &'a LogEntry) -> Self {
        let stock = match &entry.event {
            Event::Stock(event) => Some(event),
            Event::Reservation(_) => None,
        };
        let (kind, reservation_id, from, to) = match &entry.event {
            Event::Stock(StockEvent { kind, reservation_id, from, to, .. }) => (
                stock_event_name(*kind),
                reservation_id.as_deref(),
                from.map(|from| BeforeOrAfter::Stock(from.into())),
                BeforeOrAfter::Stock((*to).into()),
            ),
            Event::Reservation(event) => (
                reservation_event_name(event.kind),
                Some(event.reservation_id.as_str()),
                Some(BeforeOrAfter::Reservation(event.from.into())),
                BeforeOrAfter::Reservation(event.to.into()),
            ),
        };
        Self {
            sequence: entry.sequence,
            kind,
            at: entry.at,
            product_id: stock.map(|event| event.key.product_id.as_str()),
            location_id: stock.map(|event| event.key.location_id.as_str()),
            reservation_id,
            quantity: stock.and_then(|event| event.quantity),
            expires_at: stock.and_then(|event| event.expires_at),
            counterpart_location_id: stock.and_then(|event| event.counterpart_id.as_deref()),
            from,
            to,
            reason: entry.reason.as_deref(),
            reference: entry.reference.as_deref(),
            caller: entry.caller.as_deref(),
            command_id: entry.command_id.to_string(),
            component: entry.component.to_string(),
        }
    }
}

fn stock_event_name(kind: StockEventKind) -> &'static str {
    match kind {
        StockEventKind::InventoryAdjusted => "InventoryAdjusted",
        StockEventKind::InventoryReserved => "InventoryReserved",
        StockEventKind::InventoryReleased => "InventoryReleased",
        StockEventKind::InventoryFulfilled => "InventoryFulfilled",
        StockEventKind::InventoryTransferredOut | StockEventKind::InventoryTransferredIn => {
            "InventoryTransferred"
        }
        StockEventKind::LowStockDetected => "LowStockDetected",
        StockEventKind::LowStockResolved => "LowStockResolved",
    }
}

fn reservation_event_name(kind: ReservationEventKind) -> &'static str {
    match kind {
        ReservationEventKind::ReservationExtended => "ReservationExtended",
        ReservationEventKind::ReservationConfirmed => "ReservationConfirmed",
        ReservationEventKind::ReservationFulfilled => "ReservationFulfilled",
        ReservationEventKind::ReservationCancelled => "ReservationCancelled",
        ReservationEventKind::ReservationExpired => "ReservationExpired",
    }
}

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(super) struct PageBody<T> {
    pub(super) items: Vec<T>,
    /// Give it as `cursor` to read on; null at the end.
    pub(super) next_cursor: Option<String>,
}

fn rfc3339<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    // Far beyond any clock, but within what can be written.
    const LAST_MS: u64 = 253_402_300_799_999;
    let time = UNIX_EPOCH + Duration::from_millis((*at).min(LAST_MS));
    serializer.collect_str(&humantime::format_rfc3339_millis(time))
}

#[allow(clippy::ref_option, reason = "serde's signature")]
fn optional_rfc3339<S: Serializer>(
    at: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => rfc3339(at, serializer),
        None => serializer.serialize_none(),
    }
}

/// A JSON body.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => {
            let mut response = Response::new(Body::from(bytes));
            *response.status_mut() = status;
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            super::problem::Problem::new("internal-error", "the answer could not be written").into()
        }
    }
}

/// A stock and its entity tag.
pub(super) fn stock(status: StatusCode, key: &StockKey, view: &StockView) -> Response {
    let mut response = json(status, &StockBody::of(key, view));
    response.headers_mut().insert(header::ETAG, etag(view.stock.level.version));
    response
}

/// A page, and where there is a next one, a link to it (RFC 8288).
pub(super) fn page<T: Serialize>(
    uri: &axum::http::Uri,
    items: Vec<T>,
    next_cursor: Option<String>,
) -> Response {
    let link = next_cursor.as_deref().and_then(|cursor| next_link(uri, cursor));
    let mut response = json(StatusCode::OK, &PageBody { items, next_cursor });
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

fn next_link(uri: &axum::http::Uri, cursor: &str) -> Option<HeaderValue> {
    let kept = uri.query().unwrap_or_default().split('&');
    let kept: Vec<_> =
        kept.filter(|pair| !pair.is_empty() && !pair.starts_with("cursor=")).collect();
    let cursor = format!("cursor={cursor}");
    let query: Vec<_> = kept.into_iter().chain([cursor.as_str()]).collect();
    HeaderValue::try_from(format!("<{}?{}>; rel=\"next\"", uri.path(), query.join("&"))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_to_the_next_page_keeps_the_filters() {
        let uri = "/v1/inventory?limit=2&cursor=old&prefix=a".parse().unwrap();
        let link = next_link(&uri, "new").unwrap();
        assert_eq!(link, "</v1/inventory?limit=2&prefix=a&cursor=new>; rel=\"next\"");
    }

    #[test]
    fn times_are_rfc_3339() {
        #[derive(Serialize)]
        struct At(#[serde(serialize_with = "rfc3339")] u64);
        let text = |at| serde_json::to_string(&At(at)).unwrap();
        assert_eq!(text(0), "\"1970-01-01T00:00:00.000Z\"");
        assert_eq!(text(u64::MAX), "\"9999-12-31T23:59:59.999Z\"");
    }
}

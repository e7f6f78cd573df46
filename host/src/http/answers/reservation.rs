//! The JSON body of a reservation.

use super::tagged;
use crate::{
    http::{
        body::{Value, schema::described},
        buffered::BufferedResponse,
        conditional::Tag,
    },
    model::{Reservation, ReservationLine, ReservationState, Timestamp},
    wire::time::{optional_rfc3339, rfc3339},
};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema},
};

/// The units of one stock in a reservation.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct LineBody<'a> {
    product_id: &'a str,
    location_id: &'a str,
    /// The number of units that were reserved.
    quantity: u64,
    /// The number of units that are still held: `quantity` minus the other three.
    remaining_quantity: u64,
    /// The number of units that were fulfilled.
    fulfilled_quantity: u64,
    /// The number of units that were given back.
    released_quantity: u64,
    /// The number of units that expired.
    expired_quantity: u64,
}

impl<'a> LineBody<'a> {
    fn of(line: &'a ReservationLine) -> Self {
        Self {
            product_id: line.key.product_id.as_str(),
            location_id: line.key.location_id.as_str(),
            quantity: line.quantity,
            remaining_quantity: line.remaining().unwrap_or(0),
            fulfilled_quantity: line.fulfilled,
            released_quantity: line.released,
            expired_quantity: line.expired,
        }
    }
}

/// A reservation: units of one or more stocks that are set aside.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "reservation_id": "019abc12-0000-7000-8000-000000000000", "state": "held",
    "lines": [{"product_id": "sku-1", "location_id": "default", "quantity": 2,
        "remaining_quantity": 2, "fulfilled_quantity": 0, "released_quantity": 0,
        "expired_quantity": 0}],
    "reference": "order-7", "ttl_seconds": 900, "expires_at": "2026-11-23T09:45:00.125Z",
    "version": 1, "created_at": "2026-11-23T09:30:00.125Z",
    "updated_at": "2026-11-23T09:30:00.125Z"
}))]
pub(in crate::http) struct ReservationBody<'a> {
    reservation_id: &'a str,
    /// The state of the reservation.
    #[schema(schema_with = state)]
    state: &'static str,
    lines: Vec<LineBody<'a>>,
    /// The caller's name for the business transaction.
    reference: Option<&'a str>,
    /// The time to live that the reservation was made with, in seconds; null where it has none.
    ttl_seconds: Option<u32>,
    /// The time at which the hold expires (RFC 3339, UTC); null where it never does.
    #[serde(serialize_with = "optional_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// The version, which counts the accepted changes from 1.
    version: u64,
    /// The time at which the reservation was made (RFC 3339, UTC).
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The time of the last change (RFC 3339, UTC).
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

fn state() -> RefOr<Schema> {
    described(ReservationState::schema())
}

impl<'a> ReservationBody<'a> {
    pub(in crate::http) fn of(id: &'a str, it: &'a Reservation) -> Self {
        Self {
            reservation_id: id,
            state: it.status.state.name(),
            lines: it.lines.iter().map(LineBody::of).collect(),
            reference: it.reference.as_deref(),
            ttl_seconds: it.ttl_seconds,
            expires_at: it.status.expires_at,
            version: it.status.version,
            created_at: it.created_at,
            updated_at: it.updated_at,
        }
    }

    /// Returns the answer with the reservation and its entity tag.
    pub(in crate::http) fn respond(&self, status: StatusCode) -> BufferedResponse {
        tagged(status, self.tag(), self)
    }

    /// Returns the entity tag of the reservation as the body shows it. A hold that is due is shown
    /// as expired before its expiry is recorded; its last change is then earlier than its expiry.
    pub(in crate::http) fn tag(&self) -> Tag {
        let shown_only = self.state == ReservationState::Expired.name()
            && self.expires_at.is_some_and(|at| self.updated_at < at);
        let lines = self.lines.iter().filter(|_| shown_only);
        Tag { version: self.version, due_units: lines.map(|line| line.expired_quantity).sum() }
    }
}

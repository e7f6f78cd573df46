use super::tagged;
use crate::{
    http::{
        body::{Value, schema::described},
        conditional::Tag,
        whole::Whole,
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

/// What is reserved, or was, of one stock.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct LineBody<'a> {
    product_id: &'a str,
    location_id: &'a str,
    quantity: u64,
    /// What it still holds: the quantity less the other three.
    remaining_quantity: u64,
    fulfilled_quantity: u64,
    released_quantity: u64,
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

/// A reservation: units of one or more stocks, set aside.
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
    /// Where the reservation is in its life.
    #[schema(schema_with = state)]
    state: &'static str,
    lines: Vec<LineBody<'a>>,
    reference: Option<&'a str>,
    /// The time to live that it was made with; null: for good.
    ttl_seconds: Option<u32>,
    /// When the hold comes due (RFC 3339, UTC); null: never.
    #[serde(serialize_with = "optional_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Counts the accepted changes, from 1.
    version: u64,
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
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

    /// The reservation and its entity tag.
    pub(in crate::http) fn respond(&self, status: StatusCode) -> Whole {
        tagged(status, self.tag(), self)
    }

    /// The entity tag of what is shown. A hold that is due is shown as expired before that is
    /// recorded: then it has not changed since it came due.
    pub(in crate::http) fn tag(&self) -> Tag {
        let shown_only = self.state == ReservationState::Expired.name()
            && self.expires_at.is_some_and(|at| self.updated_at < at);
        let lines = self.lines.iter().filter(|_| shown_only);
        Tag { version: self.version, due_units: lines.map(|line| line.expired_quantity).sum() }
    }
}

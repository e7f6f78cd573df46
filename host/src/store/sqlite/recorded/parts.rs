//! The stored forms of keys, lines, stocks and reservations, which commands, decisions and states
//! contain.

use crate::model::{
    InvalidId, Level, LineRequest, LocationId, ProductId, Reservation, ReservationLine,
    ReservationState, ReservationStatus, Stock, StockKey, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A key of a stock.
#[derive(Serialize, Deserialize)]
pub(super) struct KeyRow<'a> {
    product_id: Cow<'a, str>,
    location_id: Cow<'a, str>,
}

impl<'a> From<&'a StockKey> for KeyRow<'a> {
    fn from(key: &'a StockKey) -> Self {
        Self {
            product_id: key.product_id.as_str().into(),
            location_id: key.location_id.as_str().into(),
        }
    }
}

impl TryFrom<KeyRow<'_>> for StockKey {
    type Error = InvalidId;

    fn try_from(row: KeyRow<'_>) -> Result<Self, InvalidId> {
        Ok(Self {
            product_id: ProductId::parse(row.product_id.into_owned())?,
            location_id: LocationId::parse(row.location_id.into_owned())?,
        })
    }
}

/// The lines that a command names.
pub(super) type LineRows<'a> = Vec<LineRow<'a>>;

/// A line of a command.
#[derive(Serialize, Deserialize)]
pub(super) struct LineRow<'a> {
    key: KeyRow<'a>,
    quantity: u64,
}

/// The stored form of a command's lines.
pub(super) fn line_rows(lines: &[LineRequest]) -> LineRows<'_> {
    lines.iter().map(LineRow::from).collect()
}

impl<'a> From<&'a LineRequest> for LineRow<'a> {
    fn from(line: &'a LineRequest) -> Self {
        Self { key: (&line.key).into(), quantity: line.quantity }
    }
}

/// The lines of a command from their stored form.
pub(super) fn lines(rows: LineRows<'_>) -> Result<Vec<LineRequest>, InvalidId> {
    let line =
        |row: LineRow<'_>| Ok(LineRequest { key: row.key.try_into()?, quantity: row.quantity });
    rows.into_iter().map(line).collect()
}

/// A stock without its key.
#[derive(Serialize, Deserialize)]
pub(super) struct StockRow {
    level: LevelRow,
    #[serde(default, skip_serializing_if = "is_zero")]
    due: u64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct LevelRow {
    total: u64,
    reserved: u64,
    unattributed: u64,
    minimum: u64,
    version: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(units: &u64) -> bool {
    *units == 0
}

impl From<Stock> for StockRow {
    fn from(stock: Stock) -> Self {
        let Stock { level, due, created_at, updated_at } = stock;
        let Level { total, reserved, unattributed, minimum, version } = level;
        let level = LevelRow { total, reserved, unattributed, minimum, version };
        Self { level, due, created_at, updated_at }
    }
}

impl From<StockRow> for Stock {
    fn from(row: StockRow) -> Self {
        let StockRow { level, due, created_at, updated_at } = row;
        let LevelRow { total, reserved, unattributed, minimum, version } = level;
        let level = Level { total, reserved, unattributed, minimum, version };
        Self { level, due, created_at, updated_at }
    }
}

/// A reservation without its id.
#[derive(Serialize, Deserialize)]
pub(super) struct ReservationRow<'a> {
    lines: Vec<ReservationLineRow<'a>>,
    status: StatusRow,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl_seconds: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<Cow<'a, str>>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct ReservationLineRow<'a> {
    key: KeyRow<'a>,
    quantity: u64,
    fulfilled: u64,
    released: u64,
    expired: u64,
}

#[derive(Serialize, Deserialize)]
struct StatusRow {
    state: StateRow,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StateRow {
    Held,
    Confirmed,
    Fulfilled,
    Cancelled,
    Expired,
}

impl<'a> From<&'a Reservation> for ReservationRow<'a> {
    fn from(reservation: &'a Reservation) -> Self {
        Self {
            lines: reservation.lines.iter().map(ReservationLineRow::from).collect(),
            status: reservation.status.into(),
            ttl_seconds: reservation.ttl_seconds,
            reference: reservation.reference.as_deref().map(Cow::Borrowed),
            created_at: reservation.created_at,
            updated_at: reservation.updated_at,
        }
    }
}

impl TryFrom<ReservationRow<'_>> for Reservation {
    type Error = InvalidId;

    fn try_from(row: ReservationRow<'_>) -> Result<Self, InvalidId> {
        Ok(Self {
            lines: row.lines.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            status: row.status.into(),
            ttl_seconds: row.ttl_seconds,
            reference: row.reference.map(Cow::into_owned),
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl<'a> From<&'a ReservationLine> for ReservationLineRow<'a> {
    fn from(line: &'a ReservationLine) -> Self {
        let ReservationLine { key, quantity, fulfilled, released, expired } = line;
        Self {
            key: key.into(),
            quantity: *quantity,
            fulfilled: *fulfilled,
            released: *released,
            expired: *expired,
        }
    }
}

impl TryFrom<ReservationLineRow<'_>> for ReservationLine {
    type Error = InvalidId;

    fn try_from(row: ReservationLineRow<'_>) -> Result<Self, InvalidId> {
        let ReservationLineRow { key, quantity, fulfilled, released, expired } = row;
        Ok(Self { key: key.try_into()?, quantity, fulfilled, released, expired })
    }
}

impl From<ReservationStatus> for StatusRow {
    fn from(status: ReservationStatus) -> Self {
        let ReservationStatus { state, expires_at, version } = status;
        let state = match state {
            ReservationState::Held => StateRow::Held,
            ReservationState::Confirmed => StateRow::Confirmed,
            ReservationState::Fulfilled => StateRow::Fulfilled,
            ReservationState::Cancelled => StateRow::Cancelled,
            ReservationState::Expired => StateRow::Expired,
        };
        Self { state, expires_at, version }
    }
}

impl From<StatusRow> for ReservationStatus {
    fn from(row: StatusRow) -> Self {
        let StatusRow { state, expires_at, version } = row;
        let state = match state {
            StateRow::Held => ReservationState::Held,
            StateRow::Confirmed => ReservationState::Confirmed,
            StateRow::Fulfilled => ReservationState::Fulfilled,
            StateRow::Cancelled => ReservationState::Cancelled,
            StateRow::Expired => ReservationState::Expired,
        };
        Self { state, expires_at, version }
    }
}

//! The explanation of a decision.

use super::{
    command::{CommandBody, ids},
    effect::{EffectBody, StockStateBody, StoredStockBody, stored_stocks},
};
use crate::{
    http::answers::ReservationBody,
    model::{DeficitScan, Reservation, ReservationScan, StockKey, StockScan, Timestamp},
    replay::{Call, Explanation},
    wire::{
        EventBody, ReservationStateSchema,
        time::{optional_rfc3339, rfc3339},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

/// The decision behind an event, made again by the component that made it.
#[derive(Serialize, ToSchema)]
pub struct ExplanationBody<'a> {
    /// The number of the event in the log.
    sequence: u64,
    event: EventBody<'a>,
    /// The SHA-256 of the component that decided, in hexadecimal.
    component: String,
    /// The time of the decision (RFC 3339, UTC).
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    command: CommandBody<'a>,
    /// The calls of the host by the component, in order; at most 1,000.
    calls: Vec<CallBody<'a>>,
    /// The effect of the command when the component decides it now.
    decided: EffectBody<'a>,
    /// Whether that effect equals the recorded one.
    as_recorded: bool,
}

impl<'a> From<&'a Explanation> for ExplanationBody<'a> {
    fn from(it: &'a Explanation) -> Self {
        Self {
            sequence: it.sequence,
            event: (&it.event).into(),
            component: it.component.to_string(),
            at: it.at,
            command: (&it.command).into(),
            calls: it.calls.iter().map(CallBody::from).collect(),
            decided: (&it.decided).into(),
            as_recorded: it.as_recorded,
        }
    }
}

/// A call of the host by the component: the function's name in the contract, the arguments, and the
/// host's answer.
#[derive(Serialize, ToSchema)]
#[serde(tag = "function", rename_all = "kebab-case")]
enum CallBody<'a> {
    GetStock {
        product_id: &'a str,
        location_id: &'a str,
        /// Null where there is no such stock.
        found: Option<StockStateBody>,
    },
    PutStock {
        product_id: &'a str,
        location_id: &'a str,
        stock: StockStateBody,
    },
    ScanStocks {
        scan: StockScanBody<'a>,
        found: Vec<StoredStockBody<'a>>,
    },
    ScanDeficits {
        scan: DeficitScanBody<'a>,
        found: Vec<StoredStockBody<'a>>,
    },
    GetReservation {
        reservation_id: &'a str,
        /// Null where there is no such reservation.
        found: Option<ReservationBody<'a>>,
    },
    PutReservation {
        reservation: ReservationBody<'a>,
    },
    ScanReservations {
        scan: ReservationScanBody<'a>,
        found: Vec<ReservationBody<'a>>,
    },
    Publish {
        events: Vec<EventBody<'a>>,
    },
}

impl<'a> From<&'a Call> for CallBody<'a> {
    fn from(call: &'a Call) -> Self {
        match call {
            Call::GetStock { key, found } => {
                let (product_id, location_id) = ids(key);
                Self::GetStock { product_id, location_id, found: found.map(StockStateBody::from) }
            }
            Call::PutStock { key, stock } => {
                let (product_id, location_id) = ids(key);
                Self::PutStock { product_id, location_id, stock: (*stock).into() }
            }
            Call::ScanStocks { scan, found } => {
                Self::ScanStocks { scan: scan.into(), found: stored_stocks(found) }
            }
            Call::ScanDeficits { scan, found } => {
                Self::ScanDeficits { scan: scan.into(), found: stored_stocks(found) }
            }
            Call::GetReservation { id, found } => Self::GetReservation {
                reservation_id: id,
                found: found.as_ref().map(|it| ReservationBody::of(id, it)),
            },
            Call::PutReservation { id, reservation } => {
                Self::PutReservation { reservation: ReservationBody::of(id, reservation) }
            }
            Call::ScanReservations { scan, found } => {
                Self::ScanReservations { scan: scan.into(), found: reservations(found) }
            }
            Call::Publish { events } => {
                Self::Publish { events: events.iter().map(EventBody::from).collect() }
            }
        }
    }
}

fn reservations(found: &[(String, Reservation)]) -> Vec<ReservationBody<'_>> {
    found.iter().map(|(id, it)| ReservationBody::of(id, it)).collect()
}

/// A position in the order of keys.
#[derive(Serialize, ToSchema)]
struct StockKeyBody<'a> {
    product_id: &'a str,
    location_id: &'a str,
}

impl<'a> From<&'a StockKey> for StockKeyBody<'a> {
    fn from(key: &'a StockKey) -> Self {
        let (product_id, location_id) = ids(key);
        Self { product_id, location_id }
    }
}

/// A scan of stocks in the order of their keys. A condition that is null excludes no stock.
#[derive(Serialize, ToSchema)]
struct StockScanBody<'a> {
    location_id: Option<&'a str>,
    product_prefix: Option<&'a str>,
    below_minimum: bool,
    /// The key after which the scan begins.
    after: Option<StockKeyBody<'a>>,
    limit: u32,
}

impl<'a> From<&'a StockScan> for StockScanBody<'a> {
    fn from(scan: &'a StockScan) -> Self {
        Self {
            location_id: scan.location_id.as_deref(),
            product_prefix: scan.product_prefix.as_deref(),
            below_minimum: scan.below_minimum,
            after: scan.after.as_ref().map(StockKeyBody::from),
            limit: scan.limit,
        }
    }
}

/// A scan of stocks below their minimum, the largest deficit first.
#[derive(Serialize, ToSchema)]
struct DeficitScanBody<'a> {
    location_id: Option<&'a str>,
    /// The place after which the scan begins.
    after: Option<DeficitPositionBody<'a>>,
    limit: u32,
}

/// A place in the order of deficits.
#[derive(Serialize, ToSchema)]
struct DeficitPositionBody<'a> {
    deficit_quantity: u64,
    product_id: &'a str,
    location_id: &'a str,
}

impl<'a> From<&'a DeficitScan> for DeficitScanBody<'a> {
    fn from(scan: &'a DeficitScan) -> Self {
        let after = scan.after.as_ref().map(|it| {
            let (product_id, location_id) = ids(&it.key);
            DeficitPositionBody { deficit_quantity: it.deficit, product_id, location_id }
        });
        Self { location_id: scan.location_id.as_deref(), after, limit: scan.limit }
    }
}

/// A scan of reservations, the newest first. A condition that is null excludes no reservation.
#[derive(Serialize, ToSchema)]
struct ReservationScanBody<'a> {
    product_id: Option<&'a str>,
    location_id: Option<&'a str>,
    #[schema(value_type = Option<ReservationStateSchema>)]
    state: Option<&'static str>,
    reference: Option<&'a str>,
    #[serde(serialize_with = "optional_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_before: Option<Timestamp>,
    /// The position after which the scan begins.
    after: Option<u64>,
    limit: u32,
}

impl<'a> From<&'a ReservationScan> for ReservationScanBody<'a> {
    fn from(scan: &'a ReservationScan) -> Self {
        let filter = &scan.filter;
        Self {
            product_id: filter.product_id.as_ref().map(|id| id.as_str()),
            location_id: filter.location_id.as_ref().map(|id| id.as_str()),
            state: filter.state.map(|state| state.name()),
            reference: filter.reference.as_deref(),
            expires_before: filter.expires_before,
            after: scan.after,
            limit: scan.limit,
        }
    }
}

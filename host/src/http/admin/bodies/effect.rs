//! Decisions with their writes and their events.

use super::command::ids;
use crate::{
    comparison::Effect,
    http::answers::ReservationBody,
    model::{Decided, Detail, Outcome, Stock, StockKey, StockView, Timestamp, Value},
    wire::{EventBody, LevelBody, time::rfc3339},
};
use serde::Serialize;
use utoipa::ToSchema;

/// The effect of a command: the component's decision, its writes and its events.
#[derive(Serialize, ToSchema)]
pub(super) struct EffectBody<'a> {
    decision: DecisionBody<'a>,
    /// The stocks that the component writes.
    stocks: Vec<StoredStockBody<'a>>,
    /// The reservations that the component writes.
    reservations: Vec<ReservationBody<'a>>,
    /// The events that the component publishes.
    events: Vec<EventBody<'a>>,
}

impl<'a> From<&'a Effect> for EffectBody<'a> {
    fn from(effect: &'a Effect) -> Self {
        let reservations = effect.reservations.iter();
        Self {
            decision: (&effect.decision).into(),
            stocks: stored_stocks(&effect.stocks),
            reservations: reservations.map(|(id, it)| ReservationBody::of(id, it)).collect(),
            events: effect.events.iter().map(EventBody::from).collect(),
        }
    }
}

/// A decision.
#[derive(Serialize, ToSchema)]
#[serde(tag = "result", rename_all = "kebab-case")]
enum DecisionBody<'a> {
    /// The component accepted the command.
    Accepted { outcome: OutcomeBody<'a> },
    /// The component refused the command.
    Rejected {
        /// The stable code of the rejection.
        code: &'a str,
        /// One sentence for a person.
        message: &'a str,
        /// The facts behind the rejection.
        details: Vec<DetailBody<'a>>,
    },
    /// The component failed.
    Fault {
        /// The description of the fault.
        fault: &'a str,
    },
}

impl<'a> From<&'a Decided> for DecisionBody<'a> {
    fn from(decided: &'a Decided) -> Self {
        match decided {
            Decided::Accepted(outcome) => Self::Accepted { outcome: outcome.into() },
            Decided::Rejected(rejection) => Self::Rejected {
                code: &rejection.code,
                message: &rejection.message,
                details: rejection.details.iter().map(DetailBody::from).collect(),
            },
            Decided::Fault(fault) => Self::Fault { fault },
        }
    }
}

/// The answer of an accepted command.
#[derive(Serialize, ToSchema)]
#[serde(tag = "about", rename_all = "kebab-case")]
enum OutcomeBody<'a> {
    /// A command on one stock.
    Stock {
        /// The stock after the command.
        stock: StockViewBody,
        /// Whether the command created the stock.
        created: bool,
    },
    /// A transfer.
    Transfer {
        /// The stock that the units left, after the command.
        source: StockViewBody,
        /// The stock that the units arrived at, after the command.
        target: StockViewBody,
    },
    /// A command on one reservation.
    Reservation {
        /// The reservation after the command.
        reservation: ReservationBody<'a>,
        /// Whether the command created the reservation.
        created: bool,
    },
}

impl<'a> From<&'a Outcome> for OutcomeBody<'a> {
    fn from(outcome: &'a Outcome) -> Self {
        match outcome {
            Outcome::Stock { view, created } => {
                Self::Stock { stock: (*view).into(), created: *created }
            }
            Outcome::Transfer { source, target } => {
                Self::Transfer { source: (*source).into(), target: (*target).into() }
            }
            Outcome::Reservation { id, reservation, created } => Self::Reservation {
                reservation: ReservationBody::of(id, reservation),
                created: *created,
            },
        }
    }
}

/// A stock in the answer of a component.
#[derive(Serialize, ToSchema)]
struct StockViewBody {
    stock: StockStateBody,
    /// The units that are promised, without those of holds which are due.
    reserved_quantity: u64,
    /// The units that can still be reserved.
    available_quantity: u64,
    /// Whether the component judges the stock low.
    low_stock: bool,
}

impl From<StockView> for StockViewBody {
    fn from(view: StockView) -> Self {
        Self {
            stock: view.stock.into(),
            reserved_quantity: view.reserved,
            available_quantity: view.available,
            low_stock: view.low,
        }
    }
}

/// A stock as it is stored, without its key.
#[derive(Serialize, ToSchema)]
pub(super) struct StockStateBody {
    level: LevelBody,
    /// The units of the reserved quantity that belong to holds which are due.
    due_quantity: u64,
    /// The time at which the stock was created (RFC 3339, UTC).
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The time at which the level last changed (RFC 3339, UTC).
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Stock> for StockStateBody {
    fn from(stock: Stock) -> Self {
        let Stock { level, due, created_at, updated_at } = stock;
        Self { level: level.into(), due_quantity: due, created_at, updated_at }
    }
}

/// A stock as it is stored.
#[derive(Serialize, ToSchema)]
pub(super) struct StoredStockBody<'a> {
    product_id: &'a str,
    location_id: &'a str,
    stock: StockStateBody,
}

pub(super) fn stored_stocks(stocks: &[(StockKey, Stock)]) -> Vec<StoredStockBody<'_>> {
    stocks.iter().map(|(key, stock)| StoredStockBody::of(key, *stock)).collect()
}

impl<'a> StoredStockBody<'a> {
    fn of(key: &'a StockKey, stock: Stock) -> Self {
        let (product_id, location_id) = ids(key);
        Self { product_id, location_id, stock: stock.into() }
    }
}

/// A named fact behind a rejection.
#[derive(Serialize, ToSchema)]
struct DetailBody<'a> {
    /// The index of the command's line that the fact is about; null where the fact is about the
    /// whole command.
    line: Option<u32>,
    /// The name of the fact, in `snake_case`.
    name: &'a str,
    value: ValueBody<'a>,
}

impl<'a> From<&'a Detail> for DetailBody<'a> {
    fn from(detail: &'a Detail) -> Self {
        let value = match &detail.value {
            Value::Text(text) => ValueBody::Text(text),
            Value::Unsigned(number) => ValueBody::Unsigned(*number),
            Value::Signed(number) => ValueBody::Signed(*number),
            Value::Flag(flag) => ValueBody::Flag(*flag),
        };
        Self { line: detail.line, name: &detail.name, value }
    }
}

/// A text, a number, or a truth value.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum ValueBody<'a> {
    Text(&'a str),
    Unsigned(u64),
    Signed(i64),
    Flag(bool),
}

//! The stored form of a decision, and of the state before it.

use super::parts::{KeyRow, ReservationRow, StockRow};
use crate::model::{
    Decided, Detail, InvalidId, Outcome, Rejection, Reservation, StateBefore, StockView, Value,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The stored form of a decision.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum DecidedRow<'a> {
    Accepted(OutcomeRow<'a>),
    Rejected(RejectionRow<'a>),
    Fault(Cow<'a, str>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OutcomeRow<'a> {
    Stock { view: ViewRow, created: bool },
    Transfer { source: ViewRow, target: ViewRow },
    Reservation { id: Cow<'a, str>, reservation: ReservationRow<'a>, created: bool },
}

#[derive(Serialize, Deserialize)]
pub(super) struct ViewRow {
    stock: StockRow,
    reserved: u64,
    available: u64,
    low: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) struct RejectionRow<'a> {
    code: Cow<'a, str>,
    message: Cow<'a, str>,
    details: Vec<DetailRow<'a>>,
}

#[derive(Serialize, Deserialize)]
struct DetailRow<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    name: Cow<'a, str>,
    value: ValueRow<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ValueRow<'a> {
    Text(Cow<'a, str>),
    Unsigned(u64),
    Signed(i64),
    Flag(bool),
}

/// The stored form of the stocks and reservations that a command wrote, as they were before it.
#[derive(Serialize, Deserialize)]
pub(super) struct StateBeforeRow<'a> {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    stocks: Vec<(KeyRow<'a>, Option<StockRow>)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reservations: Vec<(Cow<'a, str>, Option<ReservationRow<'a>>)>,
}

impl<'a> From<&'a Decided> for DecidedRow<'a> {
    fn from(decided: &'a Decided) -> Self {
        match decided {
            Decided::Accepted(outcome) => Self::Accepted(outcome.into()),
            Decided::Rejected(rejection) => Self::Rejected(rejection.into()),
            Decided::Fault(fault) => Self::Fault(fault.into()),
        }
    }
}

impl TryFrom<DecidedRow<'_>> for Decided {
    type Error = InvalidId;

    fn try_from(row: DecidedRow<'_>) -> Result<Self, InvalidId> {
        Ok(match row {
            DecidedRow::Accepted(outcome) => Self::Accepted(outcome.try_into()?),
            DecidedRow::Rejected(rejection) => Self::Rejected(rejection.into()),
            DecidedRow::Fault(fault) => Self::Fault(fault.into_owned()),
        })
    }
}

impl<'a> From<&'a Outcome> for OutcomeRow<'a> {
    fn from(outcome: &'a Outcome) -> Self {
        match outcome {
            Outcome::Stock { view, created } => {
                Self::Stock { view: (*view).into(), created: *created }
            }
            Outcome::Transfer { source, target } => {
                Self::Transfer { source: (*source).into(), target: (*target).into() }
            }
            Outcome::Reservation { id, reservation, created } => Self::Reservation {
                id: id.into(),
                reservation: reservation.as_ref().into(),
                created: *created,
            },
        }
    }
}

impl TryFrom<OutcomeRow<'_>> for Outcome {
    type Error = InvalidId;

    fn try_from(row: OutcomeRow<'_>) -> Result<Self, InvalidId> {
        Ok(match row {
            OutcomeRow::Stock { view, created } => Self::Stock { view: view.into(), created },
            OutcomeRow::Transfer { source, target } => {
                Self::Transfer { source: source.into(), target: target.into() }
            }
            OutcomeRow::Reservation { id, reservation, created } => Self::Reservation {
                id: id.into_owned(),
                reservation: Box::new(reservation.try_into()?),
                created,
            },
        })
    }
}

impl From<StockView> for ViewRow {
    fn from(view: StockView) -> Self {
        let StockView { stock, reserved, available, low } = view;
        Self { stock: stock.into(), reserved, available, low }
    }
}

impl From<ViewRow> for StockView {
    fn from(row: ViewRow) -> Self {
        let ViewRow { stock, reserved, available, low } = row;
        Self { stock: stock.into(), reserved, available, low }
    }
}

impl<'a> From<&'a Rejection> for RejectionRow<'a> {
    fn from(rejection: &'a Rejection) -> Self {
        Self {
            code: (&rejection.code).into(),
            message: (&rejection.message).into(),
            details: rejection.details.iter().map(DetailRow::from).collect(),
        }
    }
}

impl From<RejectionRow<'_>> for Rejection {
    fn from(row: RejectionRow<'_>) -> Self {
        Self {
            code: row.code.into_owned(),
            message: row.message.into_owned(),
            details: row.details.into_iter().map(Detail::from).collect(),
        }
    }
}

impl<'a> From<&'a Detail> for DetailRow<'a> {
    fn from(detail: &'a Detail) -> Self {
        let value = match &detail.value {
            Value::Text(text) => ValueRow::Text(text.into()),
            Value::Unsigned(number) => ValueRow::Unsigned(*number),
            Value::Signed(number) => ValueRow::Signed(*number),
            Value::Flag(flag) => ValueRow::Flag(*flag),
        };
        Self { line: detail.line, name: (&detail.name).into(), value }
    }
}

impl From<DetailRow<'_>> for Detail {
    fn from(row: DetailRow<'_>) -> Self {
        let value = match row.value {
            ValueRow::Text(text) => Value::Text(text.into_owned()),
            ValueRow::Unsigned(number) => Value::Unsigned(number),
            ValueRow::Signed(number) => Value::Signed(number),
            ValueRow::Flag(flag) => Value::Flag(flag),
        };
        Self { line: row.line, name: row.name.into_owned(), value }
    }
}

impl<'a> From<&'a StateBefore> for StateBeforeRow<'a> {
    fn from(state: &'a StateBefore) -> Self {
        let stocks = state.stocks.iter().map(|(key, stock)| (key.into(), stock.map(Into::into)));
        let reservations =
            state.reservations.iter().map(|(id, it)| (id.into(), it.as_ref().map(Into::into)));
        Self { stocks: stocks.collect(), reservations: reservations.collect() }
    }
}

impl TryFrom<StateBeforeRow<'_>> for StateBefore {
    type Error = InvalidId;

    fn try_from(row: StateBeforeRow<'_>) -> Result<Self, InvalidId> {
        let stocks =
            row.stocks.into_iter().map(|(key, stock)| Ok((key.try_into()?, stock.map(Into::into))));
        let reservations = row
            .reservations
            .into_iter()
            .map(|(id, it)| Ok((id.into_owned(), it.map(Reservation::try_from).transpose()?)));
        Ok(Self {
            stocks: stocks.collect::<Result<_, _>>()?,
            reservations: reservations.collect::<Result<_, _>>()?,
        })
    }
}

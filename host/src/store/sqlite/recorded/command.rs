//! The stored form of a command.

use super::parts::{KeyRow, LineRows, line_rows, lines};
use crate::model::{Action, Command, InvalidId, LocationId, Origin, Precondition, ProductId};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use uuid::Uuid;

/// The stored form of a command.
#[derive(Serialize, Deserialize)]
pub(super) struct CommandRow<'a> {
    id: Uuid,
    origin: OriginRow<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    precondition: Option<PreconditionRow<'a>>,
    action: ActionRow<'a>,
}

#[derive(Serialize, Deserialize)]
struct OriginRow<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    caller: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum PreconditionRow<'a> {
    Exists,
    Absent,
    VersionIn(Cow<'a, [u64]>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ActionRow<'a> {
    AdjustSet {
        key: KeyRow<'a>,
        total: u64,
        minimum: Option<u64>,
    },
    AdjustBy {
        key: KeyRow<'a>,
        delta: i64,
    },
    Reserve {
        key: KeyRow<'a>,
        quantity: u64,
    },
    Release {
        key: KeyRow<'a>,
        quantity: u64,
    },
    Transfer {
        product_id: Cow<'a, str>,
        from: Cow<'a, str>,
        to: Cow<'a, str>,
        quantity: u64,
    },
    Hold {
        id: Cow<'a, str>,
        lines: LineRows<'a>,
        ttl_seconds: Option<u32>,
    },
    Replace {
        id: Cow<'a, str>,
        lines: LineRows<'a>,
    },
    Extend {
        id: Cow<'a, str>,
        ttl_seconds: u32,
    },
    Confirm {
        id: Cow<'a, str>,
    },
    /// Form 1 spells this `fulfil`.
    #[serde(alias = "fulfil")]
    Fulfill {
        id: Cow<'a, str>,
        lines: Option<LineRows<'a>>,
    },
    Cancel {
        id: Cow<'a, str>,
        lines: Option<LineRows<'a>>,
    },
    Expire {
        id: Cow<'a, str>,
    },
}

impl<'a> From<&'a Command> for CommandRow<'a> {
    fn from(command: &'a Command) -> Self {
        let Command { id, origin, precondition, action } = command;
        Self {
            id: *id,
            origin: origin.into(),
            precondition: precondition.as_ref().map(PreconditionRow::from),
            action: action.into(),
        }
    }
}

impl TryFrom<CommandRow<'_>> for Command {
    type Error = InvalidId;

    fn try_from(row: CommandRow<'_>) -> Result<Self, InvalidId> {
        Ok(Self {
            id: row.id,
            origin: row.origin.into(),
            precondition: row.precondition.map(Precondition::from),
            action: row.action.try_into()?,
        })
    }
}

impl<'a> From<&'a Origin> for OriginRow<'a> {
    fn from(origin: &'a Origin) -> Self {
        Self {
            caller: origin.caller.as_deref().map(Cow::Borrowed),
            reason: origin.reason.as_deref().map(Cow::Borrowed),
            reference: origin.reference.as_deref().map(Cow::Borrowed),
        }
    }
}

impl From<OriginRow<'_>> for Origin {
    fn from(row: OriginRow<'_>) -> Self {
        Self {
            caller: row.caller.map(Into::into),
            reason: row.reason.map(Into::into),
            reference: row.reference.map(Into::into),
        }
    }
}

impl<'a> From<&'a Precondition> for PreconditionRow<'a> {
    fn from(precondition: &'a Precondition) -> Self {
        match precondition {
            Precondition::Exists => Self::Exists,
            Precondition::Absent => Self::Absent,
            Precondition::VersionIn(versions) => Self::VersionIn(versions.into()),
        }
    }
}

impl From<PreconditionRow<'_>> for Precondition {
    fn from(row: PreconditionRow<'_>) -> Self {
        match row {
            PreconditionRow::Exists => Self::Exists,
            PreconditionRow::Absent => Self::Absent,
            PreconditionRow::VersionIn(versions) => Self::VersionIn(versions.into_owned()),
        }
    }
}

impl<'a> From<&'a Action> for ActionRow<'a> {
    fn from(action: &'a Action) -> Self {
        match action {
            Action::AdjustSet { key, total, minimum } => {
                Self::AdjustSet { key: key.into(), total: *total, minimum: *minimum }
            }
            Action::AdjustBy { key, delta } => Self::AdjustBy { key: key.into(), delta: *delta },
            Action::Reserve { key, quantity } => {
                Self::Reserve { key: key.into(), quantity: *quantity }
            }
            Action::Release { key, quantity } => {
                Self::Release { key: key.into(), quantity: *quantity }
            }
            Action::Transfer { product_id, from, to, quantity } => Self::Transfer {
                product_id: product_id.as_str().into(),
                from: from.as_str().into(),
                to: to.as_str().into(),
                quantity: *quantity,
            },
            Action::Hold { id, lines, ttl_seconds } => {
                Self::Hold { id: id.into(), lines: line_rows(lines), ttl_seconds: *ttl_seconds }
            }
            Action::Replace { id, lines } => {
                Self::Replace { id: id.into(), lines: line_rows(lines) }
            }
            Action::Extend { id, ttl_seconds } => {
                Self::Extend { id: id.into(), ttl_seconds: *ttl_seconds }
            }
            Action::Confirm { id } => Self::Confirm { id: id.into() },
            Action::Fulfill { id, lines } => {
                Self::Fulfill { id: id.into(), lines: lines.as_deref().map(line_rows) }
            }
            Action::Cancel { id, lines } => {
                Self::Cancel { id: id.into(), lines: lines.as_deref().map(line_rows) }
            }
            Action::Expire { id } => Self::Expire { id: id.into() },
        }
    }
}

impl TryFrom<ActionRow<'_>> for Action {
    type Error = InvalidId;

    fn try_from(row: ActionRow<'_>) -> Result<Self, InvalidId> {
        Ok(match row {
            ActionRow::AdjustSet { key, total, minimum } => {
                Self::AdjustSet { key: key.try_into()?, total, minimum }
            }
            ActionRow::AdjustBy { key, delta } => Self::AdjustBy { key: key.try_into()?, delta },
            ActionRow::Reserve { key, quantity } => {
                Self::Reserve { key: key.try_into()?, quantity }
            }
            ActionRow::Release { key, quantity } => {
                Self::Release { key: key.try_into()?, quantity }
            }
            ActionRow::Transfer { product_id, from, to, quantity } => Self::Transfer {
                product_id: ProductId::parse(product_id.into_owned())?,
                from: LocationId::parse(from.into_owned())?,
                to: LocationId::parse(to.into_owned())?,
                quantity,
            },
            ActionRow::Hold { id, lines: rows, ttl_seconds } => {
                Self::Hold { id: id.into_owned(), lines: lines(rows)?, ttl_seconds }
            }
            ActionRow::Replace { id, lines: rows } => {
                Self::Replace { id: id.into_owned(), lines: lines(rows)? }
            }
            ActionRow::Extend { id, ttl_seconds } => {
                Self::Extend { id: id.into_owned(), ttl_seconds }
            }
            ActionRow::Confirm { id } => Self::Confirm { id: id.into_owned() },
            ActionRow::Fulfill { id, lines: rows } => {
                Self::Fulfill { id: id.into_owned(), lines: rows.map(lines).transpose()? }
            }
            ActionRow::Cancel { id, lines: rows } => {
                Self::Cancel { id: id.into_owned(), lines: rows.map(lines).transpose()? }
            }
            ActionRow::Expire { id } => Self::Expire { id: id.into_owned() },
        })
    }
}

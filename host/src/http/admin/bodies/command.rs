//! Commands, as operators see them.

use crate::model::{Action, Command, LineRequest, Precondition, StockKey};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A command.
#[derive(Serialize, ToSchema)]
pub(super) struct CommandBody<'a> {
    #[schema(value_type = String, format = "uuid")]
    id: Uuid,
    /// The caller who sent the command; null for an anonymous caller.
    caller: Option<&'a str>,
    /// The reason, in the caller's words.
    reason: Option<&'a str>,
    /// The caller's name for the business transaction.
    reference: Option<&'a str>,
    /// The condition without which the command changes nothing; null where there is none.
    precondition: Option<PreconditionBody<'a>>,
    action: ActionBody<'a>,
}

/// The condition without which a command changes nothing.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum PreconditionBody<'a> {
    /// The stock or reservation exists.
    Exists,
    /// The stock or reservation does not exist yet.
    Absent,
    /// The stock or reservation exists and has one of these versions.
    VersionIn {
        /// The versions.
        #[schema(value_type = Vec<u64>)]
        versions: &'a [u64],
    },
}

/// A quantity of one stock.
#[derive(Serialize, ToSchema)]
pub(super) struct CommandLineBody<'a> {
    product_id: &'a str,
    location_id: &'a str,
    quantity: u64,
}

/// The name of a command (`type`, as `POST /v1/batch` spells it) and its arguments.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(super) enum ActionBody<'a> {
    /// Sets the total of a stock.
    Set {
        product_id: &'a str,
        location_id: &'a str,
        total_quantity: u64,
        /// The minimum stock level; null where the command does not change it.
        minimum_stock_level: Option<u64>,
    },
    /// Changes the total of a stock.
    Adjust { product_id: &'a str, location_id: &'a str, delta: i64 },
    /// Reserves units of a stock.
    Reserve { product_id: &'a str, location_id: &'a str, quantity: u64 },
    /// Gives reserved units of a stock back.
    Release { product_id: &'a str, location_id: &'a str, quantity: u64 },
    /// Moves units from one location to another.
    Transfer {
        product_id: &'a str,
        from_location_id: &'a str,
        to_location_id: &'a str,
        quantity: u64,
    },
    /// Makes a reservation.
    Hold {
        reservation_id: &'a str,
        lines: Vec<CommandLineBody<'a>>,
        /// Null where the reservation never expires.
        ttl_seconds: Option<u32>,
    },
    /// Gives a reservation other lines.
    Replace { reservation_id: &'a str, lines: Vec<CommandLineBody<'a>> },
    /// Lets a reservation expire later.
    Extend { reservation_id: &'a str, ttl_seconds: u32 },
    /// Confirms a reservation.
    Confirm { reservation_id: &'a str },
    /// Takes units of a reservation out of stock.
    Fulfill {
        reservation_id: &'a str,
        /// Null for everything that is left.
        lines: Option<Vec<CommandLineBody<'a>>>,
    },
    /// Gives units of a reservation back.
    Cancel {
        reservation_id: &'a str,
        /// Null for everything that is left.
        lines: Option<Vec<CommandLineBody<'a>>>,
    },
    /// Gives back what is left of a hold that is due. The host itself sends this command.
    Expire { reservation_id: &'a str },
}

impl<'a> From<&'a Command> for CommandBody<'a> {
    fn from(command: &'a Command) -> Self {
        Self {
            id: command.id,
            caller: command.origin.caller.as_deref(),
            reason: command.origin.reason.as_deref(),
            reference: command.origin.reference.as_deref(),
            precondition: command.precondition.as_ref().map(PreconditionBody::from),
            action: (&command.action).into(),
        }
    }
}

impl<'a> From<&'a Precondition> for PreconditionBody<'a> {
    fn from(precondition: &'a Precondition) -> Self {
        match precondition {
            Precondition::Exists => Self::Exists,
            Precondition::Absent => Self::Absent,
            Precondition::VersionIn(versions) => Self::VersionIn { versions },
        }
    }
}

fn lines(lines: &[LineRequest]) -> Vec<CommandLineBody<'_>> {
    lines.iter().map(CommandLineBody::from).collect()
}

impl<'a> From<&'a LineRequest> for CommandLineBody<'a> {
    fn from(line: &'a LineRequest) -> Self {
        let (product_id, location_id) = ids(&line.key);
        Self { product_id, location_id, quantity: line.quantity }
    }
}

pub(super) fn ids(key: &StockKey) -> (&str, &str) {
    (key.product_id.as_str(), key.location_id.as_str())
}

impl<'a> From<&'a Action> for ActionBody<'a> {
    fn from(action: &'a Action) -> Self {
        match action {
            Action::AdjustSet { key, total, minimum } => {
                let (product_id, location_id) = ids(key);
                let (total_quantity, minimum_stock_level) = (*total, *minimum);
                Self::Set { product_id, location_id, total_quantity, minimum_stock_level }
            }
            Action::AdjustBy { key, delta } => {
                let (product_id, location_id) = ids(key);
                Self::Adjust { product_id, location_id, delta: *delta }
            }
            Action::Reserve { key, quantity } => {
                let (product_id, location_id) = ids(key);
                Self::Reserve { product_id, location_id, quantity: *quantity }
            }
            Action::Release { key, quantity } => {
                let (product_id, location_id) = ids(key);
                Self::Release { product_id, location_id, quantity: *quantity }
            }
            Action::Transfer { product_id, from, to, quantity } => Self::Transfer {
                product_id: product_id.as_str(),
                from_location_id: from.as_str(),
                to_location_id: to.as_str(),
                quantity: *quantity,
            },
            Action::Hold { id, lines: held, ttl_seconds } => {
                Self::Hold { reservation_id: id, lines: lines(held), ttl_seconds: *ttl_seconds }
            }
            Action::Replace { id, lines: held } => {
                Self::Replace { reservation_id: id, lines: lines(held) }
            }
            Action::Extend { id, ttl_seconds } => {
                Self::Extend { reservation_id: id, ttl_seconds: *ttl_seconds }
            }
            Action::Confirm { id } => Self::Confirm { reservation_id: id },
            Action::Fulfill { id, lines: some } => {
                Self::Fulfill { reservation_id: id, lines: some.as_deref().map(lines) }
            }
            Action::Cancel { id, lines: some } => {
                Self::Cancel { reservation_id: id, lines: some.as_deref().map(lines) }
            }
            Action::Expire { id } => Self::Expire { reservation_id: id },
        }
    }
}

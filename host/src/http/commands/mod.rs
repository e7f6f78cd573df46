//! Commands over HTTP: their bodies, and the actions that the bodies request. A single request and
//! a batch use the same types.

mod adjust;
mod answer;
mod batch;
mod confirm;
mod document;
mod extend;
mod hold;
mod incoming;
mod key;
mod quantity;
mod replace;
mod resolve;
mod set;
mod transfer;

pub(super) use adjust::AdjustBody;
#[cfg(test)]
pub(super) use batch::BatchBody;
pub(super) use batch::batch;
pub(super) use confirm::ConfirmBody;
pub(super) use document::{batch_document, document};
pub(super) use extend::ExtendBody;
pub(super) use hold::HoldBody;
#[cfg(test)]
pub(super) use incoming::CommandParams;
pub(super) use quantity::{ReleaseBody, ReserveBody};
pub(super) use replace::ReplaceBody;
pub(super) use resolve::{CancelBody, FulfillBody};
pub(super) use set::SetBody;
pub(super) use transfer::TransferBody;

use super::{
    App,
    body::{Object, Text, Value},
    input::{NoTarget, ReservationTarget, StockTarget, Target},
    openapi::Answer,
    problem::Problem,
};
use crate::{
    engine::Work,
    model::{
        Action, Command as ModelCommand, Identity, LocationId, Origin, Precondition, StockKey,
    },
};
use answer::AnswerKeys;
use axum::{extract::State, response::Response};
use incoming::Incoming;
use uuid::Uuid;

/// The texts about a command in the OpenAPI document.
pub(in crate::http) struct OperationDoc {
    /// The id of the operation.
    pub(in crate::http) id: &'static str,
    /// The summary, in one line.
    pub(in crate::http) summary: &'static str,
    /// The description.
    pub(in crate::http) description: &'static str,
}

/// The body of a command.
pub(super) trait Command: Object + Value + Send + Sync + 'static {
    /// The description of the command in the OpenAPI document.
    const DOC: OperationDoc;
    /// The kind of the answer to an accepted command.
    const ANSWER: Answer;
    /// Whether the command can create the stock or the reservation that it is answered with.
    const CREATES: bool = false;
    /// The command's `type` in a batch.
    const TYPE: &'static str;
    /// The target, which the path of a single request names, and a member of the command in a
    /// batch.
    type Target: Target;

    /// Returns the action that the body requests.
    fn into_request(self, target: Self::Target) -> ActionRequest;

    /// Returns whether a single request is refused because it lacks a precondition.
    fn lacks_precondition(_: &App, _: Option<&Precondition>) -> bool {
        false
    }
}

/// An action that a client has requested.
#[derive(Debug)]
pub(super) struct ActionRequest {
    /// The keys for the answer.
    keys: AnswerKeys,
    action: Action,
    reason: Option<Text>,
    reference: Option<Text>,
}

impl ActionRequest {
    /// Creates the request of an action on one stock.
    fn on_stock(
        target: StockTarget,
        location_id: Option<LocationId>,
        reason: Option<Text>,
        reference: Option<Text>,
        action: impl FnOnce(StockKey) -> Action,
    ) -> Self {
        let location_id = location_id.unwrap_or_default();
        let key = StockKey { product_id: target.product_id, location_id };
        Self { keys: AnswerKeys::Stock(key.clone()), action: action(key), reason, reference }
    }

    /// Creates the request of an action on one reservation.
    fn on_reservation(reason: Option<Text>, reference: Option<Text>, action: Action) -> Self {
        Self { keys: AnswerKeys::Reservation, action, reason, reference }
    }

    /// Returns the command of a caller, under a new id, and the keys for its answer.
    fn command(
        self,
        identity: &Identity,
        precondition: Option<Precondition>,
    ) -> (AnswerKeys, ModelCommand) {
        let origin = Origin {
            reason: self.reason.map(|text| text.0.into()),
            reference: self.reference.map(|text| text.0.into()),
            ..Origin::of(identity)
        };
        let command =
            ModelCommand { id: Uuid::now_v7(), origin, precondition, action: self.action };
        (self.keys, command)
    }
}

/// Handles a request for a single command.
pub(super) async fn command<C: Command>(
    State(app): State<App>,
    incoming: Incoming<C::Target, C>,
) -> Result<Response, Problem> {
    let Incoming { target, body, terms, .. } = incoming;
    if C::lacks_precondition(&app, terms.precondition.as_ref()) {
        let detail = "send If-Match with the stock's ETag, or If-None-Match: * to create it";
        return Err(Problem::new("precondition-required", detail));
    }
    let (keys, command) =
        body.into_request(target).command(&terms.identity, terms.precondition.clone());
    Ok(incoming::execute(&app, terms, keys, Work::One(command)).await)
}

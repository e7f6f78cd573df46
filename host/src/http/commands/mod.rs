//! Commands over HTTP: one file per command, with its body and the action that the body asks for.
//! A single request and a batch use the same types.

mod about;
mod adjust;
mod answer;
mod batch;
mod cancel;
mod confirm;
mod document;
mod extend;
mod fulfill;
mod hold;
mod incoming;
mod key;
mod release;
mod replace;
mod reserve;
mod set;
mod transfer;

pub(super) use about::About;
pub(super) use adjust::AdjustBody;
#[cfg(test)]
pub(super) use batch::BatchBody;
pub(super) use batch::batch;
pub(super) use cancel::CancelBody;
pub(super) use confirm::ConfirmBody;
pub(super) use document::{batch_document, document};
pub(super) use extend::ExtendBody;
pub(super) use fulfill::FulfillBody;
pub(super) use hold::HoldBody;
#[cfg(test)]
pub(super) use incoming::CommandParams;
pub(super) use release::ReleaseBody;
pub(super) use replace::ReplaceBody;
pub(super) use reserve::ReserveBody;
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
use answer::Subject;
use axum::{extract::State, response::Response};
use incoming::Incoming;
use uuid::Uuid;

/// The body of a command.
pub(super) trait Command: Object + Value + Send + Sync + 'static {
    /// How the document speaks of the command.
    const ABOUT: About;
    /// What the command is answered with.
    const ANSWER: Answer;
    /// Whether the command can create what it is answered with.
    const CREATES: bool = false;
    /// The command's `type` in a batch.
    const TYPE: &'static str;
    /// What the path of a single request names, and what a member of the command names in a batch.
    type Target: Target;

    /// The action that the command asks for.
    fn ask(self, target: Self::Target) -> Asked;

    /// Whether a single request is refused because it has no precondition.
    fn lacks_precondition(_: &App, _: Option<&Precondition>) -> bool {
        false
    }
}

/// What a command asks for.
#[derive(Debug)]
pub(super) struct Asked {
    subject: Subject,
    action: Action,
    reason: Option<Text>,
    reference: Option<Text>,
}

impl Asked {
    /// An action on one stock.
    fn on_stock(
        target: StockTarget,
        location_id: Option<LocationId>,
        reason: Option<Text>,
        reference: Option<Text>,
        action: impl FnOnce(StockKey) -> Action,
    ) -> Self {
        let location_id = location_id.unwrap_or_default();
        let key = StockKey { product_id: target.product_id, location_id };
        Self { subject: Subject::Stock(key.clone()), action: action(key), reason, reference }
    }

    /// An action on one reservation.
    fn on_reservation(reason: Option<Text>, reference: Option<Text>, action: Action) -> Self {
        Self { subject: Subject::Reservation, action, reason, reference }
    }

    /// The command of this caller under a new id, and the subject of its answer.
    fn command(
        self,
        identity: &Identity,
        precondition: Option<Precondition>,
    ) -> (Subject, ModelCommand) {
        let origin = Origin {
            reason: self.reason.map(|text| text.0.into()),
            reference: self.reference.map(|text| text.0.into()),
            ..Origin::of(identity)
        };
        let command =
            ModelCommand { id: Uuid::now_v7(), origin, precondition, action: self.action };
        (self.subject, command)
    }
}

/// Handles a single command.
pub(super) async fn command<C: Command>(
    State(app): State<App>,
    incoming: Incoming<C::Target, C>,
) -> Result<Response, Problem> {
    let Incoming { target, body, terms, .. } = incoming;
    if C::lacks_precondition(&app, terms.precondition.as_ref()) {
        let detail = "send If-Match with the stock's ETag, or If-None-Match: * to create it";
        return Err(Problem::new("precondition-required", detail));
    }
    let (subject, command) = body.ask(target).command(&terms.identity, terms.precondition.clone());
    Ok(incoming::carry_out(&app, terms, subject, Work::One(command)).await)
}

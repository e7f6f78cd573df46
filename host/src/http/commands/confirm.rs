use super::{ActionRequest, Command, OperationDoc, ReservationTarget};
use crate::{
    http::{
        body::{Text, object},
        openapi::Answer,
    },
    model::Action,
};

object! {
    /// The reason for the confirmation. The body may be left out.
    #[example({"reason": "paid"})]
    pub(in crate::http) struct ConfirmBody {
        /// The reason, in the caller's words; kept with the event.
        reason: Option<Text>,
        /// The caller's name for the business transaction; kept with the event.
        reference: Option<Text>,
    }
}

impl Command for ConfirmBody {
    const DOC: OperationDoc = OperationDoc {
        id: "confirm",
        summary: "Confirm a reservation",
        description: "A confirmed reservation no longer expires.",
    };
    const ANSWER: Answer = Answer::Reservation;
    const TYPE: &'static str = "confirm";
    type Target = ReservationTarget;

    fn into_request(self, target: ReservationTarget) -> ActionRequest {
        let action = Action::Confirm { id: target.reservation_id.0 };
        ActionRequest::on_reservation(self.reason, self.reference, action)
    }
}

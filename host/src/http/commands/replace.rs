use super::{
    ActionRequest, Command, OperationDoc, ReservationTarget,
    hold::{Lines, line_requests},
};
use crate::{
    http::{
        body::{Text, object},
        openapi::Answer,
    },
    model::Action,
};

object! {
    /// The units that a reservation holds from now on.
    #[example({"lines": [{"product_id": "sku-1", "quantity": 3}]})]
    pub(in crate::http) struct ReplaceBody {
        /// The units to hold. Several lines of one stock count as their sum.
        lines: Lines,
        /// The reason, in the caller's words; kept with the events.
        reason: Option<Text>,
        /// The caller's name for the business transaction; kept with the events.
        reference: Option<Text>,
    }
}

impl Command for ReplaceBody {
    const DOC: OperationDoc = OperationDoc {
        id: "replace",
        summary: "Replace the lines of a held reservation",
        description: "The replacement is atomic: the units that the reservation already holds count \
            as available to it, and no other request can take them meanwhile.",
    };
    const ANSWER: Answer = Answer::Reservation;
    const TYPE: &'static str = "replace";
    type Target = ReservationTarget;

    fn into_request(self, target: ReservationTarget) -> ActionRequest {
        let action =
            Action::Replace { id: target.reservation_id.0, lines: line_requests(self.lines) };
        ActionRequest::on_reservation(self.reason, self.reference, action)
    }
}

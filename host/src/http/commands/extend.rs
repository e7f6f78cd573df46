use super::{ActionRequest, Command, OperationDoc, ReservationTarget};
use crate::{
    http::{
        body::{Seconds, Text, object},
        openapi::Answer,
    },
    model::Action,
};

object! {
    /// The new time to live of a hold.
    #[example({"ttl_seconds": 600})]
    pub(in crate::http) struct ExtendBody {
        /// The number of seconds from now until the hold expires. A later expiry stays as it is.
        ttl_seconds: Seconds,
        /// The reason, in the caller's words; kept with the event.
        reason: Option<Text>,
        /// The caller's name for the business transaction; kept with the event.
        reference: Option<Text>,
    }
}

impl Command for ExtendBody {
    const DOC: OperationDoc = OperationDoc {
        id: "extend",
        summary: "Extend a hold",
        description: "Moves the expiry of a held reservation, never to an earlier time.",
    };
    const ANSWER: Answer = Answer::Reservation;
    const TYPE: &'static str = "extend";
    type Target = ReservationTarget;

    fn into_request(self, target: ReservationTarget) -> ActionRequest {
        let action =
            Action::Extend { id: target.reservation_id.0, ttl_seconds: self.ttl_seconds.0 };
        ActionRequest::on_reservation(self.reason, self.reference, action)
    }
}

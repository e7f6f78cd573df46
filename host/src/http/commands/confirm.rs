use super::{About, Asked, Command, ReservationTarget};
use crate::{
    http::{
        body::{Text, object},
        openapi::Answer,
    },
    model::Action,
};

object! {
    /// Why a reservation is confirmed. The body may be left out.
    #[example({"reason": "paid"})]
    pub(in crate::http) struct ConfirmBody {
        /// Why, in the caller's words; kept with the event.
        reason: Option<Text>,
        /// The caller's name for the business transaction; kept with the event.
        reference: Option<Text>,
    }
}

impl Command for ConfirmBody {
    const ABOUT: About = About {
        id: "confirm",
        summary: "Confirm a reservation",
        description: "A confirmed reservation no longer expires.",
    };
    const ANSWER: Answer = Answer::Reservation;
    const TYPE: &'static str = "confirm";
    type Target = ReservationTarget;

    fn ask(self, target: ReservationTarget) -> Asked {
        let action = Action::Confirm { id: target.reservation_id.0 };
        Asked::on_reservation(self.reason, self.reference, action)
    }
}

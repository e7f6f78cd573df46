use super::{About, Asked, Command, ReservationTarget};
use crate::{
    http::{
        body::{Seconds, Text, object},
        openapi::Answer,
    },
    model::Action,
};

object! {
    /// For how long a hold is extended.
    #[example({"ttl_seconds": 600})]
    pub(in crate::http) struct ExtendBody {
        /// The hold expires so many seconds from now; an expiry that is later stays as it is.
        ttl_seconds: Seconds,
        /// Why, in the caller's words; kept with the event.
        reason: Option<Text>,
        /// The caller's name for the business transaction; kept with the event.
        reference: Option<Text>,
    }
}

impl Command for ExtendBody {
    const ABOUT: About = About {
        id: "extend",
        summary: "Extend a hold",
        description: "Moves the expiry of a held reservation, never to an earlier time.",
    };
    const ANSWER: Answer = Answer::Reservation;
    const TYPE: &'static str = "extend";
    type Target = ReservationTarget;

    fn ask(self, target: ReservationTarget) -> Asked {
        let action =
            Action::Extend { id: target.reservation_id.0, ttl_seconds: self.ttl_seconds.0 };
        Asked::on_reservation(self.reason, self.reference, action)
    }
}

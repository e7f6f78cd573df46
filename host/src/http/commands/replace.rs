use super::{
    About, Asked, Command, ReservationTarget,
    hold::{Lines, requested},
};
use crate::{
    http::{
        body::{Text, object},
        openapi::Answer,
    },
    model::Action,
};

object! {
    /// What a reservation holds from now on.
    #[example({"lines": [{"product_id": "sku-1", "quantity": 3}]})]
    pub(in crate::http) struct ReplaceBody {
        /// The units to hold. Several lines of one stock count as their sum.
        lines: Lines,
        /// Why, in the caller's words; kept with the events.
        reason: Option<Text>,
        /// The caller's name for the business transaction; kept with the events.
        reference: Option<Text>,
    }
}

impl Command for ReplaceBody {
    const ABOUT: About = About {
        id: "replace",
        summary: "Replace the lines of a held reservation",
        description: "The replacement is one step: the units that the reservation holds already \
            count as free, and nobody can take them in between.",
    };
    const ANSWER: Answer = Answer::Reservation;
    const TYPE: &'static str = "replace";
    type Target = ReservationTarget;

    fn ask(self, target: ReservationTarget) -> Asked {
        let action = Action::Replace { id: target.reservation_id.0, lines: requested(self.lines) };
        Asked::on_reservation(self.reason, self.reference, action)
    }
}

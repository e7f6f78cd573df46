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
    /// Which units of a reservation are fulfilled: all that remain where there are no lines. The body
    /// may be left out.
    #[example({"lines": [{"product_id": "sku-1", "quantity": 1}], "reason": "shipped"})]
    pub(in crate::http) struct FulfillBody {
        /// The units.
        lines: Option<Lines>,
        /// Why, in the caller's words; kept with the events.
        reason: Option<Text>,
        /// The caller's name for the business transaction; kept with the events.
        reference: Option<Text>,
    }
}

impl Command for FulfillBody {
    const ABOUT: About = About {
        id: "fulfill",
        summary: "Fulfill a reservation",
        description: "The given units, or all that remain, leave their stocks. A reservation of \
            which nothing remains is fulfilled.",
    };
    const ANSWER: Answer = Answer::Reservation;
    const TYPE: &'static str = "fulfill";
    type Target = ReservationTarget;

    fn ask(self, target: ReservationTarget) -> Asked {
        let (id, lines) = (target.reservation_id.0, self.lines.map(requested));
        Asked::on_reservation(self.reason, self.reference, Action::Fulfill { id, lines })
    }
}

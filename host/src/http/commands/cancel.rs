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
    /// Which units of a reservation are cancelled: all that remain where there are no lines. The body
    /// may be left out.
    #[example({"lines": [{"product_id": "sku-1", "quantity": 1}], "reason": "changed mind"})]
    pub(in crate::http) struct CancelBody {
        /// The units.
        lines: Option<Lines>,
        /// Why, in the caller's words; kept with the events.
        reason: Option<Text>,
        /// The caller's name for the business transaction; kept with the events.
        reference: Option<Text>,
    }
}

impl Command for CancelBody {
    const ABOUT: About = About {
        id: "cancel",
        summary: "Cancel a reservation",
        description: "The given units, or all that remain, are available again. A reservation of \
            which nothing remains is cancelled.",
    };
    const ANSWER: Answer = Answer::Reservation;
    const TYPE: &'static str = "cancel";
    type Target = ReservationTarget;

    fn ask(self, target: ReservationTarget) -> Asked {
        let (id, lines) = (target.reservation_id.0, self.lines.map(requested));
        Asked::on_reservation(self.reason, self.reference, Action::Cancel { id, lines })
    }
}

use super::{About, Asked, Command, StockTarget};
use crate::{
    http::{
        body::{Delta, Text, object},
        openapi::Answer,
    },
    model::{Action, LocationId},
};

object! {
    /// By how much to change the total of a stock.
    #[example({"delta": -3, "reason": "damaged"})]
    pub(in crate::http) struct AdjustBody {
        /// The signed number of units that are added to the total; not 0.
        delta: Delta,
        /// Why, in the caller's words; kept with the event.
        reason: Option<Text>,
        /// The caller's name for the business transaction; kept with the event.
        reference: Option<Text>,
        /// The location; `default` where absent.
        location_id: Option<LocationId>,
    }
}

impl Command for AdjustBody {
    const ABOUT: About = About {
        id: "adjust",
        summary: "Change a stock's total",
        description: "Adds a signed quantity to the total, which may not fall below the reserved \
            quantity.",
    };
    const ANSWER: Answer = Answer::Stock;
    const TYPE: &'static str = "adjust";
    type Target = StockTarget;

    fn ask(self, target: StockTarget) -> Asked {
        let delta = self.delta.0;
        Asked::on_stock(target, self.location_id, self.reason, self.reference, |key| {
            Action::AdjustBy { key, delta }
        })
    }
}

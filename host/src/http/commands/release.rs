use super::{About, Asked, Command, StockTarget};
use crate::{
    http::{
        body::{Quantity, Text, object},
        openapi::Answer,
    },
    model::{Action, LocationId},
};

object! {
    /// How many units to give back.
    #[example({"quantity": 3, "reference": "order-7"})]
    pub(in crate::http) struct ReleaseBody {
        /// The number of units.
        quantity: Quantity<1>,
        /// Why, in the caller's words; kept with the event.
        reason: Option<Text>,
        /// The caller's name for the business transaction, such as an order; kept with the event.
        reference: Option<Text>,
        /// The location; `default` where absent.
        location_id: Option<LocationId>,
    }
}

impl Command for ReleaseBody {
    const ABOUT: About = About {
        id: "release",
        summary: "Release a quantity",
        description: "Gives back units that `reserve` took. Units that reservations hold are not \
            touched.",
    };
    const ANSWER: Answer = Answer::Stock;
    const TYPE: &'static str = "release";
    type Target = StockTarget;

    fn ask(self, target: StockTarget) -> Asked {
        let quantity = self.quantity.0;
        Asked::on_stock(target, self.location_id, self.reason, self.reference, |key| {
            Action::Release { key, quantity }
        })
    }
}

use super::{About, Asked, Command, StockTarget};
use crate::{
    http::{
        body::{Quantity, Text, object},
        openapi::Answer,
    },
    model::{Action, LocationId},
};

object! {
    /// How many units to reserve.
    #[example({"quantity": 3, "reference": "order-7"})]
    pub(in crate::http) struct ReserveBody {
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

impl Command for ReserveBody {
    const ABOUT: About = About {
        id: "reserve",
        summary: "Reserve a quantity",
        description: "Granted while it is available, refused with the numbers otherwise; durable \
            when answered.",
    };
    const ANSWER: Answer = Answer::Stock;
    const TYPE: &'static str = "reserve";
    type Target = StockTarget;

    fn ask(self, target: StockTarget) -> Asked {
        let quantity = self.quantity.0;
        Asked::on_stock(target, self.location_id, self.reason, self.reference, |key| {
            Action::Reserve { key, quantity }
        })
    }
}

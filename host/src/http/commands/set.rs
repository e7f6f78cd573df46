use super::{About, Asked, Command, StockTarget};
use crate::{
    http::{
        App,
        body::{Quantity, Text, object},
        openapi::Answer,
    },
    model::{Action, LocationId, Precondition},
};

object! {
    /// The numbers that a stock is set to.
    #[example({"total_quantity": 100, "minimum_stock_level": 20, "reason": "count"})]
    pub(in crate::http) struct SetBody {
        /// The number of units that are there: at least as many as are reserved.
        total_quantity: Quantity<0>,
        /// The stock is low while fewer units than this are available. Where absent, it stays as
        /// it is; a new stock has 0, which means that it is never low.
        minimum_stock_level: Option<Quantity<0>>,
        /// Why, in the caller's words; kept with the event.
        reason: Option<Text>,
        /// The caller's name for the business transaction; kept with the event.
        reference: Option<Text>,
        /// The location; `default` where absent.
        location_id: Option<LocationId>,
    }
}

impl Command for SetBody {
    const ABOUT: About = About {
        id: "set_stock",
        summary: "Set a stock",
        description: "Creates the stock where there is none. The same values again change nothing. \
            `If-Match` demands a version, `If-None-Match: *` demands that there is no such \
            stock yet.",
    };
    const ANSWER: Answer = Answer::Stock;
    const CREATES: bool = true;
    const TYPE: &'static str = "set";
    type Target = StockTarget;

    fn ask(self, target: StockTarget) -> Asked {
        let total = self.total_quantity.0;
        let minimum = self.minimum_stock_level.map(|units| units.0);
        Asked::on_stock(target, self.location_id, self.reason, self.reference, |key| {
            Action::AdjustSet { key, total, minimum }
        })
    }

    fn lacks_precondition(app: &App, precondition: Option<&Precondition>) -> bool {
        app.put_needs_condition && precondition.is_none()
    }
}

use super::{ActionRequest, Command, OperationDoc, StockTarget};
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
        /// The number of units that are in stock; at least the reserved quantity.
        total_quantity: Quantity<0>,
        /// The stock is low while fewer units than this are available; 0 means never. Where absent,
        /// the level stays as it is; it is 0 for a new stock.
        minimum_stock_level: Option<Quantity<0>>,
        /// The reason, in the caller's words; kept with the event.
        reason: Option<Text>,
        /// The caller's name for the business transaction; kept with the event.
        reference: Option<Text>,
        /// The location; `default` where absent.
        location_id: Option<LocationId>,
    }
}

impl Command for SetBody {
    const DOC: OperationDoc = OperationDoc {
        id: "set_stock",
        summary: "Set a stock",
        description: "Creates the stock where there is none. Setting the values that it has changes \
            nothing. `If-Match` requires a version, `If-None-Match: *` requires that the stock \
            does not exist yet.",
    };
    const ANSWER: Answer = Answer::Stock;
    const CREATES: bool = true;
    const TYPE: &'static str = "set";
    type Target = StockTarget;

    fn into_request(self, target: StockTarget) -> ActionRequest {
        let total = self.total_quantity.0;
        let minimum = self.minimum_stock_level.map(|units| units.0);
        ActionRequest::on_stock(target, self.location_id, self.reason, self.reference, |key| {
            Action::AdjustSet { key, total, minimum }
        })
    }

    fn lacks_precondition(app: &App, precondition: Option<&Precondition>) -> bool {
        app.put_needs_condition && precondition.is_none()
    }
}

use super::{ActionRequest, Command, OperationDoc, StockTarget};
use crate::{
    http::{
        body::{Delta, Text, object},
        openapi::Answer,
    },
    model::{Action, LocationId},
};

object! {
    /// The change of the total of a stock.
    #[example({"delta": -3, "reason": "damaged"})]
    pub(in crate::http) struct AdjustBody {
        /// The number of units to add to the total; negative to subtract units, never 0.
        delta: Delta,
        /// The reason, in the caller's words; kept with the event.
        reason: Option<Text>,
        /// The caller's name for the business transaction; kept with the event.
        reference: Option<Text>,
        /// The location; `default` where absent.
        location_id: Option<LocationId>,
    }
}

impl Command for AdjustBody {
    const DOC: OperationDoc = OperationDoc {
        id: "adjust",
        summary: "Change a stock's total",
        description: "Adds a signed quantity to the total, which may not fall below the reserved \
            quantity.",
    };
    const ANSWER: Answer = Answer::Stock;
    const TYPE: &'static str = "adjust";
    type Target = StockTarget;

    fn into_request(self, target: StockTarget) -> ActionRequest {
        let delta = self.delta.0;
        ActionRequest::on_stock(target, self.location_id, self.reason, self.reference, |key| {
            Action::AdjustBy { key, delta }
        })
    }
}

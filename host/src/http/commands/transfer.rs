use super::{ActionRequest, Command, NoTarget, OperationDoc, answer::AnswerKeys};
use crate::{
    http::{
        body::{Quantity, Text, object},
        openapi::Answer,
    },
    model::{Action, LocationId, ProductId, StockKey},
};

object! {
    /// The units to move, and the two locations.
    #[example({
        "product_id": "sku-1", "from_location_id": "north", "to_location_id": "south",
        "quantity": 5
    })]
    pub(in crate::http) struct TransferBody {
        /// The product.
        product_id: ProductId,
        /// The location that the units leave.
        from_location_id: LocationId,
        /// The location that the units arrive at.
        to_location_id: LocationId,
        /// The number of units.
        quantity: Quantity<1>,
        /// The reason, in the caller's words; kept with the events.
        reason: Option<Text>,
        /// The caller's name for the business transaction; kept with the events.
        reference: Option<Text>,
    }
}

impl Command for TransferBody {
    const DOC: OperationDoc = OperationDoc {
        id: "transfer",
        summary: "Move units to another location",
        description: "The move is atomic. The stock at the target is created where there is none. \
            `If-Match` refers to the stock that the units leave.",
    };
    const ANSWER: Answer = Answer::Transfer;
    const TYPE: &'static str = "transfer";
    type Target = NoTarget;

    fn into_request(self, _: NoTarget) -> ActionRequest {
        let Self { product_id, from_location_id: from, to_location_id: to, quantity, .. } = self;
        let at = |location_id: &LocationId| StockKey {
            product_id: product_id.clone(),
            location_id: location_id.clone(),
        };
        ActionRequest {
            keys: AnswerKeys::Transfer { source: at(&from), target: at(&to) },
            action: Action::Transfer { product_id, from, to, quantity: quantity.0 },
            reason: self.reason,
            reference: self.reference,
        }
    }
}

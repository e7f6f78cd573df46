//! `reserve` and `release`: the two commands on a quantity of one stock. Their bodies have the same
//! members, and differ in one word.

use super::{ActionRequest, Command, OperationDoc, StockTarget};
use crate::{
    http::{
        body::{Quantity, Text, object},
        openapi::Answer,
    },
    model::{Action, LocationId},
};

/// Declares a command on a quantity of one stock: its body and its action.
macro_rules! quantity_command {
    (
        $(#[doc = $about:literal])+
        $body:ident {
            action: $action:ident,
            name: $name:literal,
            summary: $summary:literal,
            description: $description:literal,
        }
    ) => {
        object! {
            $(#[doc = $about])+
            #[example({"quantity": 3, "reference": "order-7"})]
            pub(in crate::http) struct $body {
                /// The number of units.
                quantity: Quantity<1>,
                /// The reason, in the caller's words; kept with the event.
                reason: Option<Text>,
                /// The caller's name for the business transaction, such as an order; kept with the
                /// event.
                reference: Option<Text>,
                /// The location; `default` where absent.
                location_id: Option<LocationId>,
            }
        }

        impl Command for $body {
            const DOC: OperationDoc =
                OperationDoc { id: $name, summary: $summary, description: $description };
            const ANSWER: Answer = Answer::Stock;
            const TYPE: &'static str = $name;
            type Target = StockTarget;

            fn into_request(self, target: StockTarget) -> ActionRequest {
                let quantity = self.quantity.0;
                let (reason, reference) = (self.reason, self.reference);
                ActionRequest::on_stock(target, self.location_id, reason, reference, |key| {
                    Action::$action { key, quantity }
                })
            }
        }
    };
}

quantity_command! {
    /// The number of units to reserve.
    ReserveBody {
        action: Reserve,
        name: "reserve",
        summary: "Reserve a quantity",
        description: "Succeeds where enough units are available; otherwise the problem has the \
            numbers. The change is durable when it is answered.",
    }
}

quantity_command! {
    /// The number of units to release.
    ReleaseBody {
        action: Release,
        name: "release",
        summary: "Release a quantity",
        description: "Gives back units that `reserve` took. Units that reservations hold are not \
            touched.",
    }
}

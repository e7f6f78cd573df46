//! `fulfill` and `cancel`: the two commands that resolve units of a reservation. Their bodies have
//! the same members, and differ in one word.

use super::{
    ActionRequest, Command, OperationDoc, ReservationTarget,
    hold::{Lines, line_requests},
};
use crate::{
    http::{
        body::{Text, object},
        openapi::Answer,
    },
    model::Action,
};

/// Declares a command that resolves units of a reservation: its body and its action.
macro_rules! resolve_command {
    (
        $(#[doc = $about:literal])+
        $body:ident {
            action: $action:ident,
            name: $name:literal,
            example_reason: $reason:literal,
            summary: $summary:literal,
            description: $description:literal,
        }
    ) => {
        object! {
            $(#[doc = $about])+
            #[example({
                "lines": [{"product_id": "sku-1", "quantity": 1}], "reason": $reason
            })]
            pub(in crate::http) struct $body {
                /// The units; all that remain where absent.
                lines: Option<Lines>,
                /// The reason, in the caller's words; kept with the events.
                reason: Option<Text>,
                /// The caller's name for the business transaction; kept with the events.
                reference: Option<Text>,
            }
        }

        impl Command for $body {
            const DOC: OperationDoc =
                OperationDoc { id: $name, summary: $summary, description: $description };
            const ANSWER: Answer = Answer::Reservation;
            const TYPE: &'static str = $name;
            type Target = ReservationTarget;

            fn into_request(self, target: ReservationTarget) -> ActionRequest {
                let (id, lines) = (target.reservation_id.0, self.lines.map(line_requests));
                ActionRequest::on_reservation(
                    self.reason,
                    self.reference,
                    Action::$action { id, lines },
                )
            }
        }
    };
}

resolve_command! {
    /// The units of a reservation to fulfill. The body may be left out.
    FulfillBody {
        action: Fulfill,
        name: "fulfill",
        example_reason: "shipped",
        summary: "Fulfill a reservation",
        description: "The given units, or all that remain, leave their stocks. A reservation of \
            which nothing remains is fulfilled.",
    }
}

resolve_command! {
    /// The units of a reservation to cancel. The body may be left out.
    CancelBody {
        action: Cancel,
        name: "cancel",
        example_reason: "changed mind",
        summary: "Cancel a reservation",
        description: "The given units, or all that remain, are available again. A reservation of \
            which nothing remains is cancelled.",
    }
}

use super::{ActionRequest, Command, NoTarget, OperationDoc};
use crate::{
    http::{
        body::{List, Quantity, ReservationId, Text, TimeToLive, object},
        openapi::Answer,
    },
    model::{Action, LINES_MAX, LineRequest, LocationId, ProductId, StockKey},
};
use uuid::Uuid;

/// The lines of a command on a reservation.
pub(super) type Lines = List<LineRequestBody, LINES_MAX>;

object! {
    /// A number of units of one stock.
    pub(in crate::http) struct LineRequestBody {
        /// The product.
        product_id: ProductId,
        /// The location; `default` where absent.
        location_id: Option<LocationId>,
        /// The number of units.
        quantity: Quantity<1>,
    }
}

object! {
    /// The units to hold, and for how long.
    #[example({
        "lines": [{"product_id": "sku-1", "quantity": 2}, {"product_id": "sku-2", "quantity": 1}],
        "ttl_seconds": 900, "reference": "order-7"
    })]
    pub(in crate::http) struct HoldBody {
        /// The id of the reservation; the server makes one where it is absent.
        reservation_id: Option<ReservationId>,
        /// The units to hold. Several lines of one stock count as their sum.
        lines: Lines,
        /// The number of seconds after which the hold expires; 900 where absent, never where null.
        ttl_seconds: TimeToLive,
        /// The reason, in the caller's words; kept with the events.
        reason: Option<Text>,
        /// The caller's name for the business transaction, such as an order; kept with the
        /// reservation and its events.
        reference: Option<Text>,
    }
}

/// Converts lines to those of the model.
pub(super) fn line_requests(lines: Lines) -> Vec<LineRequest> {
    let line = |line: LineRequestBody| {
        let LineRequestBody { product_id, location_id, quantity } = line;
        let key = StockKey { product_id, location_id: location_id.unwrap_or_default() };
        LineRequest { key, quantity: quantity.0 }
    };
    lines.0.into_iter().map(line).collect()
}

impl Command for HoldBody {
    const DOC: OperationDoc = OperationDoc {
        id: "hold",
        summary: "Make a reservation",
        description: "Holds all lines or none; several lines of one stock count as their sum. Where \
            the client chooses the id, sending the same request again returns the same \
            reservation.",
    };
    const ANSWER: Answer = Answer::Reservation;
    const CREATES: bool = true;
    const TYPE: &'static str = "hold";
    type Target = NoTarget;

    fn into_request(self, _: NoTarget) -> ActionRequest {
        let id = self.reservation_id.map_or_else(|| Uuid::now_v7().to_string(), |id| id.0);
        let (lines, ttl_seconds) = (line_requests(self.lines), self.ttl_seconds.0);
        let action = Action::Hold { id, lines, ttl_seconds };
        ActionRequest::on_reservation(self.reason, self.reference, action)
    }
}

use super::{About, Asked, Command, NoTarget};
use crate::{
    http::{
        body::{List, Quantity, ReservationId, Text, TimeToLive, object},
        openapi::Answer,
    },
    model::{Action, LINES_MAX, LineRequest, LocationId, ProductId, StockKey},
};
use uuid::Uuid;

/// The lines of a command.
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
    /// What to hold, and for how long.
    #[example({
        "lines": [{"product_id": "sku-1", "quantity": 2}, {"product_id": "sku-2", "quantity": 1}],
        "ttl_seconds": 900, "reference": "order-7"
    })]
    pub(in crate::http) struct HoldBody {
        /// The id of the reservation; the server makes one where it is absent.
        reservation_id: Option<ReservationId>,
        /// The units to hold. Several lines of one stock count as their sum.
        lines: Lines,
        /// After so many seconds the hold expires: 900 where absent, never where null.
        ttl_seconds: TimeToLive,
        /// Why, in the caller's words; kept with the events.
        reason: Option<Text>,
        /// The caller's name for the business transaction, such as an order; kept with the
        /// reservation and its events.
        reference: Option<Text>,
    }
}

/// The lines as the engine wants them.
pub(super) fn requested(lines: Lines) -> Vec<LineRequest> {
    let line = |line: LineRequestBody| {
        let LineRequestBody { product_id, location_id, quantity } = line;
        let key = StockKey { product_id, location_id: location_id.unwrap_or_default() };
        LineRequest { key, quantity: quantity.0 }
    };
    lines.0.into_iter().map(line).collect()
}

impl Command for HoldBody {
    const ABOUT: About = About {
        id: "hold",
        summary: "Make a reservation",
        description: "Holds all lines or none; several lines of one stock count as their sum. Under \
            an id of the client's own choice, the same request again gives the same \
            reservation.",
    };
    const ANSWER: Answer = Answer::Reservation;
    const CREATES: bool = true;
    const TYPE: &'static str = "hold";
    type Target = NoTarget;

    fn ask(self, _: NoTarget) -> Asked {
        let id = self.reservation_id.map_or_else(|| Uuid::now_v7().to_string(), |id| id.0);
        let (lines, ttl_seconds) = (requested(self.lines), self.ttl_seconds.0);
        let action = Action::Hold { id, lines, ttl_seconds };
        Asked::on_reservation(self.reason, self.reference, action)
    }
}

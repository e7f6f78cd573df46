//! The schemas of members whose values are enumerated words.

use super::event_types::{DOMAIN_EVENT_TYPES, RESERVATION_EVENT_TYPES, STOCK_EVENT_TYPES};
use crate::model::ReservationState;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

/// The schema of a text that is one of these words.
fn one_of_words(words: impl IntoIterator<Item = &'static str>, about: &str) -> RefOr<Schema> {
    let object = ObjectBuilder::new().schema_type(Type::String);
    object.enum_values(Some(words)).description(Some(about)).into()
}

macro_rules! words {
    ($(#[$doc:meta])* $visible:vis $name:ident, $about:literal, $words:expr) => {
        $(#[$doc])*
        $visible struct $name;

        impl ToSchema for $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                one_of_words($words, $about)
            }
        }
    };
}

words! {
    /// The schema of a stock event's `type`.
    pub(super) StockEventType, "What happened to the stock.", STOCK_EVENT_TYPES.map(|(name, _)| name)
}
words! {
    /// The schema of a reservation event's `type`.
    pub(super) ReservationEventType, "What happened to the reservation.",
    RESERVATION_EVENT_TYPES.map(|(name, _)| name)
}
words! {
    /// The schema of a domain event's `type`.
    pub(super) DomainEventType, "Why another component decides.", DOMAIN_EVENT_TYPES.map(|(name, _)| name)
}
words! {
    /// The schema of a reservation's state.
    pub ReservationStateSchema, "The state of a reservation.",
    ReservationState::ALL.map(ReservationState::name)
}

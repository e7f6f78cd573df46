//! The values that the rooms of the host exchange: commands, events, stocks, reservations, queries.
//! Their meaning is that of the contract, and the rules about them are the component's.

mod command;
mod digest;
mod event;
mod failure;
mod identity;
mod installed;
mod integrity;
mod key;
mod query;
mod query_deadline;
mod recorded;
mod rejection;
mod reservation;
mod scan;
mod stock;

pub use command::{Action, Command, Origin, Outcome, Precondition};
pub use digest::Digest;
pub use event::{
    DomainEvent, DomainEventKind, Event, EventKind, LogEntry, ReservationEvent,
    ReservationEventKind, StockEvent, StockEventKind,
};
pub use failure::{Due, Ended, Fault, StoreFailure};
pub use identity::{Identity, IdentityKind, InvalidSubject, Scope, Scopes, Subject};
pub use installed::Installed;
pub use integrity::Integrity;
pub use key::{ID_CHARACTERS_MAX, InvalidId, LocationId, ProductId, StockKey};
pub use query::{
    Answer, Ask, GetReservation, GetStock, GetStocks, ListReservations, ListStocks, LowStock,
    LowStockPage, PAGE_ITEMS_MAX, Query, StockFilter, StockPage,
};
pub use query_deadline::{QueryDeadline, QueryGuard};
pub use recorded::{Decided, Recorded, StateBefore};
pub use rejection::{Detail, Rejection, Value};
pub use reservation::{
    LINES_MAX, LineRequest, REFERENCE_BYTES_MAX, Reservation, ReservationFilter, ReservationLine,
    ReservationPage, ReservationScan, ReservationState, ReservationStatus, TTL_SECONDS_MAX,
};
pub use scan::{DeficitPosition, DeficitScan, StockScan};
pub use stock::{Level, QUANTITY_MAX, Stock, StockView};

/// Milliseconds since the Unix epoch.
pub type Timestamp = u64;

/// A hash map whose keys may come from clients. The hash function has a random seed, against chosen
/// collisions, and is faster than that of the standard map.
pub(crate) type Map<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;

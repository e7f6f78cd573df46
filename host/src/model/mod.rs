//! The host's words for what goes through it: plain values, known to every room. They
//! mean what the contract says they mean; the rules about them are the component's.

mod command;
mod digest;
mod event;
mod failure;
mod identity;
mod installed;
mod integrity;
mod key;
mod patience;
mod query;
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
pub use patience::{Patience, Waiting};
pub use query::{
    Answer, Ask, GetReservation, GetStock, GetStocks, ListReservations, ListStocks, LowStock,
    LowStockPage, Query, StockFilter, StockPage,
};
pub use recorded::{Decided, Recorded, StateBefore};
pub use rejection::{Detail, Rejection, Value};
pub use reservation::{
    LineRequest, Reservation, ReservationFilter, ReservationLine, ReservationPage, ReservationScan,
    ReservationState, ReservationStatus,
};
pub use scan::{DeficitPosition, DeficitScan, StockScan};
pub use stock::{Level, QUANTITY_MAX, Stock, StockView};

/// Milliseconds since the Unix epoch.
pub type Timestamp = u64;

/// A map in memory, of whatever clients name: seeded at random, and cheaper than the
/// standard one.
pub(crate) type Map<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;

//! The host's words for what goes through it: plain values, known to every room. They
//! mean what the contract says they mean; the rules about them are the component's.

mod command;
mod event;
mod failure;
mod key;
mod query;
mod rejection;
mod reservation;
mod stock;

pub use command::{Action, Command, Origin, Outcome, Precondition};
pub use event::{
    Event, EventKind, LogEntry, ReservationEvent, ReservationEventKind, StockEvent, StockEventKind,
};
pub use failure::{Ended, Fault, StoreFailure};
pub use key::{ID_CHARACTERS_MAX, InvalidId, LocationId, ProductId, StockKey};
pub use query::{DeficitPosition, DeficitScan, LowStockPage, StockFilter, StockPage, StockScan};
pub use rejection::{Detail, Rejection, Value};
pub use reservation::{
    DueHolds, LineRequest, Reservation, ReservationFilter, ReservationLine, ReservationPage,
    ReservationScan, ReservationState, ReservationStatus,
};
pub use stock::{Level, QUANTITY_MAX, Stock, StockView};

/// Milliseconds since the Unix epoch.
pub type Timestamp = u64;

/// A map in memory, of whatever clients name: seeded at random, and cheaper than the
/// standard one.
pub(crate) type Map<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;

/// SHA-256 of a component's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

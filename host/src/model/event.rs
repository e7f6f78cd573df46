use super::{Digest, Level, ReservationStatus, StockKey, Timestamp};
use std::sync::Arc;
use uuid::Uuid;

/// A fact that an accepted command produced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// About a stock.
    Stock(StockEvent),
    /// About a reservation.
    Reservation(ReservationEvent),
}

/// What happened to a stock.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "the names are the contract's")]
pub enum StockEventKind {
    InventoryAdjusted,
    InventoryReserved,
    InventoryReleased,
    InventoryFulfilled,
    /// The outgoing side.
    InventoryTransferredOut,
    /// The incoming side.
    InventoryTransferredIn,
    LowStockDetected,
    LowStockResolved,
}

impl StockEventKind {
    /// Whether the event stands for a change of the stock, or is a remark on it.
    #[must_use]
    pub const fn changes_stock(self) -> bool {
        !matches!(self, Self::LowStockDetected | Self::LowStockResolved)
    }
}

/// A fact about a stock, with its level before and after.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StockEvent {
    /// What happened.
    pub kind: StockEventKind,
    /// To which stock.
    pub key: StockKey,
    /// How many units moved; none where nothing moved.
    pub quantity: Option<u64>,
    /// The reservation they belong to.
    pub reservation_id: Option<String>,
    /// When the hold that reserved them comes due.
    pub expires_at: Option<Timestamp>,
    /// The location at the other side of a transfer.
    pub counterpart_id: Option<String>,
    /// Before; absent where the stock was created.
    pub from: Option<Level>,
    /// After.
    pub to: Level,
}

/// What happened to a reservation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "the names are the contract's")]
pub enum ReservationEventKind {
    ReservationExtended,
    ReservationConfirmed,
    ReservationFulfilled,
    ReservationCancelled,
    ReservationExpired,
}

/// A fact about a reservation, with its status before and after.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReservationEvent {
    /// What happened.
    pub kind: ReservationEventKind,
    /// To which reservation.
    pub reservation_id: String,
    /// Before.
    pub from: ReservationStatus,
    /// After.
    pub to: ReservationStatus,
}

/// A fact in the log: numbered, dated, and with its origin. It never changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogEntry {
    /// Its place in the log, from 1, without a gap.
    pub sequence: u64,
    /// When the command was decided.
    pub at: Timestamp,
    /// The command that produced it.
    pub command_id: Uuid,
    /// Who asked for it.
    pub caller: Option<Arc<str>>,
    /// Why.
    pub reason: Option<String>,
    /// The caller's name for the business transaction.
    pub reference: Option<String>,
    /// The component that decided it.
    pub component: Digest,
    /// The fact.
    pub event: Event,
}

/// The kind of a fact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventKind {
    /// About a stock.
    Stock(StockEventKind),
    /// About a reservation.
    Reservation(ReservationEventKind),
}

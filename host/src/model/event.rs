use super::{Digest, Level, ReservationStatus, StockKey, Timestamp};
use std::sync::Arc;
use uuid::Uuid;

/// A fact that an accepted command produced, or the fact that another component decides from now
/// on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// An event of a stock.
    Stock(StockEvent),
    /// An event of a reservation.
    Reservation(ReservationEvent),
    /// An event of the domain component.
    Domain(DomainEvent),
}

impl Event {
    /// The kind of the event.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::Stock(event) => EventKind::Stock(event.kind),
            Self::Reservation(event) => EventKind::Reservation(event.kind),
            Self::Domain(event) => EventKind::Domain(event.kind),
        }
    }
}

/// The kind of an event of the domain component.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DomainEventKind {
    /// An operator exchanged the component.
    DomainSwapped,
    /// The previous component decides again.
    DomainRolledBack,
}

/// Another component decides from now on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DomainEvent {
    /// Whether this is a swap or a rollback.
    pub kind: DomainEventKind,
    /// The component that decided until now.
    pub from: Digest,
    /// The component that decides from now on.
    pub to: Digest,
}

/// The kind of an event of a stock.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "the names are the contract's")]
pub enum StockEventKind {
    InventoryAdjusted,
    InventoryReserved,
    InventoryReleased,
    InventoryFulfilled,
    /// The side of a transfer that units leave.
    InventoryTransferredOut,
    /// The side of a transfer that units arrive at.
    InventoryTransferredIn,
    LowStockDetected,
    LowStockResolved,
}

impl StockEventKind {
    /// The side of a transfer that the event is about, as the contract spells it: `outgoing` or
    /// `incoming`. `None` for every other kind of event.
    #[must_use]
    pub const fn direction(self) -> Option<&'static str> {
        match self {
            Self::InventoryTransferredOut => Some("outgoing"),
            Self::InventoryTransferredIn => Some("incoming"),
            _ => None,
        }
    }

    /// Whether the event stands for a change of the stock. The low-stock events do not: they
    /// comment on a change that another event of the same command stands for.
    #[must_use]
    pub const fn changes_stock(self) -> bool {
        !matches!(self, Self::LowStockDetected | Self::LowStockResolved)
    }
}

/// An event of a stock, with the stock's level before and after it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StockEvent {
    /// The kind of the event.
    pub kind: StockEventKind,
    /// The stock.
    pub key: StockKey,
    /// The units that moved; `None` where the event moves no units.
    pub quantity: Option<u64>,
    /// The reservation that the units belong to, if any.
    pub reservation_id: Option<String>,
    /// The expiry of the hold that reserved the units, if it has one.
    pub expires_at: Option<Timestamp>,
    /// The location at the other side of a transfer.
    pub counterpart_id: Option<String>,
    /// The level before the event; `None` where the event created the stock.
    pub from: Option<Level>,
    /// The level after the event.
    pub to: Level,
}

/// The kind of an event of a reservation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "the names are the contract's")]
pub enum ReservationEventKind {
    ReservationExtended,
    ReservationConfirmed,
    ReservationFulfilled,
    ReservationCancelled,
    ReservationExpired,
}

/// An event of a reservation, with the reservation's status before and after it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReservationEvent {
    /// The kind of the event.
    pub kind: ReservationEventKind,
    /// The reservation.
    pub reservation_id: String,
    /// The status before the event.
    pub from: ReservationStatus,
    /// The status after the event.
    pub to: ReservationStatus,
}

/// An event in the log: numbered, dated, and with its origin. Log entries never change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogEntry {
    /// The position in the log: from 1, without gaps.
    pub sequence: u64,
    /// The time at which the command was decided.
    pub at: Timestamp,
    /// The command that produced the event.
    pub command_id: Uuid,
    /// The caller who sent the command; `None` for an anonymous caller.
    pub caller: Option<Arc<str>>,
    /// The reason, in the caller's words.
    pub reason: Option<Arc<str>>,
    /// The caller's name for the business transaction.
    pub reference: Option<Arc<str>>,
    /// The component that decided the command. An event of the domain component names the
    /// component that decides from then on.
    pub component: Digest,
    /// The event itself.
    pub event: Event,
}

/// The kind of an event.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EventKind {
    /// The kind of an event of a stock.
    Stock(StockEventKind),
    /// The kind of an event of a reservation.
    Reservation(ReservationEventKind),
    /// The kind of an event of the domain component.
    Domain(DomainEventKind),
}

impl EventKind {
    /// Every kind of event.
    pub const ALL: [Self; 15] = [
        Self::Stock(StockEventKind::InventoryAdjusted),
        Self::Stock(StockEventKind::InventoryReserved),
        Self::Stock(StockEventKind::InventoryReleased),
        Self::Stock(StockEventKind::InventoryFulfilled),
        Self::Stock(StockEventKind::InventoryTransferredOut),
        Self::Stock(StockEventKind::InventoryTransferredIn),
        Self::Stock(StockEventKind::LowStockDetected),
        Self::Stock(StockEventKind::LowStockResolved),
        Self::Reservation(ReservationEventKind::ReservationExtended),
        Self::Reservation(ReservationEventKind::ReservationConfirmed),
        Self::Reservation(ReservationEventKind::ReservationFulfilled),
        Self::Reservation(ReservationEventKind::ReservationCancelled),
        Self::Reservation(ReservationEventKind::ReservationExpired),
        Self::Domain(DomainEventKind::DomainSwapped),
        Self::Domain(DomainEventKind::DomainRolledBack),
    ];

    /// The name of the kind, spelled alike wherever the host shows an event. Both sides of a
    /// transfer have the same name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stock(kind) => match kind {
                StockEventKind::InventoryAdjusted => "InventoryAdjusted",
                StockEventKind::InventoryReserved => "InventoryReserved",
                StockEventKind::InventoryReleased => "InventoryReleased",
                StockEventKind::InventoryFulfilled => "InventoryFulfilled",
                StockEventKind::InventoryTransferredOut
                | StockEventKind::InventoryTransferredIn => "InventoryTransferred",
                StockEventKind::LowStockDetected => "LowStockDetected",
                StockEventKind::LowStockResolved => "LowStockResolved",
            },
            Self::Reservation(kind) => match kind {
                ReservationEventKind::ReservationExtended => "ReservationExtended",
                ReservationEventKind::ReservationConfirmed => "ReservationConfirmed",
                ReservationEventKind::ReservationFulfilled => "ReservationFulfilled",
                ReservationEventKind::ReservationCancelled => "ReservationCancelled",
                ReservationEventKind::ReservationExpired => "ReservationExpired",
            },
            Self::Domain(kind) => match kind {
                DomainEventKind::DomainSwapped => "DomainSwapped",
                DomainEventKind::DomainRolledBack => "DomainRolledBack",
            },
        }
    }
}

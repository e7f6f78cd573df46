use super::{Digest, Level, ReservationStatus, StockKey, Timestamp};
use serde::Serialize;
use std::sync::Arc;
use uuid::Uuid;

/// A fact: what an accepted command produced, or who decides from now on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// About a stock.
    Stock(StockEvent),
    /// About a reservation.
    Reservation(ReservationEvent),
    /// About the domain component.
    Domain(DomainEvent),
}

/// Why another component decides from now on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "as the log shows them")]
pub enum DomainEventKind {
    DomainSwapped,
    DomainRolledBack,
}

/// Another component decides from now on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DomainEvent {
    /// How it came to that.
    pub kind: DomainEventKind,
    /// Who decided before.
    pub from: Digest,
    /// Who decides from now on.
    pub to: Digest,
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
    /// The contract's case. Both sides of a transfer have the same.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InventoryAdjusted => "inventory-adjusted",
            Self::InventoryReserved => "inventory-reserved",
            Self::InventoryReleased => "inventory-released",
            Self::InventoryFulfilled => "inventory-fulfilled",
            Self::InventoryTransferredOut | Self::InventoryTransferredIn => "inventory-transferred",
            Self::LowStockDetected => "low-stock-detected",
            Self::LowStockResolved => "low-stock-resolved",
        }
    }

    /// Which side of a transfer it is.
    #[must_use]
    pub const fn direction(self) -> Option<&'static str> {
        match self {
            Self::InventoryTransferredOut => Some("outgoing"),
            Self::InventoryTransferredIn => Some("incoming"),
            _ => None,
        }
    }

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

impl ReservationEventKind {
    /// The contract's case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReservationExtended => "reservation-extended",
            Self::ReservationConfirmed => "reservation-confirmed",
            Self::ReservationFulfilled => "reservation-fulfilled",
            Self::ReservationCancelled => "reservation-cancelled",
            Self::ReservationExpired => "reservation-expired",
        }
    }
}

impl DomainEventKind {
    /// In the manner of the contract, which does not know it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DomainSwapped => "domain-swapped",
            Self::DomainRolledBack => "domain-rolled-back",
        }
    }
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
    pub reason: Option<Arc<str>>,
    /// The caller's name for the business transaction.
    pub reference: Option<Arc<str>>,
    /// The component that decided it; where it is about the component, the one from then on.
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
    /// About the domain component.
    Domain(DomainEventKind),
}

/// The canonical form of a fact: the contract's case and fields, in the contract's order, in
/// `snake_case`; what is absent is left out.
#[derive(Serialize)]
struct Canonical<'a> {
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a StockKey>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counterpart_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<BeforeOrAfter<'a>>,
    to: BeforeOrAfter<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum BeforeOrAfter<'a> {
    Stock(&'a Level),
    Reservation(&'a ReservationStatus),
    Domain(&'a Digest),
}

impl<'a> Canonical<'a> {
    fn new(event: &'static str, to: BeforeOrAfter<'a>) -> Self {
        Self {
            event,
            key: None,
            quantity: None,
            direction: None,
            reservation_id: None,
            expires_at: None,
            counterpart_id: None,
            from: None,
            to,
        }
    }

    fn of(event: &'a Event) -> Self {
        match event {
            Event::Stock(it) => Self {
                key: Some(&it.key),
                quantity: it.quantity,
                direction: it.kind.direction(),
                reservation_id: it.reservation_id.as_deref(),
                expires_at: it.expires_at,
                counterpart_id: it.counterpart_id.as_deref(),
                from: it.from.as_ref().map(BeforeOrAfter::Stock),
                ..Self::new(it.kind.name(), BeforeOrAfter::Stock(&it.to))
            },
            Event::Reservation(it) => Self {
                reservation_id: Some(&it.reservation_id),
                from: Some(BeforeOrAfter::Reservation(&it.from)),
                ..Self::new(it.kind.name(), BeforeOrAfter::Reservation(&it.to))
            },
            Event::Domain(it) => Self {
                from: Some(BeforeOrAfter::Domain(&it.from)),
                ..Self::new(it.kind.name(), BeforeOrAfter::Domain(&it.to))
            },
        }
    }
}

impl Serialize for Event {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Canonical::of(self).serialize(serializer)
    }
}

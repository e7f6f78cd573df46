//! Reading the event log.

use crate::model::{
    Event, EventKind, LogEntry, ProductId, QueryDeadline, Recorded, StockKey, StoreFailure,
    Timestamp,
};

/// In which order to read a ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// By falling sequence.
    NewestFirst,
    /// By rising sequence.
    OldestFirst,
}

/// The event log, to be read.
pub trait Log: Send + 'static {
    /// Up to `limit` entries of one stock behind the sequence `after`; none where the stock
    /// does not exist.
    ///
    /// # Errors
    /// Where the store fails.
    fn stock_events(
        &mut self,
        key: &StockKey,
        order: Order,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Option<Vec<LogEntry>>, StoreFailure>;

    /// The last entry about a stock up to a sequence, remarks included, and the time of its
    /// first; none where there was none yet.
    ///
    /// # Errors
    /// Where the store fails.
    fn last_stock_event(
        &mut self,
        key: &StockKey,
        until: u64,
    ) -> Result<Option<(LogEntry, Timestamp)>, StoreFailure>;

    /// The sequence of the last entry that is not later than a time; 0 where there is none.
    ///
    /// # Errors
    /// Where the store fails.
    fn sequence_at(&mut self, at: Timestamp) -> Result<u64, StoreFailure>;

    /// Entries of the whole log, the oldest first.
    ///
    /// # Errors
    /// Where the store fails.
    fn events(&mut self, scan: &EventScan) -> Result<EventPage, StoreFailure>;

    /// Lets reads fail, as stopped, once this deadline is over; `None` lets reads take their time.
    fn limit(&mut self, deadline: Option<&QueryDeadline>);

    /// Pins a snapshot: all reads from now on see the same commit.
    ///
    /// # Errors
    /// Where the store fails.
    fn pin(&mut self) -> Result<(), StoreFailure>;

    /// The number of the last recorded command; 0: there is none.
    ///
    /// # Errors
    /// Where the store fails.
    fn last_recorded(&mut self) -> Result<u64, StoreFailure>;

    /// Up to `limit` recorded commands behind the one of number `after`, with their numbers, the
    /// oldest first.
    ///
    /// # Errors
    /// Where the store fails.
    fn recorded(&mut self, after: u64, limit: u32) -> Result<Vec<(u64, Recorded)>, StoreFailure>;

    /// The number of the recorded command whose events the one of this sequence belongs to.
    ///
    /// # Errors
    /// Where the store fails.
    fn recorded_with_event(&mut self, sequence: u64) -> Result<Option<u64>, StoreFailure>;
}

/// Which entries of the log to read.
#[derive(Clone, Default, Debug)]
pub struct EventScan {
    /// Only facts of these kinds; empty: of all.
    pub kinds: Vec<EventKind>,
    /// Only about stocks of this product.
    pub product_id: Option<ProductId>,
    /// Only about this reservation, or what it moved.
    pub reservation_id: Option<String>,
    /// Only with this reference.
    pub reference: Option<String>,
    /// Only behind this sequence.
    pub after: u64,
    /// At most this many.
    pub limit: u32,
}

impl EventScan {
    /// Whether it asks for this entry, wherever that is.
    #[must_use]
    pub(crate) fn matches(&self, entry: &LogEntry) -> bool {
        let (kind, product, reservation) = match &entry.event {
            Event::Stock(event) => (
                EventKind::Stock(event.kind),
                Some(&event.key.product_id),
                event.reservation_id.as_ref(),
            ),
            Event::Reservation(event) => {
                (EventKind::Reservation(event.kind), None, Some(&event.reservation_id))
            }
            Event::Domain(event) => (EventKind::Domain(event.kind), None, None),
        };
        (self.kinds.is_empty() || self.kinds.contains(&kind))
            && self.product_id.as_ref().is_none_or(|wanted| product == Some(wanted))
            && self.reservation_id.as_ref().is_none_or(|wanted| reservation == Some(wanted))
            && self
                .reference
                .as_deref()
                .is_none_or(|wanted| entry.reference.as_deref() == Some(wanted))
    }
}

/// A page of the log.
#[derive(Clone, Default, Debug)]
pub struct EventPage {
    /// The entries. A store may stop early, to keep one scan short.
    pub items: Vec<LogEntry>,
    /// The sequence behind which to read on; none at the end.
    pub next: Option<u64>,
}

//! Reading the event log.

use crate::model::{
    Event, EventKind, LogEntry, ProductId, QueryDeadline, Recorded, StockKey, StoreFailure,
    Timestamp,
};

/// The order in which the ledger of a stock is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// By descending sequence.
    NewestFirst,
    /// By ascending sequence.
    OldestFirst,
}

/// A reader of the event log.
#[allow(clippy::missing_errors_doc, reason = "every function fails where the store does")]
pub trait Log: Send + 'static {
    /// Up to `limit` events of one stock that follow the event `after` in this order; all from the
    /// first one on where `after` is `None`. Returns `None` where the stock does not exist.
    fn stock_events(
        &mut self,
        key: &StockKey,
        order: Order,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Option<Vec<LogEntry>>, StoreFailure>;

    /// The last event of a stock up to the sequence `until`, low-stock events included, and the
    /// time of the stock's first event. Returns `None` where the stock had no event by then.
    fn last_stock_event(
        &mut self,
        key: &StockKey,
        until: u64,
    ) -> Result<Option<(LogEntry, Timestamp)>, StoreFailure>;

    /// The sequence of the last event at the time `at` or before; 0 where there is none.
    fn sequence_at(&mut self, at: Timestamp) -> Result<u64, StoreFailure>;

    /// A page of the whole log, the oldest event first.
    fn events(&mut self, scan: &EventScan) -> Result<EventPage, StoreFailure>;

    /// Sets the deadline of the reads that follow. A read beyond it fails with
    /// [`StoreFailure::stopped`]. `None` removes the deadline.
    fn limit(&mut self, deadline: Option<&QueryDeadline>);

    /// Pins a snapshot: all reads from now on see the same commit.
    fn pin(&mut self) -> Result<(), StoreFailure>;

    /// The number of the last recorded command; 0 where there is none.
    fn last_recorded(&mut self) -> Result<u64, StoreFailure>;

    /// Up to `limit` recorded commands that follow the command number `after`, with their numbers,
    /// the oldest first.
    fn recorded(&mut self, after: u64, limit: u32) -> Result<Vec<(u64, Recorded)>, StoreFailure>;

    /// The number of the recorded command that produced the event of this sequence; `None` where
    /// that command was not recorded.
    fn recorded_with_event(&mut self, sequence: u64) -> Result<Option<u64>, StoreFailure>;
}

/// The filter and the bounds of a page of the log.
#[derive(Clone, Default, Debug)]
pub struct EventScan {
    /// Only events of these kinds; an empty list lets every kind through.
    pub kinds: Vec<EventKind>,
    /// Only events of stocks of this product.
    pub product_id: Option<ProductId>,
    /// Only events of this reservation, and events of stocks whose units it holds or held.
    pub reservation_id: Option<String>,
    /// Only events of commands with this reference.
    pub reference: Option<String>,
    /// Only events after this sequence.
    pub after: u64,
    /// The most events on the page.
    pub limit: u32,
}

impl EventScan {
    /// Whether an entry passes the filters. The bound `after` is not tested.
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
    /// The entries. A page may be short, because a store bounds the entries that one scan examines.
    pub items: Vec<LogEntry>,
    /// The sequence after which the next page begins; `None` at the end of the log.
    pub next: Option<u64>,
}

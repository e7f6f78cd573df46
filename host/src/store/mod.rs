//! The only room that knows SQL: where stocks and the event log are kept.
//!
//! One [`Lane`] writes; any number of [`Snapshot`]s read what is committed, without
//! waiting for it.

mod as_of;
mod cached;
mod memory;
pub mod sqlite;

pub use as_of::AsOf;
pub use cached::{Cache, CachedLane, CachedSnapshot};
pub use memory::MemoryLane;

use crate::model::{
    DeficitScan, Event, EventKind, Installed, LogEntry, Patience, ProductId, Recorded, Reservation,
    ReservationPage, ReservationScan, Stock, StockKey, StockScan, StoreFailure, Timestamp,
};
use std::{cmp::Reverse, collections::HashMap};

/// What the store keeps about a stock for itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Handle {
    /// Its own name for it, so that the log need not repeat the key.
    pub(crate) stock_id: i64,
    /// How many events there are about it.
    pub(crate) event_count: u64,
    /// The sequence of the latest of them.
    pub(crate) last_event: u64,
}

/// A stock as found in the store.
#[derive(Clone, Copy, Debug)]
pub struct Stored {
    /// What the store knows it by.
    pub handle: Handle,
    /// The stock.
    pub stock: Stock,
}

/// What the store keeps about a reservation for itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReservationHandle {
    /// Its own name for it.
    pub(crate) number: i64,
    /// The sequence of the latest event that names it.
    pub(crate) last_event: Option<u64>,
}

/// A reservation as found in the store.
#[derive(Clone, Debug)]
pub struct StoredReservation {
    /// What the store knows it by.
    pub handle: ReservationHandle,
    /// The reservation.
    pub reservation: Reservation,
}

/// What is committed, to be read.
#[allow(clippy::missing_errors_doc, reason = "every function fails where the store does")]
pub trait Snapshot: Send + 'static {
    /// Makes all reads until [`Snapshot::end`] see the same commit.
    fn begin(&mut self) -> Result<(), StoreFailure>;
    /// Lets reads see the latest commit again.
    fn end(&mut self);
    /// Lets reads fail, as stopped, once this patience is over; none: let them take their time.
    fn limit(&mut self, _patience: Option<&Patience>) {}
    /// The stock of this key.
    fn stock(&mut self, key: &StockKey) -> Result<Option<Stored>, StoreFailure>;
    /// Stocks in key order.
    fn scan_stocks(&mut self, scan: &StockScan) -> Result<Vec<(StockKey, Stored)>, StoreFailure>;
    /// Stocks below their minimum, the largest deficit first, then in key order.
    fn scan_deficits(
        &mut self,
        scan: &DeficitScan,
    ) -> Result<Vec<(StockKey, Stored)>, StoreFailure>;
    /// The reservation of this id.
    fn reservation(&mut self, id: &str) -> Result<Option<StoredReservation>, StoreFailure>;
    /// Whether no hold at all is due by `until`, as of the latest commit. Costs next to nothing.
    fn nothing_due(&self, until: Timestamp) -> bool;
    /// Units of the stock that belong to holds which are due by `until`, as of the commit that
    /// the other reads see: call it between [`Snapshot::begin`] and [`Snapshot::end`].
    fn due_units(&self, key: &StockKey, stored: &Stored, until: Timestamp) -> u64;
    /// The latest time for which [`Snapshot::due_units`] is exact.
    fn exact_until(&self) -> Timestamp;
    /// Reservations, the newest first.
    fn scan_reservations(
        &mut self,
        scan: &ReservationScan,
    ) -> Result<ReservationPage, StoreFailure>;
}

/// The end of the event log.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LogEnd {
    /// The last event's number; 0: there is none.
    pub sequence: u64,
    /// The latest time that was recorded.
    pub at: Timestamp,
}

/// A stock to be written.
#[derive(Debug)]
pub struct StockWrite<'a> {
    /// Its key.
    pub key: &'a StockKey,
    /// What the store knows it by; none: it is new. A commit brings it up to date.
    pub handle: &'a mut Option<Handle>,
    /// What it was before the batch; none: it is new.
    pub before: Option<&'a Stock>,
    /// What it is now.
    pub stock: &'a Stock,
}

/// A reservation to be written.
#[derive(Debug)]
pub struct ReservationWrite<'a> {
    /// Its id.
    pub id: &'a str,
    /// As the store has it; none: it is new.
    pub stored: Option<&'a StoredReservation>,
    /// What it is now.
    pub reservation: &'a Reservation,
}

/// Names a request that its sender may send again.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RequestKey {
    /// Whose key it is; empty: nobody's in particular.
    pub caller: String,
    /// The key.
    pub key: String,
}

/// What a request with a key was, and what it was answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answered {
    /// SHA-256 of the request.
    pub fingerprint: [u8; 32],
    /// The whole answer.
    pub response: Vec<u8>,
}

/// Bounds on the idempotency records of large answers, in bytes. Where a new one exceeds a bound,
/// the oldest go before their time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AnswerBounds {
    /// The most for one caller.
    pub caller_bytes_max: u64,
    /// The most for all callers together.
    pub bytes_max: u64,
}

impl AnswerBounds {
    /// No bounds.
    pub const NONE: Self = Self { caller_bytes_max: u64::MAX, bytes_max: u64::MAX };
}

/// The idempotency records of large answers, as of the latest commit.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LargeAnswers {
    /// The bytes of those that are kept.
    pub bytes: u64,
    /// How many went before their time since the start.
    pub forgotten_early: u64,
}

/// A batch to be committed.
#[derive(Debug)]
pub struct Batch<'a, 'w> {
    /// Stocks that changed.
    pub stocks: &'a mut [StockWrite<'w>],
    /// Reservations that changed.
    pub reservations: &'a [ReservationWrite<'w>],
    /// What happened.
    pub log: &'a [LogEntry],
    /// Requests that were answered, and when.
    pub answers: &'a HashMap<RequestKey, Answered>,
    /// Bounds on what is kept of the large ones.
    pub answer_bounds: AnswerBounds,
    /// Which component decides from now on, where that changes.
    pub installed: Option<Installed>,
    /// Commands as they were decided.
    pub recorded: &'a [Recorded],
    /// The most of them that are kept; 0: none are.
    pub recorded_max: u64,
    /// The time of the batch.
    pub now: Timestamp,
}

/// How well a lane knows what comes due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ahead {
    /// Everything that comes due before this time is known.
    Known(Timestamp),
    /// The same, and there is more to get to know at once.
    More(Timestamp),
}

/// The one writer.
#[allow(clippy::missing_errors_doc, reason = "every function fails where the store does")]
pub trait Lane: Snapshot {
    /// Begins a batch: what is read from now on is read for it.
    fn begin_batch(&mut self) -> Result<(), StoreFailure>;
    /// The ids of the held reservations that expire first, and when they do.
    fn first_due(&mut self, limit: u32) -> Result<Vec<(String, Timestamp)>, StoreFailure>;
    /// The ids of reservations that hold something of the stock and are due by `until`, the
    /// longest due first.
    fn due_on(
        &mut self,
        key: &StockKey,
        handle: &Handle,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<String>, StoreFailure>;
    /// Between batches: gets to know some of the holds that come due soon, so that it is known
    /// on which stocks when they do. Says when it is to be called again, at the latest.
    fn look_ahead(&mut self, now: Timestamp) -> Result<Ahead, StoreFailure>;
    /// Where the log ends.
    fn log_end(&mut self) -> Result<LogEnd, StoreFailure>;
    /// Which component decides, where that is written down.
    fn installed(&mut self) -> Result<Option<Installed>, StoreFailure>;
    /// Makes all of it durable, or nothing, and ends the batch. Returns the handle of each of the
    /// reservations, in order. After a failure nothing of it is there, now or after any restart,
    /// unless the failure says that its outcome is unknown.
    fn commit(&mut self, batch: Batch<'_, '_>) -> Result<Vec<ReservationHandle>, StoreFailure>;
    /// What a request with this key was answered since `since`.
    fn answered(
        &mut self,
        key: &RequestKey,
        since: Timestamp,
    ) -> Result<Option<Answered>, StoreFailure>;
    /// Within a batch: forgets up to `limit` answers from before `before`, fewer where they are
    /// large. Returns whether there may be more.
    fn forget_answers(&mut self, before: Timestamp, limit: u32) -> Result<bool, StoreFailure>;
    /// What is kept of large answers.
    fn large_answers(&self) -> LargeAnswers {
        LargeAnswers::default()
    }
    /// Whether batches can be begun, as far as is known. If not, [`Lane::recover`] comes first.
    fn writable(&self) -> bool {
        true
    }
    /// After a failure: gets ready to write again, and proves it by writing.
    fn recover(&mut self) -> Result<(), StoreFailure>;
    /// Leaves the store as compact as it can be, before the process ends.
    fn close(&mut self) -> Result<(), StoreFailure>;
}

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

    /// Lets reads fail, as stopped, once this patience is over; none: let them take their time.
    fn limit(&mut self, patience: Option<&Patience>);

    /// Lets all reads from now on see the same commit.
    ///
    /// # Errors
    /// Where the store fails.
    fn hold(&mut self) -> Result<(), StoreFailure>;

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

/// Whether a scan asks for this stock: the conditions that a store evaluates in its own
/// language, for stocks that are not in the store yet.
#[must_use]
pub(crate) fn scan_matches(scan: &StockScan, key: &StockKey, stock: &Stock) -> bool {
    let StockScan { location_id, product_prefix, below_minimum, after, .. } = scan;
    location_id.as_deref().is_none_or(|id| id == key.location_id.as_str())
        && product_prefix
            .as_deref()
            .is_none_or(|prefix| key.product_id.as_str().starts_with(prefix))
        && (!below_minimum || deficit(stock) > 0)
        && after.as_ref().is_none_or(|after| key > after)
}

/// The same for a scan by deficit.
#[must_use]
pub(crate) fn deficit_scan_matches(scan: &DeficitScan, key: &StockKey, stock: &Stock) -> bool {
    let DeficitScan { location_id, after, .. } = scan;
    location_id.as_deref().is_none_or(|id| id == key.location_id.as_str())
        && deficit(stock) > 0
        && after.as_ref().is_none_or(|after| {
            deficit_order(deficit(stock), key) > deficit_order(after.deficit, &after.key)
        })
}

/// The order of a scan by deficit: the largest first, then by key.
#[must_use]
pub(crate) fn deficit_order(deficit: u64, key: &StockKey) -> (Reverse<u64>, &StockKey) {
    (Reverse(deficit), key)
}

/// Units missing to the minimum, as the contract's `storage` defines it.
#[must_use]
pub(crate) fn deficit(stock: &Stock) -> u64 {
    let level = stock.level;
    level.minimum.saturating_sub(level.total.saturating_sub(level.reserved))
}

//! Reads of the event log: pages of events, and stocks at a point in time.

use super::Error;
use crate::{
    model::{Event, LogEntry, QueryDeadline, Stock, StockKey, StoreFailure, Timestamp},
    store::{EventPage, EventScan, Log, Order},
};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A point in the past of the event log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PointInTime {
    /// After the event of this sequence.
    Sequence(u64),
    /// After all events until this time, in milliseconds since the epoch.
    Time(Timestamp),
}

/// A query for a page of one stock's ledger.
#[derive(Clone, Debug)]
pub struct LedgerScan {
    /// The stock's key.
    pub key: StockKey,
    /// The order of the page.
    pub order: Order,
    /// Only entries after this sequence, in the order of the page, are returned; `None` for the
    /// first page.
    pub after: Option<u64>,
    /// The most entries on the page.
    pub limit: u32,
}

/// A page of a stock's ledger.
#[derive(Clone, Debug)]
pub struct LedgerPage {
    /// The entries.
    pub items: Vec<LogEntry>,
    /// The `after` of the next page; `None` on the last page.
    pub next: Option<u64>,
}

/// A pool of readers of the log, one for each query that may run at once.
pub(super) struct Logs<G> {
    idle: Mutex<Vec<G>>,
}

impl<G: Log> Logs<G> {
    pub(super) fn open(
        count: usize,
        open: impl Fn() -> Result<G, StoreFailure>,
    ) -> Result<Self, StoreFailure> {
        let logs: Result<Vec<_>, _> = (0..count).map(|_| open()).collect();
        Ok(Self { idle: Mutex::new(logs?) })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<G>> {
        // Nothing that can panic happens under the lock.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the log with an idle reader, within the deadline of a query.
    fn read<T>(
        &self,
        deadline: &QueryDeadline,
        read: impl FnOnce(&mut G) -> Result<T, StoreFailure>,
    ) -> Result<T, Error> {
        let log = self.idle().pop();
        // A query that panicked lost its reader.
        let mut log = log.ok_or(Error::StoreUnavailable)?;
        log.limit(Some(deadline));
        let found = read(&mut log);
        log.limit(None);
        self.idle().push(log);
        Ok(found?)
    }

    /// A page of the whole log, the oldest events first.
    pub(super) fn events(
        &self,
        deadline: &QueryDeadline,
        scan: &EventScan,
    ) -> Result<EventPage, Error> {
        self.read(deadline, |log| log.events(scan))
    }

    /// A page of a stock's ledger; `None` where the stock does not exist.
    pub(super) fn ledger(
        &self,
        deadline: &QueryDeadline,
        scan: &LedgerScan,
    ) -> Result<Option<LedgerPage>, Error> {
        let LedgerScan { key, order, after, limit } = scan;
        // One entry more than the limit shows whether there is a next page.
        let wanted = limit.saturating_add(1);
        let found = self.read(deadline, |log| log.stock_events(key, *order, *after, wanted))?;
        Ok(found.map(|items| page(items, *limit)))
    }

    /// The stock at a point in time, and the time of its latest event until then; `None` where the
    /// stock did not exist yet.
    pub(super) fn stock_as_of(
        &self,
        deadline: &QueryDeadline,
        key: &StockKey,
        as_of: PointInTime,
    ) -> Result<Option<(Stock, Timestamp)>, Error> {
        let found = self.read(deadline, |log| {
            let until = match as_of {
                PointInTime::Sequence(sequence) => sequence,
                PointInTime::Time(at) => log.sequence_at(at)?,
            };
            log.last_stock_event(key, until)
        })?;
        Ok(match found {
            Some((LogEntry { event: Event::Stock(event), at, .. }, created_at)) => {
                Some((Stock { level: event.to, due: 0, created_at, updated_at: at }, at))
            }
            _ => None,
        })
    }
}

fn page(mut items: Vec<LogEntry>, limit: u32) -> LedgerPage {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = if more { items.last().map(|entry| entry.sequence) } else { None };
    LedgerPage { items, next }
}

//! Queries: on snapshots of what is committed, side by side, never behind the writer.

use super::{
    Error,
    clock::Clock,
    faults::Faults,
    queries::{AsOf, LedgerPage, Queries},
};
use crate::{
    component::{Decision, Domain, Guest},
    model::{
        DeficitPosition, Ended, Event, LocationId, LogEntry, LowStockPage, Patience, Reservation,
        ReservationPage, ReservationScan, Stock, StockFilter, StockKey, StockPage, StockView,
        StoreFailure, Timestamp, Waiting,
    },
    store::{EventPage, EventScan, Log, Order, Snapshot},
    unit_of_work::ReadView,
};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::Semaphore;

/// An instance that has answered this many queries makes room for a fresh one, so that
/// whatever a component may keep to itself does not grow old.
const CALLS_PER_INSTANCE_MAX: u32 = 1_024;

/// The component that answers, for all readers: it changes when the one that decides does.
pub(super) struct Answering<S: Snapshot> {
    domain: RwLock<Domain<ReadView<S>>>,
    /// Counts the changes: a guest from before the last one is not asked any more.
    changes: AtomicU64,
}

impl<S: Snapshot> Answering<S> {
    pub(super) fn new(domain: Domain<ReadView<S>>) -> Self {
        Self { domain: RwLock::new(domain), changes: AtomicU64::new(0) }
    }

    pub(super) fn replace(&self, domain: Domain<ReadView<S>>) {
        *self.domain.write().unwrap_or_else(PoisonError::into_inner) = domain;
        self.changes.fetch_add(1, Ordering::Release);
    }

    fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    fn domain(&self) -> Domain<ReadView<S>> {
        self.domain.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn uses_wasi(&self) -> bool {
        self.domain.read().unwrap_or_else(PoisonError::into_inner).uses_wasi()
    }
}

/// As many readers as may work at once.
pub(super) struct Readers<S: Snapshot, G> {
    answering: Arc<Answering<S>>,
    faults: Arc<Faults>,
    clock: Arc<Clock>,
    permits: Arc<Semaphore>,
    /// How long a query may run.
    query_within: Duration,
    /// Whether the process is ending.
    stopping: Arc<AtomicBool>,
    /// One slot per reader; empty only if a query panicked.
    slots: Vec<Mutex<Option<Reader<S>>>>,
    idle_logs: Mutex<Vec<G>>,
}

/// A snapshot, with an instance over it where there is one alive.
enum Reader<S: Snapshot> {
    Live { guest: Box<Guest<ReadView<S>>>, calls: u32, changes: u64 },
    Spent(ReadView<S>),
}

impl<S: Snapshot, G: Log> Readers<S, G> {
    pub(super) fn open(
        (readers, query_within): (usize, Duration),
        answering: Arc<Answering<S>>,
        faults: Arc<Faults>,
        clock: Arc<Clock>,
        snapshots: impl Fn() -> Result<S, StoreFailure>,
        logs: impl Fn() -> Result<G, StoreFailure>,
    ) -> Result<Self, StoreFailure> {
        let slots: Result<Vec<_>, _> = (0..readers)
            .map(|_| snapshots().map(|it| Mutex::new(Some(Reader::Spent(ReadView::new(it))))))
            .collect();
        let idle_logs: Result<Vec<_>, _> = (0..readers).map(|_| logs()).collect();
        Ok(Self {
            answering,
            faults,
            clock,
            permits: Arc::new(Semaphore::new(readers)),
            query_within,
            stopping: Arc::default(),
            slots: slots?,
            idle_logs: Mutex::new(idle_logs?),
        })
    }

    /// The slots, beginning with the one that this thread used last: its instance is warm in
    /// this core's cache, and no other thread wants its lock.
    fn slots(&self) -> impl Iterator<Item = &Mutex<Option<Reader<S>>>> {
        let first = preferred_slot() % self.slots.len().max(1);
        self.slots.iter().cycle().skip(first).take(self.slots.len())
    }

    /// As of when a query is answered: now, unless the writer is behind with getting to know what
    /// comes due.
    fn now(&self, guest: &mut Guest<ReadView<S>>) -> Timestamp {
        self.clock.now().min(guest.world().exact_until())
    }

    fn query<T>(
        &self,
        patience: &Patience,
        query: impl Fn(&mut Guest<ReadView<S>>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let free = self.slots().find_map(|slot| slot.try_lock().ok());
        let waited = || self.slots().next()?.lock().ok();
        match free.or_else(waited) {
            Some(slot) => self.query_in(slot, Some(patience), query),
            None => Err(Error::StoreUnavailable),
        }
    }

    /// A query that reads several things of one commit.
    fn query_bound<T>(
        &self,
        patience: &Patience,
        query: impl Fn(&mut Guest<ReadView<S>>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.query(patience, |guest| {
            guest.world().begin()?;
            let result = query(guest);
            guest.world().end();
            result
        })
    }

    fn with_log<T>(
        &self,
        patience: &Patience,
        read: impl FnOnce(&mut G) -> Result<T, StoreFailure>,
    ) -> Result<T, Error> {
        let log = self.idle_logs.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut log = log.ok_or(Error::StoreUnavailable)?;
        log.limit(Some(patience));
        let found = read(&mut log);
        log.limit(None);
        self.idle_logs.lock().unwrap_or_else(PoisonError::into_inner).push(log);
        Ok(found?)
    }

    fn query_in<T>(
        &self,
        mut slot: MutexGuard<'_, Option<Reader<S>>>,
        patience: Option<&Patience>,
        query: impl Fn(&mut Guest<ReadView<S>>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let reader = slot.take().ok_or(Error::StoreUnavailable)?;
        let (reader, result) = self.query_with(reader, patience, query);
        *slot = Some(reader);
        result
    }

    fn query_with<T>(
        &self,
        reader: Reader<S>,
        patience: Option<&Patience>,
        query: impl Fn(&mut Guest<ReadView<S>>) -> Result<T, Error>,
    ) -> (Reader<S>, Result<T, Error>) {
        // Before the component is looked up: what changes in between is noticed the next time.
        let changes = self.answering.changes();
        let view = match reader {
            Reader::Live { guest, calls, changes: of } if of == changes => {
                return self.query_live(guest, (calls, changes), patience, query);
            }
            Reader::Live { guest, .. } => guest.into_world(),
            Reader::Spent(view) => view,
        };
        match Guest::new(&self.answering.domain(), view) {
            Ok(guest) => self.query_live(Box::new(guest), (0, changes), patience, query),
            Err((fault, view)) => {
                self.faults.note(self.clock.now());
                (Reader::Spent(view), Err(Ended::Fault(fault).into()))
            }
        }
    }

    fn query_live<T>(
        &self,
        mut guest: Box<Guest<ReadView<S>>>,
        (calls, changes): (u32, u64),
        patience: Option<&Patience>,
        query: impl Fn(&mut Guest<ReadView<S>>) -> Result<T, Error>,
    ) -> (Reader<S>, Result<T, Error>) {
        guest.world().limit(patience);
        let result = ask(&mut guest, query);
        guest.world().limit(None);
        if matches!(result, Err(Error::Fault)) {
            self.faults.note(self.clock.now());
        }
        // A rejection is an answer; anything else may have cost the instance.
        let sound = matches!(result, Ok(_) | Err(Error::Rejected(_)));
        let reader = if sound && calls < CALLS_PER_INSTANCE_MAX && guest.is_reusable() {
            Reader::Live { guest, calls: calls + 1, changes }
        } else {
            Reader::Spent(guest.into_world())
        };
        (reader, result)
    }
}

/// Asks; and where that read more than one thing, asks again, bound to one commit.
fn ask<S: Snapshot, T>(
    guest: &mut Guest<ReadView<S>>,
    query: impl Fn(&mut Guest<ReadView<S>>) -> Result<T, Error>,
) -> Result<T, Error> {
    let result = query(guest);
    let sound = matches!(result, Ok(_) | Err(Error::Rejected(_)));
    if !(guest.world().take_torn() && sound) {
        return result;
    }
    guest.world().begin()?;
    let result = query(guest);
    guest.world().end();
    result
}

/// Spreads the threads that ask over the slots.
fn preferred_slot() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static SLOT: usize = THREADS.fetch_add(1, Ordering::Relaxed);
    }
    SLOT.with(|slot| *slot)
}

fn answer<T>(decided: Result<Decision<T>, Ended>) -> Result<T, Error> {
    decided?.map_err(Error::Rejected)
}

impl<S: Snapshot, G: Log> Queries for Readers<S, G> {
    fn permits(&self) -> &Arc<Semaphore> {
        &self.permits
    }

    fn patience(&self) -> (Patience, Waiting) {
        Patience::new(self.query_within, Arc::clone(&self.stopping))
    }

    fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    fn may_block(&self) -> bool {
        self.answering.uses_wasi()
    }

    fn try_stock(&self, key: &StockKey) -> Option<Result<StockView, Error>> {
        let slot = self.slots().find_map(|slot| slot.try_lock().ok())?;
        Some(self.query_in(slot, None, |guest| {
            let now = self.now(guest);
            answer(guest.get_stock(key, now))
        }))
    }

    fn stock(&self, patience: &Patience, key: &StockKey) -> Result<StockView, Error> {
        self.query(patience, |guest| {
            let now = self.now(guest);
            answer(guest.get_stock(key, now))
        })
    }

    fn stocks(
        &self,
        patience: &Patience,
        keys: &[StockKey],
    ) -> Result<Vec<Option<StockView>>, Error> {
        self.query_bound(patience, |guest| {
            let now = self.now(guest);
            keys.iter()
                .map(|key| match guest.get_stock(key, now)? {
                    Ok(view) => Ok(Some(view)),
                    Err(rejection) if rejection.code == "product-not-found" => Ok(None),
                    Err(rejection) => Err(Error::Rejected(rejection)),
                })
                .collect()
        })
    }

    fn list_stocks(
        &self,
        patience: &Patience,
        filter: &StockFilter,
        after: Option<&StockKey>,
        limit: u32,
    ) -> Result<StockPage, Error> {
        self.query_bound(patience, |guest| {
            let now = self.now(guest);
            answer(guest.list_stocks(filter, after, limit, now))
        })
    }

    fn low_stock(
        &self,
        patience: &Patience,
        location_id: Option<&LocationId>,
        after: Option<&DeficitPosition>,
        limit: u32,
    ) -> Result<LowStockPage, Error> {
        let location_id = location_id.map(LocationId::as_str);
        self.query_bound(patience, |guest| {
            let now = self.now(guest);
            answer(guest.low_stock(location_id, after, limit, now))
        })
    }

    fn ledger(
        &self,
        patience: &Patience,
        key: &StockKey,
        order: Order,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Option<LedgerPage>, Error> {
        // One more than the page tells whether there is a next one.
        let wanted = limit.saturating_add(1);
        let found = self.with_log(patience, |log| log.stock_events(key, order, after, wanted))?;
        Ok(found.map(|items| page(items, limit)))
    }

    fn stock_as_of(
        &self,
        patience: &Patience,
        key: &StockKey,
        as_of: AsOf,
    ) -> Result<Option<StockView>, Error> {
        let found = self.with_log(patience, |log| {
            let until = match as_of {
                AsOf::Sequence(sequence) => sequence,
                AsOf::Time(at) => log.sequence_at(at)?,
            };
            log.last_stock_event(key, until)
        })?;
        let Some((LogEntry { event: Event::Stock(event), at, .. }, created_at)) = found else {
            return Ok(None);
        };
        let stock = Stock { level: event.to, due: 0, created_at, updated_at: at };
        self.query(patience, |guest| {
            guest.world().pin(Some((key.clone(), stock)));
            let view = answer(guest.get_stock(key, at));
            guest.world().pin(None);
            view.map(Some)
        })
    }

    fn reservation(&self, patience: &Patience, id: &str) -> Result<Reservation, Error> {
        self.query_bound(patience, |guest| {
            let now = self.now(guest);
            answer(guest.get_reservation(id, now))
        })
    }

    fn list_reservations(
        &self,
        patience: &Patience,
        scan: &ReservationScan,
    ) -> Result<ReservationPage, Error> {
        self.query_bound(patience, |guest| {
            let now = self.now(guest);
            answer(guest.list_reservations(scan, now))
        })
    }

    fn events(&self, patience: &Patience, scan: &EventScan) -> Result<EventPage, Error> {
        self.with_log(patience, |log| log.events(scan))
    }
}

fn page(mut items: Vec<LogEntry>, limit: u32) -> LedgerPage {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = if more { items.last().map(|entry| entry.sequence) } else { None };
    LedgerPage { items, next }
}

//! The readers: each answers queries from a snapshot of the committed state. Readers run in
//! parallel and never wait for the writer.

use super::{
    Error,
    clock::Clock,
    faults::Faults,
    logs::{LedgerPage, LedgerScan, Logs, PointInTime},
    queries::{self, Queries},
    query_component::QueryComponent,
};
use crate::{
    component::{Decision, Guest},
    model::{
        Answer, Ask, Ended, GetStock, Query, QueryDeadline, QueryGuard, StockView, StoreFailure,
        Timestamp,
    },
    store::{EventPage, EventScan, Log, Snapshot},
    unit_of_work::ReadView,
};
use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::Semaphore;

/// The most queries that one instance of the component answers. Then a fresh instance replaces it:
/// the bound limits the effect of a component that keeps state between calls, against the contract.
const CALLS_PER_INSTANCE_MAX: u32 = 1_024;

/// A pool of readers, one for each query that may run at once.
pub(super) struct Readers<S: Snapshot, G> {
    query_component: Arc<QueryComponent<S>>,
    faults: Arc<Faults>,
    clock: Arc<Clock>,
    /// One permit for each reader.
    permits: Arc<Semaphore>,
    /// The deadline of a query, from its beginning.
    query_within: Duration,
    /// Whether the process is stopping.
    stopping: Arc<AtomicBool>,
    /// One slot for each reader. A slot is empty only where a query panicked.
    slots: Vec<Mutex<Option<Reader<S>>>>,
    logs: Logs<G>,
}

/// A reader: a snapshot, and an instance of the component over it where one is live.
enum Reader<S: Snapshot> {
    /// `calls` counts the instance's queries. `replacements` is the count of
    /// [`QueryComponent::replacements`] when the instance was made.
    Live { guest: Box<Guest<ReadView<S>>>, calls: u32, replacements: u64 },
    /// The next query makes an instance.
    Spent(ReadView<S>),
}

impl<S: Snapshot, G: Log> Readers<S, G> {
    pub(super) fn open(
        (readers, query_within): (usize, Duration),
        query_component: Arc<QueryComponent<S>>,
        faults: Arc<Faults>,
        clock: Arc<Clock>,
        snapshots: impl Fn() -> Result<S, StoreFailure>,
        logs: impl Fn() -> Result<G, StoreFailure>,
    ) -> Result<Self, StoreFailure> {
        let slots: Result<Vec<_>, _> = (0..readers)
            .map(|_| snapshots().map(|it| Mutex::new(Some(Reader::Spent(ReadView::new(it))))))
            .collect();
        Ok(Self {
            query_component,
            faults,
            clock,
            permits: Arc::new(Semaphore::new(readers)),
            query_within,
            stopping: Arc::default(),
            slots: slots?,
            logs: Logs::open(readers, logs)?,
        })
    }

    /// The slots, beginning with the one that this thread prefers: the slot's instance is warm in
    /// this core's cache, and other threads prefer other slots.
    fn slots(&self) -> impl Iterator<Item = &Mutex<Option<Reader<S>>>> {
        let first = preferred_slot() % self.slots.len().max(1);
        self.slots.iter().cycle().skip(first).take(self.slots.len())
    }

    /// The time as of which a query is answered: now, or the latest time for which the sums of due
    /// units are exact, where that is earlier.
    fn now(&self, guest: &mut Guest<ReadView<S>>) -> Timestamp {
        self.clock.now().min(guest.world().exact_until())
    }

    /// Answers a query with a free reader, or waits for one.
    fn answer(
        &self,
        deadline: &QueryDeadline,
        query: impl Fn(&mut Guest<ReadView<S>>) -> Result<Answer, Error>,
    ) -> Result<Answer, Error> {
        let free = self.slots().find_map(|slot| slot.try_lock().ok());
        let waited = || self.slots().next()?.lock().ok();
        match free.or_else(waited) {
            Some(slot) => self.answer_in(slot, Some(deadline), query),
            None => Err(Error::StoreUnavailable),
        }
    }

    fn answer_in(
        &self,
        mut slot: MutexGuard<'_, Option<Reader<S>>>,
        deadline: Option<&QueryDeadline>,
        query: impl Fn(&mut Guest<ReadView<S>>) -> Result<Answer, Error>,
    ) -> Result<Answer, Error> {
        let reader = slot.take().ok_or(Error::StoreUnavailable)?;
        let (reader, result) = self.answer_with(reader, deadline, query);
        *slot = Some(reader);
        result
    }

    fn answer_with(
        &self,
        reader: Reader<S>,
        deadline: Option<&QueryDeadline>,
        query: impl Fn(&mut Guest<ReadView<S>>) -> Result<Answer, Error>,
    ) -> (Reader<S>, Result<Answer, Error>) {
        // The count is read before the component: the next query notices a swap between the two
        // reads.
        let replacements = self.query_component.replacements();
        let view = match reader {
            Reader::Live { guest, calls, replacements: of } if of == replacements => {
                return self.answer_live(guest, (calls, replacements), deadline, query);
            }
            Reader::Live { guest, .. } => guest.into_world(),
            Reader::Spent(view) => view,
        };
        match Guest::new(&self.query_component.domain(), view) {
            Ok(guest) => self.answer_live(Box::new(guest), (0, replacements), deadline, query),
            Err((fault, view)) => {
                self.faults.count(self.clock.now());
                (Reader::Spent(view), Err(Ended::Fault(fault).into()))
            }
        }
    }

    fn answer_live(
        &self,
        mut guest: Box<Guest<ReadView<S>>>,
        (calls, replacements): (u32, u64),
        deadline: Option<&QueryDeadline>,
        query: impl Fn(&mut Guest<ReadView<S>>) -> Result<Answer, Error>,
    ) -> (Reader<S>, Result<Answer, Error>) {
        guest.world().limit(deadline);
        let result = query(&mut guest);
        guest.world().limit(None);
        if matches!(result, Err(Error::Fault)) {
            self.faults.count(self.clock.now());
        }
        // After any other error the instance may be unusable.
        let sound = is_answer(&result);
        let reader = if sound && calls + 1 < CALLS_PER_INSTANCE_MAX && guest.is_reusable() {
            Reader::Live { guest, calls: calls + 1, replacements }
        } else {
            Reader::Spent(guest.into_world())
        };
        (reader, result)
    }

    /// Asks the component as of now.
    fn ask(
        &self,
        guest: &mut Guest<ReadView<S>>,
        caller: Option<&str>,
        query: Query<'_>,
    ) -> Result<Answer, Error> {
        let once = |guest: &mut Guest<ReadView<S>>| {
            let now = self.now(guest);
            decided(guest.query(caller, query, now))
        };
        match query {
            Query::GetStock(_) => ask_cheaply(guest, once),
            _ => ask_on_one_commit(guest, once),
        }
    }
}

/// Asks a query whose reads all see the same commit.
fn ask_on_one_commit<S: Snapshot>(
    guest: &mut Guest<ReadView<S>>,
    query: impl Fn(&mut Guest<ReadView<S>>) -> Result<Answer, Error>,
) -> Result<Answer, Error> {
    guest.world().begin()?;
    let result = query(guest);
    guest.world().end();
    result
}

/// Asks a query that usually reads one row, without the cost of a snapshot pin. Where the query did
/// read more, of possibly different commits, it is asked again on one commit.
fn ask_cheaply<S: Snapshot>(
    guest: &mut Guest<ReadView<S>>,
    query: impl Fn(&mut Guest<ReadView<S>>) -> Result<Answer, Error>,
) -> Result<Answer, Error> {
    let result = query(guest);
    let torn = guest.world().take_torn();
    if torn && is_answer(&result) { ask_on_one_commit(guest, query) } else { result }
}

/// Whether the component answered. A rejection is an answer too.
fn is_answer(result: &Result<Answer, Error>) -> bool {
    matches!(result, Ok(_) | Err(Error::Rejected(_)))
}

/// The number of the slot that this thread prefers: threads are spread over the slots in turn.
fn preferred_slot() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static SLOT: usize = THREADS.fetch_add(1, Ordering::Relaxed);
    }
    SLOT.with(|slot| *slot)
}

fn decided(decided: Result<Decision<Answer>, Ended>) -> Result<Answer, Error> {
    decided?.map_err(Error::Rejected)
}

impl<S: Snapshot, G: Log> Queries for Readers<S, G> {
    fn permits(&self) -> &Arc<Semaphore> {
        &self.permits
    }

    fn deadline(&self) -> (QueryDeadline, QueryGuard) {
        QueryDeadline::new(self.query_within, Arc::clone(&self.stopping))
    }

    fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    fn may_block(&self) -> bool {
        self.query_component.uses_wasi()
    }

    fn try_query(&self, caller: Option<&str>, query: Query<'_>) -> Option<Result<Answer, Error>> {
        let slot = self.slots().find_map(|slot| slot.try_lock().ok())?;
        Some(self.answer_in(slot, None, |guest| self.ask(guest, caller, query)))
    }

    fn query(
        &self,
        deadline: &QueryDeadline,
        caller: Option<&str>,
        query: Query<'_>,
    ) -> Result<Answer, Error> {
        self.answer(deadline, |guest| self.ask(guest, caller, query))
    }

    fn stock_as_of(
        &self,
        deadline: &QueryDeadline,
        caller: Option<&str>,
        query: &GetStock,
        as_of: PointInTime,
    ) -> Result<Option<StockView>, Error> {
        let Some((stock, at)) = self.logs.stock_as_of(deadline, &query.key, as_of)? else {
            return Ok(None);
        };
        let once = |guest: &mut Guest<ReadView<S>>| {
            guest.world().pin(Some((query.key.clone(), stock)));
            let answer = decided(guest.query(caller, query.as_query(), at));
            guest.world().pin(None);
            answer
        };
        let answer = self.answer(deadline, |guest| ask_cheaply(guest, once))?;
        queries::typed::<GetStock>(answer).map(Some)
    }

    fn ledger(
        &self,
        deadline: &QueryDeadline,
        scan: &LedgerScan,
    ) -> Result<Option<LedgerPage>, Error> {
        self.logs.ledger(deadline, scan)
    }

    fn events(&self, deadline: &QueryDeadline, scan: &EventScan) -> Result<EventPage, Error> {
        self.logs.events(deadline, scan)
    }
}

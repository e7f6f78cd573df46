//! The way of a command: a bounded queue, a batch of all that waits, one commit, and only
//! then the replies. And the way of a query: a snapshot, past the writer.
//!
//! It knows nothing of HTTP, of SQL or of how a component is run.

mod chores;
mod clock;
mod error;
mod executor;
mod faults;
mod instance;
mod metrics;
mod queries;
mod queue;
mod readers;
mod request;
mod settings;
mod shadow;
mod status;
mod switch;
mod waiting;
mod writer;

pub use clock::{ClockReading, ClockStatus};
pub use error::{Error, StartError};
pub use queries::{AsOf, LedgerPage, Queries};
pub use request::{Done, Recording, Render, Request, Work};
pub use settings::Settings;
pub use shadow::ShadowReport;
pub use status::Status;
pub use switch::{DomainStatus, SwapError, Swapped};

use crate::{
    component::{Compiled, Limits},
    metrics::Registry,
    model::{
        DeficitPosition, Digest, Installed, LocationId, LowStockPage, Origin, Reservation,
        ReservationPage, ReservationScan, StockFilter, StockKey, StockPage, StockView,
        StoreFailure, Timestamp,
    },
    store::{Ahead, EventPage, EventScan, Lane, Log, Order, Snapshot},
    unit_of_work::UnitOfWork,
};
use clock::Clock;
use faults::Faults;
use instance::Instance;
use metrics::EngineMetrics;
use queue::{Job, Push, Queue, Reply};
use readers::{Answering, Readers};
use status::StatusCell;
use std::{sync::Arc, thread::JoinHandle};
use switch::{Control, Ready, Switch};
use tokio::sync::oneshot;

/// With which component to start.
pub struct Start {
    /// The one that decides.
    pub current: Compiled,
    /// The one before it, where there was one and it still compiles.
    pub previous: Option<Compiled>,
    /// What is to be written down about them.
    pub installed: Installed,
    /// Who decided the last time, and why that changes, where it does.
    pub announce: Option<(Digest, Origin)>,
    /// What components may use.
    pub limits: Limits,
}

/// Decides and remembers. Shared by all that serve requests.
pub struct Engine {
    settings: Settings,
    queue: Arc<Queue>,
    queries: Arc<dyn Queries>,
    status: Arc<StatusCell>,
    metrics: Arc<EngineMetrics>,
    clock: Arc<Clock>,
    control: Arc<dyn Control>,
}

/// The writer's thread, to be waited for at the end.
pub struct Writer {
    queue: Arc<Queue>,
    queries: Arc<dyn Queries>,
    thread: JoinHandle<()>,
    ended: oneshot::Receiver<()>,
}

impl Writer {
    /// Resolves when the writer has ended by itself, which it should not.
    pub async fn ended(&mut self) {
        // The thread sends nothing: that it drops its end is the message.
        let _ = (&mut self.ended).await;
    }

    /// Finishes what is queued, refuses everything else, ends queries without an answer, and leaves
    /// the store tidy. Blocks.
    pub fn stop(self) {
        self.queries.stop();
        self.queue.close();
        if self.thread.join().is_err() {
            tracing::error!("the writer panicked");
        }
    }
}

/// Starts the engine over a store: its one lane, and a way to open readers.
///
/// # Errors
/// [`StartError`].
pub fn start<L, S, G>(
    settings: Settings,
    start: Start,
    lane: L,
    snapshots: impl Fn() -> Result<S, StoreFailure>,
    logs: impl Fn() -> Result<G, StoreFailure>,
) -> Result<(Engine, Writer), StartError>
where
    L: Lane,
    S: Snapshot,
    G: Log,
{
    let current = Ready::of(&start.current)?;
    let previous = start.previous.as_ref().map(Ready::of).transpose()?;
    let mut unit = UnitOfWork::new(lane)?;
    unit.record_up_to(settings.recorded_commands_max);
    unit.bound_answers(settings.answer_bounds);
    let recorded = unit.log_end().at;
    let clock = Clock::new(recorded, settings.clock_step_ms_max, settings.accept_clock);
    let clock = Arc::new(clock);
    // Before anybody reads: what is due already.
    let now = clock.now();
    while matches!(unit.look_ahead(now)?, Ahead::More(before) if before <= now) {}
    let status = Arc::new(StatusCell::default());
    if !unit.writable() {
        status.set(Status::ReadOnly);
    }
    let metrics = Arc::new(EngineMetrics::default());
    metrics.set_large_answers(unit.large_answers());
    let queue = Arc::new(Queue::new(settings.queue_commands_max, settings.queue_lines_max));
    let answering = Arc::new(Answering::new(current.reading()));
    let faults = Arc::new(Faults::new(settings.faults_per_minute_max, Arc::clone(&queue)));
    let readers = Readers::open(
        (settings.readers_max, settings.query_within),
        Arc::clone(&answering),
        Arc::clone(&faults),
        Arc::clone(&clock),
        snapshots,
        logs,
    )?;
    let instance = Instance::new(current.deciding(), unit);
    let (to_writer, limits) = (Arc::clone(&queue), start.limits);
    let switch = Arc::new(Switch::new(
        start.installed,
        current,
        previous,
        to_writer,
        answering,
        faults,
        limits,
    ));
    if let Some((from, origin)) = start.announce {
        switch.announce(from, origin);
    }
    let (ending, ended) = oneshot::channel();
    let thread = std::thread::Builder::new().name("writer".into()).spawn({
        let (queue, status) = (Arc::clone(&queue), Arc::clone(&status));
        let (clock, metrics) = (Arc::clone(&clock), Arc::clone(&metrics));
        let switch = Arc::clone(&switch);
        move || {
            let _ending: oneshot::Sender<()> = ending;
            writer::run(&queue, &status, &metrics, &clock, &switch, instance, settings);
        }
    })?;
    let queries: Arc<dyn Queries> = Arc::new(readers);
    let engine = Engine {
        settings,
        queue: Arc::clone(&queue),
        queries: Arc::clone(&queries),
        status,
        metrics,
        clock,
        control: switch,
    };
    Ok((engine, Writer { queue, queries, thread, ended }))
}

impl Engine {
    /// Lets the domain decide and waits until the decision is durable.
    ///
    /// # Errors
    /// [`Error`]; nothing was written then, but for [`Error::OutcomeUnknown`].
    pub async fn execute(&self, request: Request) -> Result<Done, Error> {
        if self.status.get() == Status::ReadOnly {
            return Err(Error::ReadOnly);
        }
        let (lines, most) = (request.work.lines(), self.settings.request_lines_max);
        if lines > most {
            return Err(Error::TooManyLines { lines, most });
        }
        let (reply, decided) = oneshot::channel();
        match self.queue.push(Job::new(request, reply)) {
            Push::Queued => {}
            Push::Full { waiting } => {
                self.metrics.count_overload(waiting, self.clock.now());
                return Err(Error::Overloaded { waiting });
            }
            Push::Closed => return Err(Error::Stopping),
        }
        let within = self.settings.answer_within;
        let mut reply = match tokio::time::timeout(within, decided).await {
            Ok(reply) => reply,
            Err(_) => return Err(Error::Late { within }),
        };
        // Only a writer that panicked drops a reply, perhaps behind its commit.
        loop {
            match reply {
                Ok(Reply::Now(result)) => return result,
                Ok(Reply::Later(later)) => reply = later.await,
                Err(_) => return Err(Error::OutcomeUnknown),
            }
        }
    }

    /// One stock.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn stock(&self, key: &StockKey) -> Result<StockView, Error> {
        queries::stock(&self.queries, key).await
    }

    /// One stock as it once was; none where there was none yet.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn stock_as_of(
        &self,
        key: StockKey,
        as_of: AsOf,
    ) -> Result<Option<StockView>, Error> {
        queries::blocking(&self.queries, move |queries, patience| {
            queries.stock_as_of(patience, &key, as_of)
        })
        .await
    }

    /// One reservation.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn reservation(&self, id: String) -> Result<Reservation, Error> {
        queries::blocking(&self.queries, move |queries, patience| {
            queries.reservation(patience, &id)
        })
        .await
    }

    /// A page of reservations, the newest first.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn list_reservations(&self, scan: ReservationScan) -> Result<ReservationPage, Error> {
        queries::blocking(&self.queries, move |queries, patience| {
            queries.list_reservations(patience, &scan)
        })
        .await
    }

    /// A page of the whole log, the oldest first.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn events(&self, scan: EventScan) -> Result<EventPage, Error> {
        queries::blocking(&self.queries, move |queries, patience| queries.events(patience, &scan))
            .await
    }

    /// Says that the server is about to stop: requests that wait for due holds to expire are refused,
    /// the others are still carried out.
    pub fn begin_stop(&self) {
        self.queue.begin_stop();
    }

    /// The time by which decisions are made.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// How the time by which decisions are made and the wall clock stand to each other.
    #[must_use]
    pub fn clock(&self) -> ClockReading {
        self.clock.read()
    }

    /// Takes an operator's word that the wall clock is right. Returns what the clock was like
    /// before, and what it is like now.
    pub fn accept_clock(&self) -> (ClockReading, ClockReading) {
        let accepted = self.clock.accept();
        // Holds that are due by the new time expire now, not when the writer wakes up by itself.
        self.queue.poke();
        accepted
    }

    /// Several stocks of one snapshot, in the order of the keys; none where there is none.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn stocks(&self, keys: Vec<StockKey>) -> Result<Vec<Option<StockView>>, Error> {
        queries::blocking(&self.queries, move |queries, patience| queries.stocks(patience, &keys))
            .await
    }

    /// A page of stocks in key order.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn list_stocks(
        &self,
        filter: StockFilter,
        after: Option<StockKey>,
        limit: u32,
    ) -> Result<StockPage, Error> {
        queries::blocking(&self.queries, move |queries, patience| {
            queries.list_stocks(patience, &filter, after.as_ref(), limit)
        })
        .await
    }

    /// A page of low stocks, the largest deficit first.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn low_stock(
        &self,
        location_id: Option<LocationId>,
        after: Option<DeficitPosition>,
        limit: u32,
    ) -> Result<LowStockPage, Error> {
        queries::blocking(&self.queries, move |queries, patience| {
            queries.low_stock(patience, location_id.as_ref(), after.as_ref(), limit)
        })
        .await
    }

    /// A page of a stock's ledger; none where there is no such stock.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn ledger(
        &self,
        key: StockKey,
        order: Order,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Option<LedgerPage>, Error> {
        queries::blocking(&self.queries, move |queries, patience| {
            queries.ledger(patience, &key, order, after, limit)
        })
        .await
    }

    /// Whether commands are accepted at the moment.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status.get()
    }

    /// The component that decides.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.control.digest()
    }

    /// Lets another component decide, from between two batches on. Resolves when the log says so.
    ///
    /// # Errors
    /// [`SwapError`]; nothing has changed then.
    pub async fn install(&self, compiled: &Compiled, origin: Origin) -> Result<Swapped, SwapError> {
        self.writable()?;
        settled(self.control.install(compiled, origin)?).await
    }

    /// A change of the component is an entry of the log: it does not wait for a store that cannot
    /// be written.
    fn writable(&self) -> Result<(), Error> {
        match self.status.get() {
            Status::Ready => Ok(()),
            Status::ReadOnly => Err(Error::ReadOnly),
            Status::Stopped => Err(Error::Stopping),
        }
    }

    /// Goes back to the component before.
    ///
    /// # Errors
    /// [`SwapError`]; nothing has changed then.
    pub async fn roll_back(&self, origin: Origin) -> Result<Swapped, SwapError> {
        self.writable()?;
        settled(self.control.roll_back(origin)?).await
    }

    /// Who decides, and how that goes.
    #[must_use]
    pub fn domain(&self) -> DomainStatus {
        self.control.status(self.clock.now())
    }

    /// Lets a candidate decide one in `every` commands, too; nothing of it counts.
    ///
    /// # Errors
    /// [`SwapError::Refused`].
    pub fn begin_shadow(&self, candidate: &Compiled, every: u64) -> Result<(), SwapError> {
        self.control.begin_shadow(candidate, every)
    }

    /// Ends that, and says what came of it; none where there was none.
    #[must_use]
    pub fn end_shadow(&self) -> Option<ShadowReport> {
        self.control.end_shadow()
    }

    /// What came of the latest shadow so far.
    #[must_use]
    pub fn shadow(&self) -> Option<ShadowReport> {
        self.control.shadow()
    }

    /// Registers the metrics of the writer, the queue, the current component and the clock.
    pub fn register_metrics(&self, registry: &mut Registry) {
        metrics::register(
            registry,
            Arc::clone(&self.metrics),
            Arc::clone(&self.queue),
            Arc::clone(&self.control),
            Arc::clone(&self.clock),
        );
    }

    /// Commands that wait for the writer.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }
}

async fn settled(settled: oneshot::Receiver<Result<Swapped, Error>>) -> Result<Swapped, SwapError> {
    // Only a writer that has ended drops a change.
    Ok(settled.await.unwrap_or(Err(Error::Stopping))?)
}

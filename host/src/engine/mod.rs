//! The engine carries out commands and answers queries. A command waits in a bounded queue, joins
//! a batch of the commands that wait, and is answered after the batch's one commit. A query is
//! answered from a snapshot and never waits for the writer.
//!
//! The engine knows nothing of HTTP, of SQL or of how a component is run.

mod chores;
mod clock;
mod error;
mod executor;
mod faults;
mod instance;
mod logs;
mod metrics;
mod queries;
mod query_component;
mod queue;
mod readers;
mod request;
mod settings;
mod shadow;
mod start;
mod status;
mod switch;
mod waiting;
mod writer;

pub use clock::{ClockReading, ClockStatus};
pub use error::{Error, StartError};
pub use logs::{LedgerPage, LedgerScan, PointInTime};
pub use request::{Done, Recording, Render, Request, Work};
pub use settings::Settings;
pub use shadow::ShadowReport;
pub use start::{StartComponents, WriterHandle, start};
pub use status::Status;
pub use switch::{DomainStatus, SwapError, Swapped};

use crate::{
    component::Compiled,
    metrics::Registry,
    model::{Ask, Digest, GetStock, Identity, Origin, StockView, Timestamp},
    store::{EventPage, EventScan},
};
use clock::Clock;
use metrics::EngineMetrics;
use queries::Queries;
use queue::{Job, Push, Queue, Reply};
use status::StatusCell;
use std::sync::Arc;
use switch::Control;
use tokio::sync::oneshot;

/// The engine, which all threads that serve requests share.
pub struct Engine {
    settings: Settings,
    queue: Arc<Queue>,
    queries: Arc<dyn Queries>,
    status: Arc<StatusCell>,
    metrics: Arc<EngineMetrics>,
    clock: Arc<Clock>,
    control: Arc<dyn Control>,
}

impl Engine {
    /// Lets the component decide the commands of a request, and waits until the decisions are
    /// durable.
    ///
    /// # Errors
    /// [`Error`]. Nothing was written, except perhaps after [`Error::Late`] and
    /// [`Error::OutcomeUnknown`].
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
        // A reply is dropped only where the writer panicked, which can happen after the commit.
        loop {
            match reply {
                Ok(Reply::Now(result)) => return result,
                Ok(Reply::Later(later)) => reply = later.await,
                Err(_) => return Err(Error::OutcomeUnknown),
            }
        }
    }

    /// Answers a query of the contract for this identity, as of the latest commit.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn query<Q: Ask>(&self, identity: &Identity, query: &Q) -> Result<Q::Answer, Error> {
        queries::ask(&self.queries, identity, query).await
    }

    /// One stock at a point in time; `None` where the stock did not exist yet.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn stock_as_of(
        &self,
        identity: &Identity,
        query: &GetStock,
        as_of: PointInTime,
    ) -> Result<Option<StockView>, Error> {
        let (caller, query) = (identity.caller().cloned(), query.clone());
        queries::blocking(&self.queries, move |queries, deadline| {
            queries.stock_as_of(deadline, caller.as_deref(), &query, as_of)
        })
        .await
    }

    /// A page of a stock's ledger; `None` where the stock does not exist.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn ledger(&self, scan: LedgerScan) -> Result<Option<LedgerPage>, Error> {
        queries::blocking(&self.queries, move |queries, deadline| queries.ledger(deadline, &scan))
            .await
    }

    /// A page of the whole log, the oldest events first.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn events(&self, scan: EventScan) -> Result<EventPage, Error> {
        queries::blocking(&self.queries, move |queries, deadline| queries.events(deadline, &scan))
            .await
    }

    /// Announces that the server is about to stop. Requests that wait for due holds to expire are
    /// refused; all others are still carried out.
    pub fn begin_stop(&self) {
        self.queue.begin_stop();
    }

    /// The host's time, as of which a command would be decided now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The host's time, its relation to the wall clock, and the difference between both.
    #[must_use]
    pub fn clock(&self) -> ClockReading {
        self.clock.read()
    }

    /// Accepts the wall clock: an operator confirms that it is right. The host's time follows a
    /// step forward at once, and runs slower until a wall clock that is behind has caught up.
    /// Returns the readings before and after.
    pub fn accept_clock(&self) -> (ClockReading, ClockReading) {
        let accepted = self.clock.accept();
        // The writer wakes up, so that holds which are due by the new time expire now.
        self.queue.wake();
        accepted
    }

    /// Whether the engine accepts commands now.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status.get()
    }

    /// The digest of the component that decides.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.control.digest()
    }

    /// Lets another component decide from the next batch on. Resolves when the event that announces
    /// it is committed.
    ///
    /// # Errors
    /// [`SwapError`]: nothing has changed.
    pub async fn install(&self, compiled: &Compiled, origin: Origin) -> Result<Swapped, SwapError> {
        self.writable()?;
        swap_result(self.control.install(compiled, origin)?).await
    }

    /// Fails where the store cannot be written: a swap needs an event in the log, and does not wait
    /// until the store has recovered.
    fn writable(&self) -> Result<(), Error> {
        match self.status.get() {
            Status::Ready => Ok(()),
            Status::ReadOnly => Err(Error::ReadOnly),
            Status::Stopped => Err(Error::Stopping),
        }
    }

    /// Installs the component before the current one again, as [`Engine::install`] does.
    ///
    /// # Errors
    /// [`SwapError`]: nothing has changed.
    pub async fn roll_back(&self, origin: Origin) -> Result<Swapped, SwapError> {
        self.writable()?;
        swap_result(self.control.roll_back(origin)?).await
    }

    /// The component that decides, and its faults.
    #[must_use]
    pub fn domain(&self) -> DomainStatus {
        self.control.status(self.clock.now())
    }

    /// Begins a shadow: a candidate decides one in `every` commands as well, and its decisions are
    /// compared and dropped.
    ///
    /// # Errors
    /// [`SwapError::Refused`].
    pub fn begin_shadow(&self, candidate: &Compiled, every: u64) -> Result<(), SwapError> {
        self.control.begin_shadow(candidate, every)
    }

    /// Ends the shadow. Returns its report; `None` where there was no shadow.
    #[must_use]
    pub fn end_shadow(&self) -> Option<ShadowReport> {
        self.control.end_shadow()
    }

    /// The report of the latest shadow so far; `None` where there was no shadow.
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

    /// The number of commands that wait for the writer.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }
}

async fn swap_result(
    finished: oneshot::Receiver<Result<Swapped, Error>>,
) -> Result<Swapped, SwapError> {
    // The sender of the result is dropped only where the writer has ended.
    Ok(finished.await.unwrap_or(Err(Error::Stopping))?)
}

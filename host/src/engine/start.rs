//! Puts the engine together and starts the writer's thread.

use super::{
    Engine, Settings, StartError, Status,
    clock::Clock,
    faults::Faults,
    instance::Instance,
    metrics::EngineMetrics,
    queries::Queries,
    query_component::QueryComponent,
    queue::Queue,
    readers::Readers,
    status::StatusCell,
    switch::{LinkedComponent, Switch},
    writer,
};
use crate::{
    component::{Compiled, Limits},
    model::{Digest, Installed, Origin, StoreFailure},
    store::{Lane, Log, LookAhead, Snapshot},
    unit_of_work::UnitOfWork,
};
use std::{sync::Arc, thread::JoinHandle};
use tokio::sync::oneshot;

/// The components that the engine starts with, and their limits.
pub struct StartComponents {
    /// The component that decides.
    pub current: Compiled,
    /// The component before the current one, for a rollback; `None` where there is none or the
    /// component no longer compiles.
    pub previous: Option<Compiled>,
    /// The digests of both, as the store records them.
    pub installed: Installed,
    /// The component that decided before this start and the origin of the swap, which an event
    /// announces; `None` where the component is the same.
    pub announce: Option<(Digest, Origin)>,
    /// The limits of each call of a component.
    pub limits: Limits,
}

/// A handle of the writer's thread.
pub struct WriterHandle {
    queue: Arc<Queue>,
    queries: Arc<dyn Queries>,
    thread: JoinHandle<()>,
    ended: oneshot::Receiver<()>,
}

impl WriterHandle {
    /// Resolves when the writer's thread has ended without being stopped, which is a defect.
    pub async fn ended(&mut self) {
        // The thread sends nothing: that its end of the channel is dropped is the message.
        let _ = (&mut self.ended).await;
    }

    /// Stops the writer: it carries out the requests in its queue and closes the store. New
    /// requests are refused, and queries end without an answer. Blocks until the thread has ended.
    pub fn stop(self) {
        self.queries.stop();
        self.queue.close();
        if self.thread.join().is_err() {
            tracing::error!("the writer panicked");
        }
    }
}

/// Starts the engine over a store: its one lane, and functions that open readers of its state and
/// of its log.
///
/// # Errors
/// [`StartError`].
pub fn start<L, S, G>(
    settings: Settings,
    start: StartComponents,
    lane: L,
    snapshots: impl Fn() -> Result<S, StoreFailure>,
    logs: impl Fn() -> Result<G, StoreFailure>,
) -> Result<(Engine, WriterHandle), StartError>
where
    L: Lane,
    S: Snapshot,
    G: Log,
{
    let current = LinkedComponent::link(&start.current)?;
    let previous = start.previous.as_ref().map(LinkedComponent::link).transpose()?;
    let mut unit = UnitOfWork::new(lane)?;
    unit.record_up_to(settings.recorded_commands_max);
    unit.bound_answers(settings.idempotency_bounds);
    let recorded = unit.log_end()?.at;
    let clock = Clock::new(recorded, settings.clock_step_ms_max, settings.accept_clock);
    let clock = Arc::new(clock);
    // Readers must count every hold that is due already.
    let now = clock.now();
    while matches!(unit.look_ahead(now)?, LookAhead::More(before) if before <= now) {}
    let status = Arc::new(StatusCell::default());
    if !unit.writable() {
        status.set(Status::ReadOnly);
    }
    let metrics = Arc::new(EngineMetrics::default());
    metrics.set_large_answers(unit.large_answers());
    let queue = Arc::new(Queue::new(settings.queue_commands_max, settings.queue_lines_max));
    let query_component = Arc::new(QueryComponent::new(current.reader_domain()));
    let faults = Arc::new(Faults::new(settings.faults_per_minute_max, Arc::clone(&queue)));
    let readers = Readers::open(
        (settings.readers_max, settings.query_within),
        Arc::clone(&query_component),
        Arc::clone(&faults),
        Arc::clone(&clock),
        snapshots,
        logs,
    )?;
    let instance = Instance::new(current.writer_domain(), unit);
    let (to_writer, limits) = (Arc::clone(&queue), start.limits);
    let switch = Arc::new(Switch::new(
        start.installed,
        current,
        previous,
        to_writer,
        query_component,
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
            let _dropped_at_the_end: oneshot::Sender<()> = ending;
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
    Ok((engine, WriterHandle { queue, queries, thread, ended }))
}

//! The component that decides, and the swap to another: it happens between two batches, and an
//! event in the log announces it.

use super::{
    Error,
    faults::Faults,
    instance::WriterDomain,
    query_component::QueryComponent,
    queue::Queue,
    shadow::{self, ShadowReport, Shadows},
};
use crate::{
    component::{Compiled, Domain, Limits, Refused},
    model::{Digest, DomainEventKind, Installed, Origin, Timestamp},
    store::{Lane, Snapshot},
    unit_of_work::ReadView,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// A swap that is committed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Swapped {
    /// The sequence of the event that announces the swap.
    pub sequence: u64,
    /// The component that decided before the event.
    pub from: Digest,
    /// The component that decides after the event.
    pub to: Digest,
}

/// The reason why a swap did not happen.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SwapError {
    /// The component does not fit the contract.
    #[error(transparent)]
    Refused(#[from] Arc<Refused>),
    /// Another swap is not finished yet.
    #[error("another change of the component is under way: try again in a moment")]
    UnderWay,
    /// A rollback was requested, and there is no earlier component to roll back to.
    #[error("there is no component before this one to roll back to")]
    NothingBefore,
    /// The batch with the event that announces the swap failed.
    #[error(transparent)]
    Engine(#[from] Error),
}

/// The component that decides, and its faults.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DomainStatus {
    /// The component that decides, and the one before it.
    pub installed: Installed,
    /// Time of the latest swap, in milliseconds since the epoch; `None` where there was none since
    /// the start of the process.
    pub since: Option<Timestamp>,
    /// The reason of the rollback; `None` where the latest swap was no rollback.
    pub rolled_back_for: Option<String>,
    /// The limits of each call of a component.
    pub limits: Limits,
    /// Faults since the start of the process.
    pub faults: u64,
    /// Faults of the component that decides within the last minute, at most
    /// `faults_per_minute_max`.
    pub faults_within_a_minute: usize,
    /// Faults within a minute that cause a rollback; 0 turns this off.
    pub faults_per_minute_max: usize,
}

/// A component that is linked for both of its uses: to decide commands and to answer queries.
pub(super) struct LinkedComponent<L: Lane, S: Snapshot> {
    writer: WriterDomain<L>,
    reader: Domain<ReadView<S>>,
}

impl<L: Lane, S: Snapshot> Clone for LinkedComponent<L, S> {
    fn clone(&self) -> Self {
        Self { writer: self.writer.clone(), reader: self.reader.clone() }
    }
}

impl<L: Lane, S: Snapshot> LinkedComponent<L, S> {
    pub(super) fn link(compiled: &Compiled) -> Result<Self, Refused> {
        Ok(Self { writer: compiled.fit()?, reader: compiled.fit()? })
    }

    /// The component for commands.
    pub(super) fn writer_domain(&self) -> WriterDomain<L> {
        self.writer.clone()
    }

    /// The component for queries.
    pub(super) fn reader_domain(&self) -> Domain<ReadView<S>> {
        self.reader.clone()
    }
}

/// A swap that was requested and is not finished.
pub(super) struct PendingSwap<L: Lane, S: Snapshot> {
    /// The component that is to decide.
    component: LinkedComponent<L, S>,
    /// The kind of the event that announces the swap.
    pub(super) kind: DomainEventKind,
    pub(super) origin: Origin,
    pub(super) from: Digest,
    pub(super) to: Installed,
    /// Where the result goes; `None` where no caller waits for it.
    done: Option<oneshot::Sender<Result<Swapped, Error>>>,
}

impl<L: Lane, S: Snapshot> PendingSwap<L, S> {
    /// The component that is to decide commands.
    pub(super) fn writer_domain(&self) -> WriterDomain<L> {
        self.component.writer_domain()
    }
}

struct SwitchState<L: Lane, S: Snapshot> {
    installed: Installed,
    current: LinkedComponent<L, S>,
    previous: Option<LinkedComponent<L, S>>,
    since: Option<Timestamp>,
    rolled_back_for: Option<String>,
    pending: Option<PendingSwap<L, S>>,
    /// Whether a swap was requested and is not finished. No other swap can be requested meanwhile.
    under_way: bool,
}

impl<L: Lane, S: Snapshot> SwitchState<L, S> {
    fn submit(&mut self, swap: PendingSwap<L, S>) {
        self.pending = Some(swap);
        self.under_way = true;
    }
}

/// The current component and the one before it, and the swap that is under way.
pub(super) struct Switch<L: Lane, S: Snapshot> {
    state: Mutex<SwitchState<L, S>>,
    queue: Arc<Queue>,
    query_component: Arc<QueryComponent<S>>,
    limits: Limits,
    pub(super) faults: Arc<Faults>,
    pub(super) shadows: Shadows<WriterDomain<L>>,
}

impl<L: Lane, S: Snapshot> Switch<L, S> {
    pub(super) fn new(
        installed: Installed,
        current: LinkedComponent<L, S>,
        previous: Option<LinkedComponent<L, S>>,
        queue: Arc<Queue>,
        query_component: Arc<QueryComponent<S>>,
        faults: Arc<Faults>,
        limits: Limits,
    ) -> Self {
        let state = SwitchState {
            installed,
            current,
            previous,
            since: None,
            rolled_back_for: None,
            pending: None,
            under_way: false,
        };
        let shadows = Shadows::default();
        Self { state: Mutex::new(state), queue, query_component, limits, faults, shadows }
    }

    fn state(&self) -> MutexGuard<'_, SwitchState<L, S>> {
        // Nothing that can panic happens under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests the event in the log which says that this process started with another component
    /// than the one that decided last.
    pub(super) fn announce(&self, from: Digest, origin: Origin) {
        let mut state = self.state();
        let (component, to) = (state.current.clone(), state.installed);
        let kind = DomainEventKind::DomainSwapped;
        state.submit(PendingSwap { component, kind, origin, from, to, done: None });
        self.queue.wake();
    }

    /// Takes the swap that waits for the writer, which then calls [`Switch::finish`]; `None` where
    /// no swap waits. Requests a rollback first where the component had too many faults.
    pub(super) fn take_pending(&self) -> Option<PendingSwap<L, S>> {
        if self.faults.take_too_many() {
            self.request_rollback();
        }
        self.state().pending.take()
    }

    /// Requests a rollback after too many faults, unless the current component was itself installed
    /// by a rollback.
    fn request_rollback(&self) {
        let mut state = self.state();
        if state.installed.rolled_back || state.under_way {
            return;
        }
        let reason = format!("{} faults within a minute", self.faults.per_minute_max());
        let origin = Origin { reason: Some(reason.as_str().into()), ..Origin::default() };
        if let Some(swap) = rollback(&state, origin, None) {
            tracing::error!(from = %swap.from, to = %swap.to.current, reason, "rolling back");
            state.submit(swap);
        }
    }

    /// Finishes a swap after its batch: `committed` is the sequence of the event that announces it,
    /// or the error of the batch. After an error the component before stays.
    pub(super) fn finish(
        &self,
        swap: PendingSwap<L, S>,
        at: Timestamp,
        committed: Result<u64, Error>,
    ) {
        let (from, to) = (swap.from, swap.to.current);
        let result = committed.map(|sequence| Swapped { sequence, from, to });
        let mut state = self.state();
        state.under_way = false;
        if result.is_ok() {
            if from != state.current.writer.digest() {
                // The swap only announced the component that decides since the start.
            } else {
                self.query_component.replace(swap.component.reader_domain());
                state.previous = Some(std::mem::replace(&mut state.current, swap.component));
            }
            state.installed = swap.to;
            state.since = Some(at);
            let rolled_back = swap.kind == DomainEventKind::DomainRolledBack;
            state.rolled_back_for =
                swap.origin.reason.as_deref().filter(|_| rolled_back).map(str::to_owned);
            self.faults.reset();
            tracing::info!(%from, %to, kind = ?swap.kind, "another component decides");
        }
        drop(state);
        if let Some(done) = swap.done {
            // The caller may have stopped waiting.
            let _ = done.send(result);
        }
    }
}

/// A swap to the component before the current one; `None` where there is none.
fn rollback<L: Lane, S: Snapshot>(
    state: &SwitchState<L, S>,
    origin: Origin,
    done: Option<oneshot::Sender<Result<Swapped, Error>>>,
) -> Option<PendingSwap<L, S>> {
    let (component, installed) = (state.previous.clone()?, state.installed);
    let to = Installed {
        current: component.writer.digest(),
        previous: Some(installed.current),
        rolled_back: true,
        ..installed
    };
    let kind = DomainEventKind::DomainRolledBack;
    Some(PendingSwap { component, kind, origin, from: installed.current, to, done })
}

/// Resolves to the result of a swap when the swap is finished.
type SwapReceiver = oneshot::Receiver<Result<Swapped, Error>>;

/// The functions of [`Switch`], behind a trait so that the engine's type does not name the store.
pub(super) trait Control: Send + Sync {
    fn install(&self, compiled: &Compiled, origin: Origin) -> Result<SwapReceiver, SwapError>;
    fn roll_back(&self, origin: Origin) -> Result<SwapReceiver, SwapError>;
    fn status(&self, now: Timestamp) -> DomainStatus;
    fn digest(&self) -> Digest;
    fn begin_shadow(&self, compiled: &Compiled, every: u64) -> Result<(), SwapError>;
    fn end_shadow(&self) -> Option<ShadowReport>;
    fn shadow(&self) -> Option<ShadowReport>;
}

impl<L: Lane, S: Snapshot> Control for Switch<L, S> {
    fn install(&self, compiled: &Compiled, origin: Origin) -> Result<SwapReceiver, SwapError> {
        let component = LinkedComponent::link(compiled).map_err(Arc::new)?;
        let mut state = self.state();
        if state.under_way {
            return Err(SwapError::UnderWay);
        }
        let from = state.installed.current;
        let to = Installed {
            current: compiled.digest(),
            previous: Some(from),
            rolled_back: false,
            ..state.installed
        };
        let (done, finished) = oneshot::channel();
        let kind = DomainEventKind::DomainSwapped;
        state.submit(PendingSwap { component, kind, origin, from, to, done: Some(done) });
        self.queue.wake();
        Ok(finished)
    }

    fn roll_back(&self, origin: Origin) -> Result<SwapReceiver, SwapError> {
        let mut state = self.state();
        if state.under_way {
            return Err(SwapError::UnderWay);
        }
        let (done, finished) = oneshot::channel();
        let swap = rollback(&state, origin, Some(done)).ok_or(SwapError::NothingBefore)?;
        state.submit(swap);
        self.queue.wake();
        Ok(finished)
    }

    fn status(&self, now: Timestamp) -> DomainStatus {
        let state = self.state();
        DomainStatus {
            installed: state.installed,
            since: state.since,
            rolled_back_for: state.rolled_back_for.clone(),
            limits: self.limits,
            faults: self.faults.total(),
            faults_within_a_minute: self.faults.within_a_minute(now),
            faults_per_minute_max: self.faults.per_minute_max(),
        }
    }

    fn digest(&self) -> Digest {
        self.state().installed.current
    }

    fn begin_shadow(&self, compiled: &Compiled, every: u64) -> Result<(), SwapError> {
        let limited = compiled.with_limits(shadow::limits(self.limits));
        let candidate = limited.fit().map_err(Arc::new)?;
        self.shadows.begin(candidate, every);
        self.queue.wake();
        Ok(())
    }

    fn end_shadow(&self) -> Option<ShadowReport> {
        let report = self.shadows.end();
        self.queue.wake();
        report
    }

    fn shadow(&self) -> Option<ShadowReport> {
        self.shadows.report()
    }
}

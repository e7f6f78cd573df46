//! The component that decides, and the swap to another: it happens between two batches, and an
//! event in the log announces it.

use super::{
    Error,
    answering::Answering,
    faults::Faults,
    instance::Deciding,
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

/// Why a swap did not happen.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SwapError {
    /// The component does not fit the contract.
    #[error(transparent)]
    Refused(#[from] Arc<Refused>),
    /// Another swap is not settled yet.
    #[error("another change of the component is under way: try again in a moment")]
    UnderWay,
    /// A rollback was requested, and no component is known that decided before.
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

/// A component that is ready to decide commands and to answer queries.
pub(super) struct Ready<L: Lane, S: Snapshot> {
    deciding: Deciding<L>,
    reading: Domain<ReadView<S>>,
}

impl<L: Lane, S: Snapshot> Clone for Ready<L, S> {
    fn clone(&self) -> Self {
        Self { deciding: self.deciding.clone(), reading: self.reading.clone() }
    }
}

impl<L: Lane, S: Snapshot> Ready<L, S> {
    pub(super) fn of(compiled: &Compiled) -> Result<Self, Refused> {
        Ok(Self { deciding: compiled.fit()?, reading: compiled.fit()? })
    }

    pub(super) fn deciding(&self) -> Deciding<L> {
        self.deciding.clone()
    }

    pub(super) fn reading(&self) -> Domain<ReadView<S>> {
        self.reading.clone()
    }
}

/// A swap on its way to the writer.
pub(super) struct Change<L: Lane, S: Snapshot> {
    ready: Ready<L, S>,
    /// The kind of the event that announces the swap.
    pub(super) kind: DomainEventKind,
    pub(super) origin: Origin,
    pub(super) from: Digest,
    pub(super) to: Installed,
    done: Option<oneshot::Sender<Result<Swapped, Error>>>,
}

impl<L: Lane, S: Snapshot> Change<L, S> {
    pub(super) fn deciding(&self) -> Deciding<L> {
        self.ready.deciding()
    }
}

struct State<L: Lane, S: Snapshot> {
    installed: Installed,
    current: Ready<L, S>,
    previous: Option<Ready<L, S>>,
    since: Option<Timestamp>,
    rolled_back_for: Option<String>,
    pending: Option<Change<L, S>>,
    /// Whether a swap was requested and is not settled. The next swap can begin only then.
    under_way: bool,
}

impl<L: Lane, S: Snapshot> State<L, S> {
    fn post(&mut self, change: Change<L, S>) {
        self.pending = Some(change);
        self.under_way = true;
    }
}

/// The components, and the swap that is under way.
pub(super) struct Switch<L: Lane, S: Snapshot> {
    state: Mutex<State<L, S>>,
    queue: Arc<Queue>,
    answering: Arc<Answering<S>>,
    limits: Limits,
    pub(super) faults: Arc<Faults>,
    pub(super) shadows: Shadows<Deciding<L>>,
}

impl<L: Lane, S: Snapshot> Switch<L, S> {
    pub(super) fn new(
        installed: Installed,
        current: Ready<L, S>,
        previous: Option<Ready<L, S>>,
        queue: Arc<Queue>,
        answering: Arc<Answering<S>>,
        faults: Arc<Faults>,
        limits: Limits,
    ) -> Self {
        let state = State {
            installed,
            current,
            previous,
            since: None,
            rolled_back_for: None,
            pending: None,
            under_way: false,
        };
        let shadows = Shadows::default();
        Self { state: Mutex::new(state), queue, answering, limits, faults, shadows }
    }

    fn state(&self) -> MutexGuard<'_, State<L, S>> {
        // Nothing that can panic happens under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Announces in the log that the process started with another component than decided last.
    pub(super) fn announce(&self, from: Digest, origin: Origin) {
        let mut state = self.state();
        let (ready, to) = (state.current.clone(), state.installed);
        let kind = DomainEventKind::DomainSwapped;
        state.post(Change { ready, kind, origin, from, to, done: None });
        self.queue.poke();
    }

    /// Takes the swap that waits for the writer; it is under way until [`Switch::settle`]. Where the
    /// component had too many faults, that is a rollback.
    pub(super) fn take(&self) -> Option<Change<L, S>> {
        if self.faults.take_too_many() {
            self.give_way();
        }
        self.state().pending.take()
    }

    /// Requests a rollback after too many faults, unless the present component decides by a rollback
    /// itself.
    fn give_way(&self) {
        let mut state = self.state();
        if state.installed.rolled_back || state.under_way {
            return;
        }
        let reason = format!("{} faults within a minute", self.faults.most());
        let origin = Origin { reason: Some(reason.as_str().into()), ..Origin::default() };
        if let Some(change) = back(&state, origin, None) {
            tracing::error!(from = %change.from, to = %change.to.current, reason, "rolling back");
            state.post(change);
        }
    }

    /// Settles a swap: its event is committed under this sequence, or the batch failed.
    pub(super) fn settle(
        &self,
        change: Change<L, S>,
        at: Timestamp,
        committed: Result<u64, Error>,
    ) {
        let (from, to) = (change.from, change.to.current);
        let result = committed.map(|sequence| Swapped { sequence, from, to });
        let mut state = self.state();
        state.under_way = false;
        if result.is_ok() {
            if from != state.current.deciding.digest() {
                // A component that was announced at the start decides already.
            } else {
                self.answering.replace(change.ready.reading());
                state.previous = Some(std::mem::replace(&mut state.current, change.ready));
            }
            state.installed = change.to;
            state.since = Some(at);
            let back = change.kind == DomainEventKind::DomainRolledBack;
            state.rolled_back_for =
                change.origin.reason.as_deref().filter(|_| back).map(str::to_owned);
            self.faults.forget();
            tracing::info!(%from, %to, kind = ?change.kind, "another component decides");
        }
        drop(state);
        if let Some(done) = change.done {
            // The one who requested the swap may have gone.
            let _ = done.send(result);
        }
    }
}

/// A swap to the component before; `None` where there is none.
fn back<L: Lane, S: Snapshot>(
    state: &State<L, S>,
    origin: Origin,
    done: Option<oneshot::Sender<Result<Swapped, Error>>>,
) -> Option<Change<L, S>> {
    let (ready, installed) = (state.previous.clone()?, state.installed);
    let to = Installed {
        current: ready.deciding.digest(),
        previous: Some(installed.current),
        rolled_back: true,
        ..installed
    };
    let kind = DomainEventKind::DomainRolledBack;
    Some(Change { ready, kind, origin, from: installed.current, to, done })
}

type Settled = oneshot::Receiver<Result<Swapped, Error>>;

/// The switch, whatever store is behind it.
pub(super) trait Control: Send + Sync {
    fn install(&self, compiled: &Compiled, origin: Origin) -> Result<Settled, SwapError>;
    fn roll_back(&self, origin: Origin) -> Result<Settled, SwapError>;
    fn status(&self, now: Timestamp) -> DomainStatus;
    fn digest(&self) -> Digest;
    fn begin_shadow(&self, compiled: &Compiled, every: u64) -> Result<(), SwapError>;
    fn end_shadow(&self) -> Option<ShadowReport>;
    fn shadow(&self) -> Option<ShadowReport>;
}

impl<L: Lane, S: Snapshot> Control for Switch<L, S> {
    fn install(&self, compiled: &Compiled, origin: Origin) -> Result<Settled, SwapError> {
        let ready = Ready::of(compiled).map_err(Arc::new)?;
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
        let (done, settled) = oneshot::channel();
        let kind = DomainEventKind::DomainSwapped;
        state.post(Change { ready, kind, origin, from, to, done: Some(done) });
        self.queue.poke();
        Ok(settled)
    }

    fn roll_back(&self, origin: Origin) -> Result<Settled, SwapError> {
        let mut state = self.state();
        if state.under_way {
            return Err(SwapError::UnderWay);
        }
        let (done, settled) = oneshot::channel();
        let change = back(&state, origin, Some(done)).ok_or(SwapError::NothingBefore)?;
        state.post(change);
        self.queue.poke();
        Ok(settled)
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
            faults_per_minute_max: self.faults.most(),
        }
    }

    fn digest(&self) -> Digest {
        self.state().installed.current
    }

    fn begin_shadow(&self, compiled: &Compiled, every: u64) -> Result<(), SwapError> {
        let limited = compiled.with_limits(shadow::limits(self.limits));
        let deciding = limited.fit().map_err(Arc::new)?;
        self.shadows.begin(deciding, every);
        self.queue.poke();
        Ok(())
    }

    fn end_shadow(&self) -> Option<ShadowReport> {
        let report = self.shadows.end();
        self.queue.poke();
        report
    }

    fn shadow(&self) -> Option<ShadowReport> {
        self.shadows.report()
    }
}

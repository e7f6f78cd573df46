//! Which component decides, and the way from one to the next: between two batches, and in the
//! log like everything else.

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

/// What became of a change of the component.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Swapped {
    /// The number of the event that says so.
    pub sequence: u64,
    /// Who decided before.
    pub from: Digest,
    /// Who decides from there on.
    pub to: Digest,
}

/// Why a component does not become the one that decides.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SwapError {
    /// It does not fit.
    #[error(transparent)]
    Refused(#[from] Arc<Refused>),
    /// Another change has not come to its end.
    #[error("another change of the component is under way: try again in a moment")]
    UnderWay,
    /// There is nothing to go back to.
    #[error("there is no component before this one to roll back to")]
    NothingBefore,
    /// The batch that was to say so in the log failed.
    #[error(transparent)]
    Engine(#[from] Error),
}

/// Who decides, and how that goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DomainStatus {
    /// Which component decides, and which did before.
    pub installed: Installed,
    /// Since when, where that happened since the start of the process.
    pub since: Option<Timestamp>,
    /// Why, where it is there by a rollback.
    pub rolled_back_for: Option<String>,
    /// What a component may use.
    pub limits: Limits,
    /// Faults since the start of the process.
    pub faults: u64,
    /// Faults of the one that decides within the last minute, up to the bound.
    pub faults_within_a_minute: usize,
    /// How many of them make it give way to the one before; 0: no number does.
    pub faults_per_minute_max: usize,
}

/// A component, fit for both sides.
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

/// A change on its way to the writer.
pub(super) struct Change<L: Lane, S: Snapshot> {
    ready: Ready<L, S>,
    /// What the log is to say of it.
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
    /// From when a change is asked for until the log says so for good, or not at all: the next one
    /// begins where this one ends.
    under_way: bool,
}

impl<L: Lane, S: Snapshot> State<L, S> {
    fn post(&mut self, change: Change<L, S>) {
        self.pending = Some(change);
        self.under_way = true;
    }
}

/// The components, and the change that is under way.
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

    /// Says in the log that another component decides than the last time.
    pub(super) fn announce(&self, from: Digest, origin: Origin) {
        let mut state = self.state();
        let (ready, to) = (state.current.clone(), state.installed);
        let kind = DomainEventKind::DomainSwapped;
        state.post(Change { ready, kind, origin, from, to, done: None });
        self.queue.poke();
    }

    /// For the writer: the change that waits. It stays under way until it is [`Switch::settle`]d.
    pub(super) fn take(&self) -> Option<Change<L, S>> {
        if self.faults.take_too_many() {
            self.give_way();
        }
        self.state().pending.take()
    }

    /// Too many faults: back to the component before, once, unless this one is there by a
    /// rollback itself.
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

    /// For the writer: the log says so for good, under this number; or it does not.
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
                // What was announced at the start decides already.
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
            // Whoever asked may have gone.
            let _ = done.send(result);
        }
    }
}

/// The change that goes back to the component before.
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

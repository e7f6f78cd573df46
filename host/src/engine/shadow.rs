//! A shadow: a candidate component decides some of the commands as well. Its decisions are compared
//! with those of the component that decides, and then dropped.

use super::instance::WriterDomain;
use crate::{
    comparison::{Comparison, Count, Difference, Effect},
    component::{GuestRunner, Limits},
    model::{Command, Decided, Digest, Ended, Timestamp},
    store::Lane,
    unit_of_work::UnitOfWork,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The limits of a candidate are tighter than those of the component that decides, because the
/// writer waits for both.
const FUEL_MAX: u64 = 20_000_000;
const DEADLINE_MS_MAX: u64 = 50;

/// The number of faults after which a shadow stops.
const FAULTS_MAX: u64 = 20;

/// The number of differences that a report shows in full.
const SHOWN_MAX: usize = 20;

/// The report of a shadow.
#[derive(Clone, Debug)]
pub struct ShadowReport {
    /// The candidate component.
    pub candidate: Digest,
    /// The candidate decides one in this many commands.
    pub every: u64,
    /// Whether the shadow is running.
    pub running: bool,
    /// The reason why the shadow stopped by itself; `None` where it did not.
    pub stopped_for: Option<String>,
    /// Commands that both components decided.
    pub compared: u64,
    /// Commands that both components decided, with different results.
    pub differing: u64,
    /// Commands on which the candidate failed.
    pub faults: u64,
    /// The differences by kind, the most frequent kind first.
    pub counts: Vec<Count>,
    /// The first differences in full.
    pub shown: Vec<Difference>,
    /// Time that the current component took for the commands that both decided.
    pub decided_in: Duration,
    /// Time that the candidate took for these commands, by which the writer's batches were longer.
    pub candidate_in: Duration,
}

/// The counts of a shadow, from which its report is made.
struct ShadowTally {
    candidate: Digest,
    every: u64,
    running: bool,
    stopped_for: Option<String>,
    faults: u64,
    comparison: Comparison,
    decided_in: Duration,
    candidate_in: Duration,
}

impl ShadowTally {
    fn report(&self) -> ShadowReport {
        ShadowReport {
            candidate: self.candidate,
            every: self.every,
            running: self.running,
            stopped_for: self.stopped_for.clone(),
            compared: self.comparison.compared(),
            differing: self.comparison.differing(),
            faults: self.faults,
            counts: self.comparison.counts(),
            shown: self.comparison.examples().to_vec(),
            decided_in: self.decided_in,
            candidate_in: self.candidate_in,
        }
    }
}

type SharedTally = Arc<Mutex<ShadowTally>>;

fn lock(tally: &SharedTally) -> MutexGuard<'_, ShadowTally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The shadow that is requested and the latest one that began.
pub(super) struct Shadows<D> {
    /// The request that waits for the writer: a candidate and the tally of its shadow, or
    /// `Some(None)` for the end of the shadow. `None` where no request waits.
    requested: Mutex<Option<Option<(D, SharedTally)>>>,
    /// The tally of the latest shadow; `None` where there was no shadow.
    latest: Mutex<Option<SharedTally>>,
}

impl<D> Default for Shadows<D> {
    fn default() -> Self {
        Self { requested: Mutex::new(None), latest: Mutex::new(None) }
    }
}

impl<L: Lane> Shadows<WriterDomain<L>> {
    fn request(&self, shadow: Option<(WriterDomain<L>, SharedTally)>) {
        *self.requested.lock().unwrap_or_else(PoisonError::into_inner) = Some(shadow);
    }

    /// Begins a shadow of `candidate`, which decides one in `every` commands, and ends the shadow
    /// before it.
    pub(super) fn begin(&self, candidate: WriterDomain<L>, every: u64) {
        let tally = Arc::new(Mutex::new(ShadowTally {
            candidate: candidate.digest(),
            every: every.max(1),
            running: true,
            stopped_for: None,
            faults: 0,
            comparison: Comparison::new(SHOWN_MAX),
            decided_in: Duration::ZERO,
            candidate_in: Duration::ZERO,
        }));
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = latest.replace(Arc::clone(&tally)) {
            lock(&before).running = false;
        }
        self.request(Some((candidate, tally)));
    }

    /// Ends the shadow. Returns its report; `None` where there was no shadow.
    pub(super) fn end(&self) -> Option<ShadowReport> {
        self.request(None);
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = latest.as_ref()?;
        lock(tally).running = false;
        Some(lock(tally).report())
    }

    /// The report of the latest shadow; `None` where there was no shadow.
    pub(super) fn report(&self) -> Option<ShadowReport> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.as_ref().map(|tally| lock(tally).report())
    }

    /// Takes the request that waits for the writer: a new shadow, or the end of shadows. `None`
    /// where no request waits.
    pub(super) fn take(&self) -> Option<Option<Shadow<L>>> {
        let requested = self.requested.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        Some(requested.map(|(candidate, tally)| Shadow {
            candidate,
            tally,
            runner: GuestRunner::default(),
            seen: 0,
        }))
    }
}

/// A shadow, on the writer's thread.
pub(super) struct Shadow<L: Lane> {
    candidate: WriterDomain<L>,
    tally: SharedTally,
    runner: GuestRunner<UnitOfWork<L>>,
    /// The number of commands since the shadow began, with those that the candidate did not decide.
    seen: u64,
}

/// The candidate's decision on a command, for the comparison.
pub(super) struct ShadowDecision {
    effect: Effect,
    took: Duration,
}

/// The limits of a candidate: the given ones, tightened.
pub(super) fn limits(given: Limits) -> Limits {
    Limits {
        fuel_per_call: given.fuel_per_call.min(FUEL_MAX),
        deadline_ms: given.deadline_ms.min(DEADLINE_MS_MAX),
        ..given
    }
}

impl<L: Lane> Shadow<L> {
    /// Whether the shadow is running.
    pub(super) fn running(&self) -> bool {
        lock(&self.tally).running
    }

    /// Lets the candidate decide a command, and drops its writes. Returns `None` where the command
    /// is not one of those that the candidate decides, or where the decision says nothing about the
    /// candidate.
    pub(super) fn decide(
        &mut self,
        unit: &mut Option<Box<UnitOfWork<L>>>,
        command: &Command,
        now: Timestamp,
    ) -> Option<ShadowDecision> {
        self.seen += 1;
        if !self.seen.is_multiple_of(lock(&self.tally).every) {
            return None;
        }
        let begun = Instant::now();
        let decided = self.runner.execute(&self.candidate, unit, command, now);
        let unit = unit.as_deref_mut()?;
        let effect = match decided {
            // A failure of the store says nothing about the candidate, and a command that met a due
            // hold is decided again.
            Err(Ended::Failure(_) | Ended::Due(_)) => {
                unit.abandon();
                return None;
            }
            decided => unit.effect(command, decided),
        };
        unit.abandon();
        Some(ShadowDecision { effect, took: begun.elapsed() })
    }

    /// Compares the candidate's decision with `decided`, the decision of the current component,
    /// which took `took`.
    pub(super) fn compare(
        &mut self,
        shadowed: &ShadowDecision,
        decided: &Effect,
        took: Duration,
        command: &Command,
        now: Timestamp,
    ) {
        let mut tally = lock(&self.tally);
        tally.candidate_in += shadowed.took;
        tally.decided_in += took;
        tally.comparison.take(command, decided, &shadowed.effect, || Difference {
            number: None,
            at: now,
            command: command.clone(),
            decided: decided.clone(),
            candidate: shadowed.effect.clone(),
        });
        if let Decided::Fault(fault) = &shadowed.effect.decision {
            tally.faults += 1;
            if tally.faults >= FAULTS_MAX {
                tally.running = false;
                tally.stopped_for = Some(format!("{FAULTS_MAX} faults, the last: {fault}"));
                tracing::warn!(candidate = %tally.candidate, fault, "the shadow is stopped");
            }
        }
    }
}

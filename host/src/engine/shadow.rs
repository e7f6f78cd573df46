//! A shadow: a candidate component decides some of the commands as well. Its decisions are compared
//! with those of the component that decides, and then dropped.

use super::instance::Deciding;
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
    /// Why the shadow stopped by itself; `None` where it did not.
    pub stopped_for: Option<String>,
    /// Commands that both components decided.
    pub compared: u64,
    /// Commands of these on which the components differ.
    pub differing: u64,
    /// Commands on which the candidate failed.
    pub faults: u64,
    /// The differences by kind, the most frequent kind first.
    pub counts: Vec<Count>,
    /// The first differences in full.
    pub shown: Vec<Difference>,
    /// Time that the component which decides took for these commands.
    pub decided_in: Duration,
    /// Time that the candidate took for them, by which the writer's batches were longer.
    pub candidate_in: Duration,
}

struct Tally {
    candidate: Digest,
    every: u64,
    running: bool,
    stopped_for: Option<String>,
    faults: u64,
    comparison: Comparison,
    decided_in: Duration,
    candidate_in: Duration,
}

impl Tally {
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

type Shared = Arc<Mutex<Tally>>;

fn lock(tally: &Shared) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The latest request to begin or end a shadow, on its way to the writer, and the tally of the
/// latest shadow.
pub(super) struct Shadows<D> {
    asked: Mutex<Option<Option<(D, Shared)>>>,
    latest: Mutex<Option<Shared>>,
}

impl<D> Default for Shadows<D> {
    fn default() -> Self {
        Self { asked: Mutex::new(None), latest: Mutex::new(None) }
    }
}

impl<L: Lane> Shadows<Deciding<L>> {
    fn ask(&self, shadow: Option<(Deciding<L>, Shared)>) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(shadow);
    }

    pub(super) fn begin(&self, deciding: Deciding<L>, every: u64) {
        let tally = Arc::new(Mutex::new(Tally {
            candidate: deciding.digest(),
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
        self.ask(Some((deciding, tally)));
    }

    pub(super) fn end(&self) -> Option<ShadowReport> {
        self.ask(None);
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = latest.as_ref()?;
        lock(tally).running = false;
        Some(lock(tally).report())
    }

    pub(super) fn report(&self) -> Option<ShadowReport> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.as_ref().map(|tally| lock(tally).report())
    }

    /// Takes the request that waits for the writer: a new shadow, or the end of shadows. `None` where
    /// no request waits.
    pub(super) fn take(&self) -> Option<Option<Shadow<L>>> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        Some(asked.map(|(deciding, tally)| Shadow {
            deciding,
            tally,
            runner: GuestRunner::default(),
            seen: 0,
        }))
    }
}

/// A shadow, on the writer's thread.
pub(super) struct Shadow<L: Lane> {
    deciding: Deciding<L>,
    tally: Shared,
    runner: GuestRunner<UnitOfWork<L>>,
    seen: u64,
}

/// The candidate's decision on a command, for the comparison.
pub(super) struct Glimpse {
    effect: Effect,
    took: Duration,
}

/// The limits of a candidate.
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

    /// Lets the candidate decide a command, and drops what it wrote. `None` where the command is not
    /// one of those that the shadow looks at, or nothing can be said of the decision.
    pub(super) fn look(
        &mut self,
        unit: &mut Option<Box<UnitOfWork<L>>>,
        command: &Command,
        now: Timestamp,
    ) -> Option<Glimpse> {
        self.seen += 1;
        if !self.seen.is_multiple_of(lock(&self.tally).every) {
            return None;
        }
        let begun = Instant::now();
        let decided = self.runner.execute(&self.deciding, unit, command, now);
        let unit = unit.as_deref_mut()?;
        let effect = match decided {
            // A failure of the store says nothing about the candidate, and a command that met
            // something due is decided again.
            Err(Ended::Failure(_) | Ended::Due(_)) => {
                unit.abandon();
                return None;
            }
            decided => unit.effect(command, decided),
        };
        unit.abandon();
        Some(Glimpse { effect, took: begun.elapsed() })
    }

    /// Compares both decisions. `counts` is the one that joins the batch afterwards.
    pub(super) fn compare(
        &mut self,
        glimpse: &Glimpse,
        counts: &Effect,
        took: Duration,
        command: &Command,
        now: Timestamp,
    ) {
        let mut tally = lock(&self.tally);
        tally.candidate_in += glimpse.took;
        tally.decided_in += took;
        tally.comparison.take(command, counts, &glimpse.effect, || Difference {
            number: None,
            at: now,
            command: command.clone(),
            decided: counts.clone(),
            candidate: glimpse.effect.clone(),
        });
        if let Decided::Fault(fault) = &glimpse.effect.decision {
            tally.faults += 1;
            if tally.faults >= FAULTS_MAX {
                tally.running = false;
                tally.stopped_for = Some(format!("{FAULTS_MAX} faults, the last: {fault}"));
                tracing::warn!(candidate = %tally.candidate, fault, "the shadow is stopped");
            }
        }
    }
}

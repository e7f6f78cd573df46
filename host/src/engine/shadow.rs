//! A candidate that decides the same commands beside the component that counts, writes nothing,
//! and is compared.

use super::instance::Deciding;
use crate::{
    comparison::{Comparison, Count, Difference, Effect},
    component::{Caller, Limits},
    model::{Command, Decided, Digest, Ended, Timestamp},
    store::Lane,
    unit_of_work::UnitOfWork,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// A shadow holds up whoever waits for the real decision: it gets less than the one that counts.
const FUEL_MAX: u64 = 20_000_000;
const DEADLINE_MS_MAX: u64 = 50;

/// After so many faults it is not asked any more.
const FAULTS_MAX: u64 = 20;

/// Differences that are shown in full.
const SHOWN_MAX: usize = 20;

/// What came of a shadow so far.
#[derive(Clone, Debug)]
pub struct ShadowReport {
    /// The candidate.
    pub candidate: Digest,
    /// It decides one in so many commands.
    pub every: u64,
    /// Whether it still does.
    pub running: bool,
    /// Why not, where it stopped by itself.
    pub stopped_for: Option<String>,
    /// Commands that both decided.
    pub compared: u64,
    /// Of which they made different things.
    pub differing: u64,
    /// Commands on which the candidate failed.
    pub faults: u64,
    /// By kind, the most frequent first.
    pub counts: Vec<Count>,
    /// The first in full.
    pub shown: Vec<Difference>,
    /// What the one that counts took for them.
    pub decided_in: Duration,
    /// What the candidate took: so much longer did the writer's batches take.
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

/// The shadow that was asked for last, on its way to the writer, and what came of it.
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

    /// For the writer: what it was asked since it looked last, if anything.
    pub(super) fn take(&self) -> Option<Option<Shadow<L>>> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        Some(asked.map(|(deciding, tally)| Shadow {
            deciding,
            tally,
            caller: Caller::default(),
            seen: 0,
        }))
    }
}

/// The candidate, where the writer works.
pub(super) struct Shadow<L: Lane> {
    deciding: Deciding<L>,
    tally: Shared,
    caller: Caller<UnitOfWork<L>>,
    seen: u64,
}

/// What the candidate made of a command, to be held against what counts.
pub(super) struct Glimpse {
    effect: Effect,
    took: Duration,
}

/// What a candidate may use at most.
pub(super) fn limits(given: Limits) -> Limits {
    Limits {
        fuel_per_call: given.fuel_per_call.min(FUEL_MAX),
        deadline_ms: given.deadline_ms.min(DEADLINE_MS_MAX),
        ..given
    }
}

impl<L: Lane> Shadow<L> {
    /// Whether it is still to be asked.
    pub(super) fn running(&self) -> bool {
        lock(&self.tally).running
    }

    /// Lets the candidate decide a command before the one that counts does; nothing remains.
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
        let decided = self.caller.execute(&self.deciding, unit, command, now);
        let unit = unit.as_deref_mut()?;
        let effect = match decided {
            // The store's failure says nothing about the candidate, and a command that met
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

    /// Compares, before what counts joins the batch.
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

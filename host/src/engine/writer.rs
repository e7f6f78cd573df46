//! The one thread that writes: takes all that waits, lets the domain decide each command,
//! commits once, and replies. What is due it expires in between, in small steps.

use super::{
    Done, Error, Settings,
    clock::Clock,
    executor::Executor,
    faults::Faults,
    instance::Instance,
    meter::{Meter, Stage, Watch},
    queue::{Job, Queue},
    shadow::Shadow,
    status::{Status, StatusCell},
    switch::{Change, Switch},
};
use crate::{
    model::{Fault, StoreFailure, Timestamp},
    store::{Lane, Snapshot},
    unit_of_work::UnitOfWork,
};
use std::time::Duration;

/// How long to wait before a store that failed is tried again.
const RECOVERY_PAUSE: Duration = Duration::from_millis(500);

/// How long to wait before a sweep that failed is tried again.
const FAILED_SWEEP_PAUSE_MS: u64 = 1_000;

/// The most sweeps in one batch: what remains due makes each command look for itself, which
/// costs more, but nobody is to wait long for others' holds.
const SWEEPS_PER_BATCH_MAX: u64 = 4;

/// How often old answers are looked for, and how many go at once.
const FORGET_INTERVAL_MS: u64 = 1_000;
const FORGET_ANSWERS_MAX: u32 = 500;

type Reply = Result<Done, Error>;

/// Says that the writer has ended, however it ends, and leaves nobody waiting for it.
struct Ending<'a> {
    status: &'a StatusCell,
    queue: &'a Queue,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.status.set(Status::Stopped);
        self.queue.close();
        // These were never begun.
        let mut left = Vec::new();
        while self.queue.take(usize::MAX, None, &mut left) {
            for job in left.drain(..) {
                let _ = job.reply.send(Err(Error::Stopping));
            }
        }
    }
}

/// What is done between the commands, and when it was done last.
struct Chores {
    settings: Settings,
    /// Not before this is it time to sweep again.
    sweep_at: Timestamp,
    /// Not before this, whoever waits: the last one failed.
    retry_sweep_at: Timestamp,
    forget_at: Timestamp,
}

/// Serves the queue until it is closed and empty.
pub(super) fn run<L: Lane, S: Snapshot>(
    queue: &Queue,
    status: &StatusCell,
    meter: &Meter,
    clock: &Clock,
    switch: &Switch<L, S>,
    mut instance: Instance<L>,
    settings: Settings,
) {
    let _ending = Ending { status, queue };
    let most = settings.batch_commands_max;
    let mut chores = Chores { settings, sweep_at: 0, retry_sweep_at: 0, forget_at: 0 };
    let mut shadow = None;
    let (mut batch, mut replies) = (Vec::new(), Vec::new());
    let mut watch = Watch::start(meter);
    // The store may have been opened while it could not be written.
    let begun =
        instance.unit().is_ok_and(|unit| unit.writable()) || recovered(queue, &mut instance);
    if begun {
        status.set(Status::Ready);
    } else {
        queue.close();
    }
    while let Ok(unit) = instance.unit() {
        let wait = chores.wait(unit.next_due(), clock.now());
        if !queue.take(most, wait, &mut batch) {
            break;
        }
        watch.ended(Stage::Wait);
        let now = clock.now();
        if let Some(asked) = switch.shadows.take() {
            shadow = asked;
        }
        shadow = shadow.filter(Shadow::running);
        let change = switch.take();
        let before = change.as_ref().map(|change| instance.replace(change.deciding()));
        let faults = &switch.faults;
        let turn = Turn { instance: &mut instance, shadow: &mut shadow, faults, now };
        let decided = turn.decide(&mut chores, change.as_ref(), &batch, &mut replies);
        watch.ended(Stage::Decide);
        let committed = decided.and_then(|sequence| {
            commit(&mut instance, now)?;
            Ok(sequence)
        });
        watch.ended(Stage::Commit);
        if let Some(change) = change {
            if let (Err(_), Some(before)) = (&committed, before) {
                instance.replace(before);
            }
            switch.settle(change, now, committed.clone().map_err(|failure| unwritten(&failure)));
        }
        watch.batch(batch.iter().map(|job| job.request.work.commands()).sum());
        reply(&mut batch, &mut replies, committed.as_ref().err());
        watch.ended(Stage::Reply);
        if committed.is_err() {
            status.set(Status::ReadOnly);
            refuse_waiting(queue, most, &mut batch);
            if !recovered(queue, &mut instance) {
                break;
            }
            status.set(Status::Ready);
        }
    }
    // Whoever pushed between a failure and the closing is told so.
    refuse_waiting(queue, most, &mut batch);
    match instance.unit().map(UnitOfWork::close) {
        Ok(Ok(())) => {}
        Ok(Err(failure)) => {
            tracing::warn!(%failure, "the store could not be closed tidily; nothing is lost");
        }
        Err(fault) => tracing::error!(cause = %fault, "the store could not be closed"),
    }
}

/// What one batch is decided with.
struct Turn<'a, L: Lane> {
    instance: &'a mut Instance<L>,
    shadow: &'a mut Option<Shadow<L>>,
    faults: &'a Faults,
    now: Timestamp,
}

impl<L: Lane> Turn<'_, L> {
    /// One batch, from its beginning to before its commit: a reply per job. Says which number a
    /// change of the component has in the log; it comes first.
    fn decide<S: Snapshot>(
        self,
        chores: &mut Chores,
        change: Option<&Change<L, S>>,
        batch: &[Job],
        replies: &mut Vec<Reply>,
    ) -> Result<u64, StoreFailure> {
        let Self { instance, shadow, faults, now } = self;
        let unit = instance.unit().map_err(lost)?;
        unit.begin()?;
        if let Some(change) = change {
            unit.install(change.kind, change.from, change.to, &change.origin, now);
        }
        let sequence = unit.log_end().sequence + 1;
        let answers_since = now.saturating_sub(chores.settings.answers_kept_ms);
        let mut executor = Executor { instance, shadow, faults, now, answers_since };
        chores.sweep(&mut executor, !batch.is_empty());
        for job in batch {
            replies.push(executor.carry_out(&job.request));
        }
        chores.forget(instance.unit().map_err(lost)?, now, answers_since);
        Ok(sequence)
    }
}

fn commit<L: Lane>(instance: &mut Instance<L>, now: Timestamp) -> Result<(), StoreFailure> {
    let committed = instance.unit().map_err(lost)?.commit(now);
    if committed.is_err() {
        instance.retire();
    }
    committed
}

fn lost(fault: Fault) -> StoreFailure {
    StoreFailure::new("finding the unit of work", fault)
}

impl Chores {
    /// How long the writer may wait for commands before something is due.
    fn wait(&self, next_due: Option<Timestamp>, now: Timestamp) -> Option<Duration> {
        if self.settings.sweep_interval_ms == 0 {
            return None;
        }
        let at = next_due?.max(self.sweep_at);
        Some(Duration::from_millis(at.saturating_sub(now)))
    }

    /// Where commands are waiting, what is due goes first, so that none of them has to look for
    /// it; otherwise it is left to gather for a while.
    fn sweep<L: Lane>(&mut self, executor: &mut Executor<'_, L>, waiting: bool) {
        let now = executor.now;
        let too_early = self.retry_sweep_at > now || (self.sweep_at > now && !waiting);
        if self.settings.sweep_interval_ms == 0 || too_early {
            return;
        }
        let next_due = |executor: &mut Executor<'_, L>| {
            executor.instance.unit().ok().and_then(|unit| unit.next_due())
        };
        if next_due(executor).is_none_or(|at| at > now) {
            return;
        }
        for _ in 0..SWEEPS_PER_BATCH_MAX {
            if let Err(error) = executor.sweep() {
                tracing::error!(%error, "a sweep failed; due holds expire when they are touched");
                self.retry_sweep_at = now.saturating_add(FAILED_SWEEP_PAUSE_MS);
                self.sweep_at = self.retry_sweep_at;
                return;
            }
            if next_due(executor).is_none_or(|at| at > now) {
                self.sweep_at = now.saturating_add(self.settings.sweep_interval_ms);
                return;
            }
        }
        // More is due: go on with the next batch.
    }

    fn forget<L: Lane>(&mut self, unit: &mut UnitOfWork<L>, now: Timestamp, before: Timestamp) {
        if self.forget_at > now {
            return;
        }
        match unit.forget_answers(before, FORGET_ANSWERS_MAX) {
            Ok(true) => {}
            Ok(false) => self.forget_at = now.saturating_add(FORGET_INTERVAL_MS),
            Err(failure) => {
                tracing::warn!(%failure, "old answers could not be forgotten");
                self.forget_at = now.saturating_add(FORGET_INTERVAL_MS);
            }
        }
    }
}

/// What is said of a batch that was not committed.
fn unwritten(failure: &StoreFailure) -> Error {
    if failure.outcome_unknown { Error::OutcomeUnknown } else { Error::StoreUnavailable }
}

/// Answers everybody. Where the commit failed, nobody hears of a decision: neither an acceptance
/// nor a rejection that may rest on what is now undone.
fn reply(batch: &mut Vec<Job>, replies: &mut Vec<Reply>, failed: Option<&StoreFailure>) {
    if let Some(failure) = failed {
        tracing::error!(%failure, commands = batch.len(), "a batch could not be committed");
        replies.clear();
        replies.extend(batch.iter().map(|job| {
            // Of a dry run nothing was to be written.
            let unwritten = unwritten(failure);
            Err(if job.request.rehearsal { Error::StoreUnavailable } else { unwritten })
        }));
    }
    for (job, reply) in batch.drain(..).zip(replies.drain(..)) {
        // Whoever has stopped waiting needs no answer.
        let _ = job.reply.send(reply);
    }
}

fn refuse_waiting(queue: &Queue, most: usize, batch: &mut Vec<Job>) {
    while queue.waiting() > 0 && queue.take(most, None, batch) {
        for job in batch.drain(..) {
            let _ = job.reply.send(Err(Error::ReadOnly));
        }
    }
}

/// Tries the store until it can be written again; false if the queue is closed before.
fn recovered<L: Lane>(queue: &Queue, instance: &mut Instance<L>) -> bool {
    tracing::warn!("read-only until the store can be written again");
    while queue.pause(RECOVERY_PAUSE) {
        let Ok(unit) = instance.unit() else { return false };
        match unit.recover() {
            Ok(()) => {
                tracing::info!("the store can be written again");
                return true;
            }
            Err(failure) => tracing::warn!(%failure, "the store still cannot be written"),
        }
    }
    false
}

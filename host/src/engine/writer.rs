//! The one thread that writes: takes all that waits, lets the domain decide each command,
//! commits once, and replies. What is due it expires in between, in small steps.

use super::{
    Done, Error, Settings,
    chores::Chores,
    clock::Clock,
    executor::{Attempt, Executor},
    faults::Faults,
    instance::Instance,
    metrics::{EngineMetrics, Stage, StageTimer},
    queue::{Job, Most, Queue},
    shadow::Shadow,
    status::{Status, StatusCell},
    switch::{Change, Switch},
    waiting::Waiting,
};
use crate::{
    model::{Fault, StoreFailure, Timestamp},
    store::{BatchKey, BatchKeys, CommitError, Lane, Snapshot},
    unit_of_work::UnitOfWork,
};
use std::{collections::VecDeque, time::Duration};

/// How long to wait before a store that failed is tried again.
const RECOVERY_PAUSE: Duration = Duration::from_millis(500);

/// How often a batch is decided again because another writer changed what it was decided on. Its
/// requests are then answered 503; nothing of them was written.
const CONFLICTS_MAX: u32 = 3;

/// A guard of the writer's thread. However the thread ends, the guard sets the status, closes the
/// queue and refuses the requests that are left in it.
struct WriterGuard<'a> {
    status: &'a StatusCell,
    queue: &'a Queue,
}

impl Drop for WriterGuard<'_> {
    fn drop(&mut self) {
        self.status.set(Status::Stopped);
        self.queue.close();
        // No request that is left was begun.
        let mut left = Vec::new();
        while self.queue.take(Most::ALL, None, &mut left) {
            for job in left.drain(..) {
                job.answer(Err(Error::Stopping));
            }
        }
    }
}

/// Lines that may wait for holds to expire, as a multiple of those that may wait for the writer.
const PARKED_LINES_FACTOR: usize = 10;

/// Requests that the writer has taken.
struct Taken {
    /// Those of the next batch.
    next: VecDeque<Job>,
    /// Those that wait until something has expired.
    waiting: Waiting,
    /// Those of the batch at hand that were decided, and what each is told.
    decided: Vec<(Job, Result<Done, Error>)>,
}

impl Taken {
    /// Makes the requests of a batch that was not committed the next ones again, in their order.
    fn undecide(&mut self) {
        for (job, _) in self.decided.drain(..).rev() {
            self.next.push_front(job);
        }
    }

    /// Shows each key that the requests name.
    fn show_keys(&self, show: &mut dyn FnMut(BatchKey<'_>)) {
        for request in self.next.iter().map(|job| &job.request).chain(self.waiting.requests()) {
            request.show_keys(show);
        }
    }
}

/// Serves the queue until it is closed and empty.
pub(super) fn run<L: Lane, S: Snapshot>(
    queue: &Queue,
    status: &StatusCell,
    metrics: &EngineMetrics,
    clock: &Clock,
    switch: &Switch<L, S>,
    mut instance: Instance<L>,
    settings: Settings,
) {
    let _guard = WriterGuard { status, queue };
    let most = Most { commands: settings.batch_commands_max, lines: settings.batch_lines_max };
    let mut chores = Chores::new(settings);
    let mut shadow = None;
    let parked = Most {
        commands: settings.queue_commands_max,
        lines: settings.queue_lines_max.saturating_mul(PARKED_LINES_FACTOR),
    };
    let waiting = Waiting::new(parked);
    let mut taken = Taken { next: VecDeque::new(), waiting, decided: Vec::new() };
    let mut batch = Vec::new();
    let mut timer = StageTimer::start(metrics);
    // The store may have been opened while it could not be written.
    let begun = instance.unit().is_ok_and(|unit| unit.writable())
        || recovered(queue, clock, &mut chores, &mut instance);
    if begun {
        status.set(Status::Ready);
    } else {
        queue.close();
    }
    while let Ok(unit) = instance.unit() {
        // Requests that were taken already come first.
        if taken.next.is_empty() {
            let at_once = Some(Duration::ZERO).filter(|_| !taken.waiting.is_empty());
            let wait = at_once.or_else(|| chores.wait(unit.next_due(), clock.now()));
            if !queue.take(most, wait, &mut batch) {
                break;
            }
            taken.next.extend(batch.drain(..));
        }
        timer.end(Stage::Wait);
        if queue.is_stopping() {
            taken.waiting.close();
        }
        let now = clock.now();
        if let Some(asked) = switch.shadows.take() {
            shadow = asked;
        }
        shadow = shadow.filter(Shadow::running);
        let change = switch.take();
        // Woken only to read ahead: that writes nothing, so it takes no batch.
        let idle = taken.next.is_empty() && taken.waiting.is_empty() && change.is_none();
        if idle
            && let Ok(unit) = instance.unit()
            && !unit.something_due(now)
            && chores.look_ahead(unit, now).is_ok()
        {
            continue;
        }
        let before = change.as_ref().map(|change| instance.replace(change.deciding()));
        let faults = &switch.faults;
        let mut conflicts = 0;
        let committed = loop {
            let turn =
                Turn { queue, instance: &mut instance, shadow: &mut shadow, faults, now, settings };
            let decided = turn.decide(&mut chores, change.as_ref(), &mut taken);
            timer.end(Stage::Decide);
            match decided.map_err(CommitError::from).and_then(|()| commit(&mut instance, now)) {
                Err(CommitError::Conflict) if conflicts < CONFLICTS_MAX => {
                    conflicts += 1;
                    tracing::info!(conflicts, "a batch met another writer and is decided again");
                    taken.undecide();
                    timer.end(Stage::Commit);
                }
                committed => break committed,
            }
        };
        if let Ok(unit) = instance.unit() {
            metrics.set_large_answers(unit.large_answers());
        }
        timer.end(Stage::Commit);
        if let Some(change) = change {
            if let (Err(_), Some(before)) = (&committed, before) {
                instance.replace(before);
            }
            // The event that says so is the first of its batch.
            let settled = match &committed {
                Ok(first_sequence) => first_sequence.ok_or(Error::StoreUnavailable),
                Err(error) => Err(unwritten(error)),
            };
            switch.settle(change, now, settled);
        }
        if !taken.decided.is_empty() {
            timer.count_batch(
                taken.decided.iter().map(|(job, _)| job.request.work.commands()).sum(),
            );
        }
        reply(&mut taken.decided, committed.as_ref().err());
        timer.end(Stage::Reply);
        if matches!(committed, Err(CommitError::Failed(_))) {
            status.set(Status::ReadOnly);
            refuse_waiting(queue, &mut taken, &Error::ReadOnly);
            if !recovered(queue, clock, &mut chores, &mut instance) {
                break;
            }
            status.set(Status::Ready);
        }
    }
    // Requests that came between a failure and the closing are told so.
    refuse_waiting(queue, &mut taken, &Error::Stopping);
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
    queue: &'a Queue,
    instance: &'a mut Instance<L>,
    shadow: &'a mut Option<Shadow<L>>,
    faults: &'a Faults,
    now: Timestamp,
    settings: Settings,
}

impl<L: Lane> Turn<'_, L> {
    /// Decides one batch, from its beginning to before its commit. The event of a change of the
    /// component is the first of the batch.
    fn decide<S: Snapshot>(
        self,
        chores: &mut Chores,
        change: Option<&Change<L, S>>,
        taken: &mut Taken,
    ) -> Result<(), StoreFailure> {
        let Self { queue, instance, shadow, faults, now, settings } = self;
        let unit = instance.unit().map_err(lost)?;
        chores.look_ahead(unit, now)?;
        let keys = |show: &mut dyn FnMut(BatchKey<'_>)| taken.show_keys(show);
        unit.begin(&BatchKeys::new(&keys))?;
        if let Some(change) = change {
            unit.install(change.kind, change.from, change.to, &change.origin, now);
        }
        let answers_since = now.saturating_sub(settings.answers_kept_ms);
        let busy = !(taken.next.is_empty() && taken.waiting.is_empty());
        let expiry_lines = Chores::expiry_lines(busy);
        let mut executor = Executor {
            instance,
            shadow,
            faults,
            now,
            answers_since,
            request_lines_max: settings.request_lines_max,
            // Half for the requests that wait, half for all other holds.
            expiry_lines_left: expiry_lines / 2,
            lines_decided: 0,
        };
        for job in taken.waiting.settle(&mut executor).into_iter().rev() {
            queue.put_back(job);
        }
        executor.expiry_lines_left += expiry_lines / 2;
        chores.sweep(&mut executor, busy);
        let mut lines_left = settings.batch_lines_max;
        while lines_left > 0
            && let Some(mut job) = taken.next.pop_front()
        {
            // Only now it is known how long the reservations are that it is about.
            let alone = taken.decided.is_empty() && taken.next.is_empty();
            if !alone && !job.is_large() {
                job.lines = executor.lines_of(&job.request).unwrap_or(job.lines);
                if job.is_large() {
                    queue.put_back(job);
                    continue;
                }
            }
            let before = executor.lines_decided;
            match executor.carry_out(&job.request) {
                Attempt::Done(result) => taken.decided.push((job, result)),
                Attempt::Waits(due) => taken.waiting.park(due, job),
            }
            lines_left = lines_left.saturating_sub(executor.lines_decided - before);
        }
        chores.forget(instance.unit().map_err(lost)?, now, answers_since);
        Ok(())
    }
}

/// Commits the batch. Returns the sequence of its first event, where it has one.
fn commit<L: Lane>(instance: &mut Instance<L>, now: Timestamp) -> Result<Option<u64>, CommitError> {
    let committed = instance.unit().map_err(lost)?.commit(now);
    if committed.is_err() {
        instance.retire();
    }
    committed
}

fn lost(fault: Fault) -> StoreFailure {
    StoreFailure::new("finding the unit of work", fault)
}

/// The error that answers each request of a batch that was not committed.
fn unwritten(error: &CommitError) -> Error {
    match error {
        CommitError::Failed(failure) if failure.outcome_unknown => Error::OutcomeUnknown,
        CommitError::Failed(_) | CommitError::Conflict => Error::StoreUnavailable,
    }
}

/// Answers everybody. Where the commit failed, nobody hears of a decision: neither an acceptance
/// nor a rejection that may rest on what is now undone.
fn reply(decided: &mut Vec<(Job, Result<Done, Error>)>, failed: Option<&CommitError>) {
    if let Some(failure) = failed {
        tracing::error!(%failure, commands = decided.len(), "a batch could not be committed");
    }
    for (job, result) in decided.drain(..) {
        let result = match failed {
            None => result,
            // Of a dry run nothing was to be written.
            Some(_) if job.request.dry_run => Err(Error::StoreUnavailable),
            Some(failure) => Err(unwritten(failure)),
        };
        job.answer(result);
    }
}

fn refuse_waiting(queue: &Queue, taken: &mut Taken, error: &Error) {
    let mut batch = Vec::new();
    while queue.waiting() > 0 && queue.take(Most::ALL, None, &mut batch) {}
    for job in taken.next.drain(..).chain(batch) {
        job.answer(Err(error.clone()));
    }
    taken.waiting.refuse(error);
}

/// Tries the store until it can be written again; false if the queue is closed before.
fn recovered<L: Lane>(
    queue: &Queue,
    clock: &Clock,
    chores: &mut Chores,
    instance: &mut Instance<L>,
) -> bool {
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
        // Readers go on meanwhile, and need to know what comes due.
        if let Err(failure) = chores.look_ahead(unit, clock.now()) {
            tracing::warn!(%failure, "what comes due could not be read");
        }
    }
    false
}

#[cfg(test)]
#[path = "conflicts_tests.rs"]
mod tests;

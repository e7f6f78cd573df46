//! The writer's thread, the only thread that writes to the store. It takes a batch of requests from
//! the queue, lets the component decide their commands, commits the batch, and sends the replies.
//! Each batch also expires some of the holds that are due.

use super::{
    Done, Error, Settings,
    chores::Chores,
    clock::Clock,
    executor::{Attempt, Executor},
    faults::Faults,
    instance::Instance,
    metrics::{EngineMetrics, Stage, StageTimer},
    queue::{Job, LoadBound, Queue},
    shadow::Shadow,
    status::{Status, StatusCell},
    switch::{PendingSwap, Switch},
    waiting::WaitingRequests,
};
use crate::{
    model::{Fault, StoreFailure, Timestamp},
    store::{BatchKey, BatchKeys, CommitError, Lane, Snapshot},
    unit_of_work::UnitOfWork,
};
use std::{collections::VecDeque, time::Duration};

/// Pause between two attempts to recover a store that failed.
const RECOVERY_PAUSE: Duration = Duration::from_millis(500);

/// A batch is decided again at most this many times because another writer changed the state that
/// it was decided on. After that its requests are refused; nothing of the batch was written.
const CONFLICTS_MAX: u32 = 3;

/// A guard of the writer's thread. However the thread ends, also by a panic, the guard sets the
/// status, closes the queue and refuses the requests that are left in the queue.
struct WriterGuard<'a> {
    status: &'a StatusCell,
    queue: &'a Queue,
}

impl Drop for WriterGuard<'_> {
    fn drop(&mut self) {
        self.status.set(Status::Stopped);
        self.queue.close();
        // Nothing of these requests was carried out.
        let mut left = Vec::new();
        while self.queue.take(LoadBound::UNBOUNDED, None, &mut left) {
            for job in left.drain(..) {
                job.answer(Err(Error::Stopping));
            }
        }
    }
}

/// The bound on the lines of requests that wait for holds to expire, as a multiple of the bound on
/// the lines in the queue.
const PARKED_LINES_FACTOR: usize = 10;

/// The requests that the writer has taken from the queue and not answered yet.
struct Taken {
    /// Requests that are still to be decided, in this batch or the next.
    next: VecDeque<Job>,
    /// Requests that wait until holds on their stocks have expired.
    waiting: WaitingRequests,
    /// Requests that were decided in the current batch, each with its result.
    decided: Vec<(Job, Result<Done, Error>)>,
}

impl Taken {
    /// Puts the decided requests back in front of `next`, in their order: their batch met a
    /// conflict and is decided again.
    fn requeue_decided(&mut self) {
        for (job, _) in self.decided.drain(..).rev() {
            self.next.push_front(job);
        }
    }

    /// Calls `show` with each key that the requests name.
    fn show_keys(&self, show: &mut dyn FnMut(BatchKey<'_>)) {
        for request in self.next.iter().map(|job| &job.request).chain(self.waiting.requests()) {
            request.show_keys(show);
        }
    }
}

/// The main loop of the writer's thread: decides and commits batches until the queue is closed and
/// empty, or until the store cannot be recovered before the queue is closed.
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
    let batch_bound =
        LoadBound { commands: settings.batch_commands_max, lines: settings.batch_lines_max };
    let mut chores = Chores::new(settings);
    let mut shadow = None;
    let parked_bound = LoadBound {
        commands: settings.queue_commands_max,
        lines: settings.queue_lines_max.saturating_mul(PARKED_LINES_FACTOR),
    };
    let waiting = WaitingRequests::new(parked_bound);
    let mut taken = Taken { next: VecDeque::new(), waiting, decided: Vec::new() };
    let mut batch = Vec::new();
    let mut timer = StageTimer::start(metrics);
    // The store may have been opened read-only because it could not be written.
    let writable = instance.unit().is_ok_and(|unit| unit.writable())
        || recover(queue, clock, &mut chores, &mut instance);
    if writable {
        status.set(Status::Ready);
    } else {
        queue.close();
    }
    while let Ok(unit) = instance.unit() {
        // Requests that an earlier batch took but did not reach come first.
        if taken.next.is_empty() {
            let at_once = Some(Duration::ZERO).filter(|_| !taken.waiting.is_empty());
            let wait = at_once.or_else(|| chores.wait(unit.next_due(), clock.now()));
            if !queue.take(batch_bound, wait, &mut batch) {
                break;
            }
            taken.next.extend(batch.drain(..));
        }
        timer.end(Stage::Wait);
        if queue.is_stopping() {
            taken.waiting.close();
        }
        let now = clock.now();
        if let Some(requested) = switch.shadows.take() {
            shadow = requested;
        }
        shadow = shadow.filter(Shadow::running);
        let swap = switch.take_pending();
        // Reading ahead writes nothing: a writer that woke up only for that begins no batch.
        let idle = taken.next.is_empty() && taken.waiting.is_empty() && swap.is_none();
        if idle
            && let Ok(unit) = instance.unit()
            && !unit.something_due(now)
            && chores.look_ahead(unit, now).is_ok()
        {
            continue;
        }
        let replaced = swap.as_ref().map(|swap| instance.replace(swap.writer_domain()));
        let faults = &switch.faults;
        let mut conflicts = 0;
        let committed = loop {
            let decider = BatchDecider {
                queue,
                instance: &mut instance,
                shadow: &mut shadow,
                faults,
                now,
                settings,
            };
            let decided = decider.decide(&mut chores, swap.as_ref(), &mut taken);
            timer.end(Stage::Decide);
            match decided.map_err(CommitError::from).and_then(|()| commit(&mut instance, now)) {
                Err(CommitError::Conflict) if conflicts < CONFLICTS_MAX => {
                    conflicts += 1;
                    tracing::info!(
                        conflicts,
                        "a batch is decided again: another writer changed what it was decided on"
                    );
                    taken.requeue_decided();
                    timer.end(Stage::Commit);
                }
                committed => break committed,
            }
        };
        if let Ok(unit) = instance.unit() {
            metrics.set_large_answers(unit.large_answers());
        }
        timer.end(Stage::Commit);
        if let Some(swap) = swap {
            if let (Err(_), Some(replaced)) = (&committed, replaced) {
                instance.replace(replaced);
            }
            // The event that announces the swap is the first of its batch.
            let sequence = match &committed {
                Ok(first_sequence) => first_sequence.ok_or(Error::StoreUnavailable),
                Err(error) => Err(commit_failed(error)),
            };
            switch.finish(swap, now, sequence);
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
            refuse_all(queue, &mut taken, &Error::ReadOnly);
            if !recover(queue, clock, &mut chores, &mut instance) {
                break;
            }
            status.set(Status::Ready);
        }
    }
    // Requests that arrived between a failure of the store and the closing of the queue are still
    // unanswered.
    refuse_all(queue, &mut taken, &Error::Stopping);
    match instance.unit().map(UnitOfWork::close) {
        Ok(Ok(())) => {}
        Ok(Err(failure)) => {
            tracing::warn!(
                %failure, "the store could not be compacted before closing; nothing is lost"
            );
        }
        Err(fault) => tracing::error!(cause = %fault, "the store could not be closed"),
    }
}

/// Decides one batch.
struct BatchDecider<'a, L: Lane> {
    queue: &'a Queue,
    instance: &'a mut Instance<L>,
    shadow: &'a mut Option<Shadow<L>>,
    faults: &'a Faults,
    /// The time of the batch, in milliseconds since the epoch.
    now: Timestamp,
    settings: Settings,
}

impl<L: Lane> BatchDecider<'_, L> {
    /// Begins a batch, and expires holds and decides requests within the bounds of the batch. The
    /// caller commits. Where there is a swap, its event is the first event of the batch.
    ///
    /// Fails where the store does.
    fn decide<S: Snapshot>(
        self,
        chores: &mut Chores,
        swap: Option<&PendingSwap<L, S>>,
        taken: &mut Taken,
    ) -> Result<(), StoreFailure> {
        let Self { queue, instance, shadow, faults, now, settings } = self;
        let unit = instance.unit().map_err(unit_lost)?;
        chores.look_ahead(unit, now)?;
        let keys = |show: &mut dyn FnMut(BatchKey<'_>)| taken.show_keys(show);
        unit.begin(&BatchKeys::new(&keys))?;
        if let Some(swap) = swap {
            unit.install(swap.kind, swap.from, swap.to, &swap.origin, now);
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
            // Half of the lines are for the stocks of waiting requests, half for all other holds.
            expiry_lines_left: expiry_lines / 2,
            lines_decided: 0,
        };
        for job in taken.waiting.expire_and_release(&mut executor).into_iter().rev() {
            queue.put_back(job);
        }
        executor.expiry_lines_left += expiry_lines / 2;
        chores.sweep(&mut executor, busy);
        let mut lines_left = settings.batch_lines_max;
        while lines_left > 0
            && let Some(mut job) = taken.next.pop_front()
        {
            // The lines of the reservations that the request names are known only now, when the
            // store can be read.
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
                Attempt::MustWait(due) => taken.waiting.park(due, job),
            }
            lines_left = lines_left.saturating_sub(executor.lines_decided - before);
        }
        chores.delete_old_answers(instance.unit().map_err(unit_lost)?, now, answers_since);
        Ok(())
    }
}

/// Commits the batch. Returns the sequence of the batch's first event; `None` for a batch without
/// events.
fn commit<L: Lane>(instance: &mut Instance<L>, now: Timestamp) -> Result<Option<u64>, CommitError> {
    let committed = instance.unit().map_err(unit_lost)?.commit(now);
    if committed.is_err() {
        instance.retire();
    }
    committed
}

fn unit_lost(fault: Fault) -> StoreFailure {
    StoreFailure::new("finding the unit of work", fault)
}

/// The error that answers each request of a batch that was not committed.
fn commit_failed(error: &CommitError) -> Error {
    match error {
        CommitError::Failed(failure) if failure.outcome_unknown => Error::OutcomeUnknown,
        CommitError::Failed(_) | CommitError::Conflict => Error::StoreUnavailable,
    }
}

/// Answers all decided requests. After a failed commit every request gets the failure, a rejected
/// one too, because its rejection may rest on writes that are now undone.
fn reply(decided: &mut Vec<(Job, Result<Done, Error>)>, failed: Option<&CommitError>) {
    if let Some(failure) = failed {
        tracing::error!(%failure, commands = decided.len(), "a batch could not be committed");
    }
    for (job, result) in decided.drain(..) {
        let result = match failed {
            None => result,
            // A dry run writes nothing, so its outcome cannot be unknown.
            Some(_) if job.request.dry_run => Err(Error::StoreUnavailable),
            Some(failure) => Err(commit_failed(failure)),
        };
        job.answer(result);
    }
}

/// Answers every request that is not decided yet with `error`: those in the queue too.
fn refuse_all(queue: &Queue, taken: &mut Taken, error: &Error) {
    let mut batch = Vec::new();
    while queue.waiting() > 0 && queue.take(LoadBound::UNBOUNDED, None, &mut batch) {}
    for job in taken.next.drain(..).chain(batch) {
        job.answer(Err(error.clone()));
    }
    taken.waiting.refuse(error);
}

/// Tries the store until it can be written again. Returns `false` where the queue is closed before
/// that.
fn recover<L: Lane>(
    queue: &Queue,
    clock: &Clock,
    chores: &mut Chores,
    instance: &mut Instance<L>,
) -> bool {
    tracing::warn!("the server is read-only until the store can be written again");
    while queue.pause(RECOVERY_PAUSE) {
        let Ok(unit) = instance.unit() else { return false };
        match unit.recover() {
            Ok(()) => {
                tracing::info!("the store can be written again");
                return true;
            }
            Err(failure) => tracing::warn!(%failure, "the store still cannot be written"),
        }
        // Readers continue meanwhile. They answer only up to the time that was read ahead.
        if let Err(failure) = chores.look_ahead(unit, clock.now()) {
            tracing::warn!(%failure, "holds that come due soon could not be read ahead");
        }
    }
    false
}

#[cfg(test)]
#[path = "conflicts_tests.rs"]
mod tests;

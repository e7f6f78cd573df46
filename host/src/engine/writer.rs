//! The one thread that writes: takes all that waits, lets the domain decide each command,
//! commits once, and replies.

use super::{
    Error,
    clock::Clock,
    queue::{Job, Queue},
    status::{Status, StatusCell},
};
use crate::{
    component::{Domain, Guest},
    model::{Command, Ended, Fault, StockOutcome, StoreFailure, Timestamp},
    store::Lane,
    unit_of_work::UnitOfWork,
};
use std::time::Duration;

/// How long to wait before a store that failed is tried again.
const RECOVERY_PAUSE: Duration = Duration::from_millis(500);

type Outcome = Result<StockOutcome, Error>;

/// Says that the writer has ended, however it ends, and leaves nobody waiting for it.
struct Ending<'a> {
    status: &'a StatusCell,
    queue: &'a Queue,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.status.set(Status::Stopped);
        self.queue.close();
        // Whoever waits for a reply that is dropped is told that the store is unavailable.
        while self.queue.take(usize::MAX, &mut Vec::new()) {}
    }
}

/// Serves the queue until it is closed and empty.
pub(super) fn run<L: Lane>(
    queue: &Queue,
    status: &StatusCell,
    clock: &Clock,
    domain: &Domain<UnitOfWork<L>>,
    mut unit: UnitOfWork<L>,
    batch_commands_max: usize,
) {
    let _ending = Ending { status, queue };
    let mut batch = Vec::new();
    let mut outcomes = Vec::new();
    while queue.take(batch_commands_max, &mut batch) {
        let mut committed = unit.begin();
        if committed.is_ok() {
            unit = decide(domain, unit, clock.now(), &batch, &mut outcomes);
            committed = unit.commit();
        }
        reply(&mut batch, &mut outcomes, committed.as_ref().err());
        if committed.is_err() {
            status.set(Status::ReadOnly);
            refuse_waiting(queue, batch_commands_max, &mut batch);
            if !recovered(queue, &mut unit) {
                break;
            }
            status.set(Status::Ready);
        }
    }
    // Whoever pushed between a failure and the closing is told so.
    refuse_waiting(queue, batch_commands_max, &mut batch);
    if let Err(failure) = unit.close() {
        tracing::warn!(%failure, "the store could not be closed tidily; nothing is lost");
    }
}

/// Lets the domain decide each command of the batch, one outcome per command. An instance
/// lives for the batch, or until it fails.
fn decide<L: Lane>(
    domain: &Domain<UnitOfWork<L>>,
    mut unit: UnitOfWork<L>,
    now: Timestamp,
    batch: &[Job],
    outcomes: &mut Vec<Outcome>,
) -> UnitOfWork<L> {
    let mut jobs = batch.iter();
    while outcomes.len() < batch.len() {
        let mut guest = match Guest::new(domain, unit) {
            Ok(guest) => guest,
            Err((fault, given_back)) => {
                tracing::error!(cause = %fault, "the domain component cannot be instantiated");
                outcomes.resize_with(batch.len(), || Err(Error::Fault));
                return given_back;
            }
        };
        for job in jobs.by_ref() {
            let (outcome, spent) = decide_one(domain, &mut guest, &job.command, now);
            outcomes.push(outcome);
            if spent {
                break;
            }
        }
        unit = guest.into_world();
    }
    unit
}

/// One decision, and whether it cost the instance.
fn decide_one<L: Lane>(
    domain: &Domain<UnitOfWork<L>>,
    guest: &mut Guest<UnitOfWork<L>>,
    command: &Command,
    now: Timestamp,
) -> (Outcome, bool) {
    match guest.execute(command, now) {
        Ok(Ok(outcome)) => match guest.world().accept(command, now, domain.digest()) {
            Ok(()) => (Ok(outcome), false),
            Err(fault) => (Err(faulted(command, &fault)), true),
        },
        Ok(Err(rejection)) => {
            guest.world().abandon();
            (Err(Error::Rejected(rejection)), false)
        }
        Err(ended) => {
            guest.world().abandon();
            let error = match ended {
                Ended::Fault(fault) => faulted(command, &fault),
                Ended::Failure(failure) => failure.into(),
            };
            (Err(error), true)
        }
    }
}

fn faulted(command: &Command, fault: &Fault) -> Error {
    let key = &command.key;
    tracing::error!(command_id = %command.id, %key, cause = %fault, "domain fault");
    Error::Fault
}

/// Answers everybody. Where the commit failed, nothing was written, so nobody hears of a
/// decision: neither an acceptance nor a rejection that may rest on what is now undone.
fn reply(batch: &mut Vec<Job>, outcomes: &mut Vec<Outcome>, failed: Option<&StoreFailure>) {
    if let Some(failure) = failed {
        tracing::error!(%failure, commands = batch.len(), "a batch could not be committed");
    }
    if failed.is_some() {
        outcomes.clear();
        outcomes.resize_with(batch.len(), || Err(Error::StoreUnavailable));
    }
    for (job, outcome) in batch.drain(..).zip(outcomes.drain(..)) {
        // Whoever has stopped waiting needs no answer.
        let _ = job.reply.send(outcome);
    }
}

fn refuse_waiting(queue: &Queue, most: usize, batch: &mut Vec<Job>) {
    while queue.waiting() > 0 && queue.take(most, batch) {
        for job in batch.drain(..) {
            let _ = job.reply.send(Err(Error::ReadOnly));
        }
    }
}

/// Tries the store until it can be written again; false if the queue is closed before.
fn recovered<L: Lane>(queue: &Queue, unit: &mut UnitOfWork<L>) -> bool {
    tracing::warn!("read-only until the store can be written again");
    while queue.pause(RECOVERY_PAUSE) {
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

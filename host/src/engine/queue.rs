use super::{
    Error,
    request::{Done, Request},
};
use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// What a request is told.
pub(super) enum Reply {
    /// What became of it.
    Now(Result<Done, Error>),
    /// It waits until holds that are due on its stocks have expired: this tells what becomes of
    /// it then.
    Later(oneshot::Receiver<Reply>),
}

/// A request and where its answer goes.
pub(super) struct Job {
    pub(super) request: Request,
    /// How many lines its commands have, as far as is known: at first, as many as they name.
    pub(super) lines: usize,
    pub(super) reply: oneshot::Sender<Reply>,
}

impl Job {
    pub(super) fn new(request: Request, reply: oneshot::Sender<Reply>) -> Self {
        Self { lines: request.work.lines(), request, reply }
    }

    /// Whether it is to make a batch of its own.
    pub(super) fn is_large(&self) -> bool {
        self.lines > LARGE_LINES
    }

    /// Tells its sender, who may have stopped waiting.
    pub(super) fn answer(self, result: Result<Done, Error>) {
        let _ = self.reply.send(Reply::Now(result));
    }
}

/// How much is taken from the queue at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Most {
    pub(super) commands: usize,
    pub(super) lines: usize,
}

impl Most {
    /// All that waits.
    pub(super) const ALL: Self = Self { commands: usize::MAX, lines: usize::MAX };
}

/// What became of a push.
pub(super) enum Push {
    Queued,
    Full { waiting: usize },
    Closed,
}

/// A request of more lines than this is large.
const LARGE_LINES: usize = 500;

/// Commands on their way to the writer: many push, one takes all that waits at once.
///
/// There is no timer: while one batch commits, the next one gathers here. A large request makes a
/// batch of its own, and between two of them it is the turn of the others: so nobody waits for more
/// than one of them. For the same reason large requests get half of the queue at most.
pub(super) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    commands_max: usize,
    lines_max: usize,
}

struct State {
    jobs: VecDeque<Job>,
    /// Large requests.
    large: VecDeque<Job>,
    /// Whether the next batch is a large request, if there is one.
    large_next: bool,
    in_jobs: Load,
    in_large: Load,
    closed: bool,
    /// Whether the server is about to stop.
    stopping: bool,
    /// Whether the writer is to look up, commands or not.
    poked: bool,
    /// Whether the writer sleeps, so that nobody else pays for waking it.
    asleep: bool,
}

/// How much waits.
#[derive(Clone, Copy, Default)]
struct Load {
    commands: usize,
    /// Lines that the commands name.
    lines: usize,
}

impl Load {
    fn of(job: &Job) -> Self {
        Self { commands: job.request.work.commands(), lines: job.lines }
    }

    fn add(&mut self, more: Self) {
        self.commands += more.commands;
        self.lines += more.lines;
    }

    fn subtract(&mut self, gone: Self) {
        self.commands = self.commands.saturating_sub(gone.commands);
        self.lines = self.lines.saturating_sub(gone.lines);
    }
}

impl State {
    fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.large.is_empty()
    }

    fn waiting(&self) -> usize {
        self.in_jobs.commands + self.in_large.commands
    }

    fn add(&mut self, job: Job, add: impl FnOnce(&mut VecDeque<Job>, Job)) {
        let load = Load::of(&job);
        if job.is_large() {
            self.in_large.add(load);
            add(&mut self.large, job);
        } else {
            self.in_jobs.add(load);
            add(&mut self.jobs, job);
        }
    }
}

impl Queue {
    /// A queue of at most so many commands, and so many lines of them.
    pub(super) fn new(commands_max: usize, lines_max: usize) -> Self {
        let state = State {
            jobs: VecDeque::new(),
            large: VecDeque::new(),
            large_next: false,
            in_jobs: Load::default(),
            in_large: Load::default(),
            closed: false,
            stopping: false,
            poked: false,
            asleep: false,
        };
        Self { state: Mutex::new(state), arrived: Condvar::new(), commands_max, lines_max }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic happens under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, job: Job) -> Push {
        let mut state = self.lock();
        if state.closed {
            return Push::Closed;
        }
        let Load { commands, lines } = Load::of(&job);
        // What is larger than its part of the queue must find that empty.
        let full = if job.is_large() {
            let Load { commands: large_commands, lines: large_lines } = state.in_large;
            large_commands > 0
                && (large_commands + commands > self.commands_max / 2
                    || large_lines + lines > self.lines_max / 2)
        } else {
            let Load { commands: other_commands, lines: other_lines } = state.in_jobs;
            other_commands > 0
                && (other_commands + commands
                    > self.commands_max - state.in_large.commands.min(self.commands_max / 2)
                    || other_lines + lines
                        > self.lines_max - state.in_large.lines.min(self.lines_max / 2))
        };
        if full {
            return Push::Full { waiting: state.waiting() };
        }
        state.add(job, VecDeque::push_back);
        if std::mem::take(&mut state.asleep) {
            drop(state);
            self.arrived.notify_one();
        }
        Push::Queued
    }

    /// Moves jobs of up to so many commands and lines to `batch`, one job at least where there is
    /// one, and waits for it, but not longer than `wait`, nor when it is poked. False once the
    /// queue is closed and empty.
    pub(super) fn take(&self, most: Most, wait: Option<Duration>, batch: &mut Vec<Job>) -> bool {
        let until = wait.and_then(|wait| Instant::now().checked_add(wait));
        let mut state = self.lock();
        while state.is_empty() && !state.poked {
            if state.closed {
                return false;
            }
            let Some(until) = until else {
                state.asleep = true;
                state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            state.asleep = true;
            let waited = self.arrived.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.asleep = false;
        state.poked = false;
        if (state.large_next || state.jobs.is_empty())
            && let Some(job) = state.large.pop_front()
        {
            state.in_large.subtract(Load::of(&job));
            state.large_next = false;
            batch.push(job);
            return true;
        }
        let (mut jobs, mut commands, mut lines) = (0, 0, 0);
        for job in &state.jobs {
            let work = &job.request.work;
            let (with, with_lines) = (commands + work.commands(), lines + job.lines);
            if jobs > 0 && (with > most.commands || with_lines > most.lines) {
                break;
            }
            (jobs, commands, lines) = (jobs + 1, with, with_lines);
        }
        batch.extend(state.jobs.drain(..jobs));
        state.in_jobs.subtract(Load { commands, lines });
        state.large_next = true;
        true
    }

    /// Puts back what was taken and could not be carried out yet, before all others of its kind.
    pub(super) fn put_back(&self, job: Job) {
        self.lock().add(job, VecDeque::push_front);
    }

    /// Lets the writer look up between two batches, where something else than commands waits.
    pub(super) fn poke(&self) {
        self.lock().poked = true;
        self.arrived.notify_all();
    }

    /// Waits for a while, less if the queue is closed meanwhile. True while it is open.
    pub(super) fn pause(&self, time: Duration) -> bool {
        let state = self.lock();
        let waited = self.arrived.wait_timeout_while(state, time, |state| !state.closed);
        !waited.unwrap_or_else(PoisonError::into_inner).0.closed
    }

    /// Says that the server is about to stop: what waits here is still carried out, what would have
    /// to wait longer is not.
    pub(super) fn begin_stop(&self) {
        let mut state = self.lock();
        (state.stopping, state.poked) = (true, true);
        self.arrived.notify_all();
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.lock().stopping
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting()
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;

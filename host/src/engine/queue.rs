//! The writer's queue: a bounded queue of requests, from which the writer takes a batch at a time.

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

/// The writer's reply to a request.
pub(super) enum Reply {
    /// The result of the request.
    Now(Result<Done, Error>),
    /// The request waits until holds that are due on its stocks have expired. The result follows on
    /// this channel.
    Later(oneshot::Receiver<Reply>),
}

/// A request in the queue, and the channel for its reply.
pub(super) struct Job {
    pub(super) request: Request,
    /// The number of lines of the request's commands: at first the lines that the commands name,
    /// later with those of the reservations that they are about.
    pub(super) lines: usize,
    pub(super) reply: oneshot::Sender<Reply>,
}

impl Job {
    pub(super) fn new(request: Request, reply: oneshot::Sender<Reply>) -> Self {
        Self { lines: request.work.lines(), request, reply }
    }

    /// Whether the request gets a batch of its own.
    pub(super) fn is_large(&self) -> bool {
        self.lines > LARGE_LINES
    }

    /// Sends the result of the request. Its sender may have stopped waiting, which is no error.
    pub(super) fn answer(self, result: Result<Done, Error>) {
        let _ = self.reply.send(Reply::Now(result));
    }
}

/// A bound on a number of commands and on the number of their lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct LoadBound {
    pub(super) commands: usize,
    pub(super) lines: usize,
}

impl LoadBound {
    /// No bound.
    pub(super) const UNBOUNDED: Self = Self { commands: usize::MAX, lines: usize::MAX };
}

/// The result of [`Queue::push`].
pub(super) enum Push {
    Queued,
    /// The queue is full: `waiting` commands are in it.
    Full {
        waiting: usize,
    },
    Closed,
}

/// A request of more lines than this is large.
const LARGE_LINES: usize = 500;

/// A bounded queue of requests: many threads push, and the writer takes a batch at a time.
///
/// There is no timer: while one batch commits, the next one gathers in the queue. A large request
/// gets a batch of its own. Two large requests never follow each other while ordinary ones wait, so
/// that an ordinary request waits for at most one large request. For the same reason large requests
/// get at most half of the queue.
pub(super) struct Queue {
    state: Mutex<QueueState>,
    /// Notified when the writer has a reason to wake up.
    arrived: Condvar,
    commands_max: usize,
    lines_max: usize,
}

struct QueueState {
    /// Requests that are not large.
    ordinary: VecDeque<Job>,
    /// Large requests.
    large: VecDeque<Job>,
    /// Whether the next batch is a large request, if one waits.
    large_next: bool,
    ordinary_load: Load,
    large_load: Load,
    closed: bool,
    /// Whether the server is about to stop.
    stopping: bool,
    /// Whether the next [`Queue::take`] returns at once, even without a request.
    woken: bool,
    /// Whether the writer sleeps. Only then a push pays for waking it.
    asleep: bool,
}

/// The number of commands that wait, and of their lines.
#[derive(Clone, Copy, Default)]
struct Load {
    commands: usize,
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

impl QueueState {
    fn is_empty(&self) -> bool {
        self.ordinary.is_empty() && self.large.is_empty()
    }

    fn waiting(&self) -> usize {
        self.ordinary_load.commands + self.large_load.commands
    }

    /// Adds a request to the queue of its kind, at the end where `add` puts it.
    fn add(&mut self, job: Job, add: impl FnOnce(&mut VecDeque<Job>, Job)) {
        let load = Load::of(&job);
        if job.is_large() {
            self.large_load.add(load);
            add(&mut self.large, job);
        } else {
            self.ordinary_load.add(load);
            add(&mut self.ordinary, job);
        }
    }
}

impl Queue {
    /// Creates a queue of at most `commands_max` commands with at most `lines_max` lines.
    pub(super) fn new(commands_max: usize, lines_max: usize) -> Self {
        let state = QueueState {
            ordinary: VecDeque::new(),
            large: VecDeque::new(),
            large_next: false,
            ordinary_load: Load::default(),
            large_load: Load::default(),
            closed: false,
            stopping: false,
            woken: false,
            asleep: false,
        };
        Self { state: Mutex::new(state), arrived: Condvar::new(), commands_max, lines_max }
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        // Nothing that can panic happens under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a request, or refuses it at once where the queue is full or closed.
    pub(super) fn push(&self, job: Job) -> Push {
        let mut state = self.lock();
        if state.closed {
            return Push::Closed;
        }
        let Load { commands, lines } = Load::of(&job);
        // A request larger than its part of the queue is let in where that part is empty.
        let full = if job.is_large() {
            let Load { commands: large_commands, lines: large_lines } = state.large_load;
            large_commands > 0
                && (large_commands + commands > self.commands_max / 2
                    || large_lines + lines > self.lines_max / 2)
        } else {
            let Load { commands: other_commands, lines: other_lines } = state.ordinary_load;
            other_commands > 0
                && (other_commands + commands
                    > self.commands_max - state.large_load.commands.min(self.commands_max / 2)
                    || other_lines + lines
                        > self.lines_max - state.large_load.lines.min(self.lines_max / 2))
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

    /// Moves requests within `bound` to `batch`, and the first one even where it exceeds the bound.
    /// Waits for a request, but returns without one after `wait` or after [`Queue::wake`]; `None`
    /// waits without end. Returns `false` once the queue is closed and empty.
    pub(super) fn take(
        &self,
        bound: LoadBound,
        wait: Option<Duration>,
        batch: &mut Vec<Job>,
    ) -> bool {
        let until = wait.and_then(|wait| Instant::now().checked_add(wait));
        let mut state = self.lock();
        while state.is_empty() && !state.woken {
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
        state.woken = false;
        if (state.large_next || state.ordinary.is_empty())
            && let Some(job) = state.large.pop_front()
        {
            state.large_load.subtract(Load::of(&job));
            state.large_next = false;
            batch.push(job);
            return true;
        }
        let (mut jobs, mut commands, mut lines) = (0, 0, 0);
        for job in &state.ordinary {
            let work = &job.request.work;
            let (with, with_lines) = (commands + work.commands(), lines + job.lines);
            if jobs > 0 && (with > bound.commands || with_lines > bound.lines) {
                break;
            }
            (jobs, commands, lines) = (jobs + 1, with, with_lines);
        }
        batch.extend(state.ordinary.drain(..jobs));
        state.ordinary_load.subtract(Load { commands, lines });
        state.large_next = true;
        true
    }

    /// Puts back a request that was taken and not carried out. It comes first among the requests of
    /// its kind, large or ordinary.
    pub(super) fn put_back(&self, job: Job) {
        self.lock().add(job, VecDeque::push_front);
    }

    /// Wakes the writer although no request may wait: it has something else to do, such as a swap.
    pub(super) fn wake(&self) {
        self.lock().woken = true;
        self.arrived.notify_all();
    }

    /// Waits for `time`, or until the queue is closed. Returns whether the queue is still open.
    pub(super) fn pause(&self, time: Duration) -> bool {
        let state = self.lock();
        let waited = self.arrived.wait_timeout_while(state, time, |state| !state.closed);
        !waited.unwrap_or_else(PoisonError::into_inner).0.closed
    }

    /// Announces that the server is about to stop. The requests in the queue are still carried out,
    /// except for those that would have to wait for holds to expire.
    pub(super) fn begin_stop(&self) {
        let mut state = self.lock();
        (state.stopping, state.woken) = (true, true);
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

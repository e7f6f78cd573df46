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
    pub(super) reply: oneshot::Sender<Reply>,
}

impl Job {
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

/// Commands on their way to the writer: many push, one takes all that waits at once.
///
/// There is no timer: while one batch commits, the next one gathers here.
pub(super) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    commands_max: usize,
    lines_max: usize,
}

struct State {
    jobs: VecDeque<Job>,
    /// Commands in them.
    waiting: usize,
    /// Lines that these commands name.
    lines: usize,
    closed: bool,
    /// Whether the writer is to look up, commands or not.
    poked: bool,
    /// Whether the writer sleeps, so that nobody else pays for waking it.
    asleep: bool,
}

impl Queue {
    /// A queue of at most so many commands, and so many lines of them.
    pub(super) fn new(commands_max: usize, lines_max: usize) -> Self {
        let state = State {
            jobs: VecDeque::new(),
            waiting: 0,
            lines: 0,
            closed: false,
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
        let (commands, lines) = (job.request.work.commands(), job.request.work.lines());
        let full =
            state.waiting + commands > self.commands_max || state.lines + lines > self.lines_max;
        // What is larger than the queue must find it empty.
        if state.waiting > 0 && full {
            return Push::Full { waiting: state.waiting };
        }
        state.waiting += commands;
        state.lines += lines;
        state.jobs.push_back(job);
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
        while state.jobs.is_empty() && !state.poked {
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
        let (mut jobs, mut commands, mut lines) = (0, 0, 0);
        for job in &state.jobs {
            let work = &job.request.work;
            let (with, with_lines) = (commands + work.commands(), lines + work.lines());
            if jobs > 0 && (with > most.commands || with_lines > most.lines) {
                break;
            }
            (jobs, commands, lines) = (jobs + 1, with, with_lines);
        }
        batch.extend(state.jobs.drain(..jobs));
        state.waiting = state.waiting.saturating_sub(commands);
        state.lines = state.lines.saturating_sub(lines);
        true
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

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::Work,
        model::{Action, Command, Origin, StockKey},
    };

    const THREE: Most = Most { commands: 3, lines: 100 };

    fn job() -> (Job, oneshot::Receiver<Reply>) {
        let (reply, decided) = oneshot::channel();
        let command = Command {
            id: uuid::Uuid::nil(),
            origin: Origin::default(),
            precondition: None,
            action: Action::Reserve {
                key: StockKey::parse("a".into(), "b".into()).unwrap(),
                quantity: 1,
            },
        };
        let request = Request { work: Work::One(command), rehearsal: false, recording: None };
        (Job { request, reply }, decided)
    }

    #[test]
    fn a_full_queue_refuses_at_once_and_says_how_many_wait() {
        let queue = Queue::new(2, 100);
        assert!(matches!(queue.push(job().0), Push::Queued));
        assert!(matches!(queue.push(job().0), Push::Queued));
        assert!(matches!(queue.push(job().0), Push::Full { waiting: 2 }));
        assert_eq!(queue.waiting(), 2);
    }

    #[test]
    fn a_batch_is_all_that_waits_up_to_its_bound() {
        let queue = Queue::new(10, 100);
        for _ in 0..5 {
            queue.push(job().0);
        }
        let mut batch = Vec::new();
        assert!(queue.take(THREE, None, &mut batch));
        assert_eq!((batch.len(), queue.waiting()), (3, 2));
    }

    #[test]
    fn lines_count_as_commands_do() {
        let hold = |lines| {
            let (mut job, _) = job();
            let key = StockKey::parse("a".into(), "b".into()).unwrap();
            let lines = vec![crate::model::LineRequest { key, quantity: 1 }; lines];
            let Work::One(command) = &mut job.request.work else { unreachable!() };
            command.action = Action::Hold { id: "r".into(), lines, ttl_seconds: None };
            job
        };
        let queue = Queue::new(10, 100);
        assert!(matches!(queue.push(hold(60)), Push::Queued));
        assert!(matches!(queue.push(hold(41)), Push::Full { waiting: 1 }));
        assert!(matches!(queue.push(hold(40)), Push::Queued));
        let mut batch = Vec::new();
        assert!(queue.take(Most { commands: 3, lines: 99 }, None, &mut batch));
        assert_eq!(batch.len(), 1);
        assert!(matches!(queue.push(hold(60)), Push::Queued), "what was taken makes room");
    }

    #[test]
    fn a_closed_queue_hands_out_what_it_has_and_takes_nothing_more() {
        let queue = Queue::new(10, 100);
        queue.push(job().0);
        queue.close();
        assert!(matches!(queue.push(job().0), Push::Closed));
        let mut batch = Vec::new();
        assert!(queue.take(THREE, None, &mut batch));
        assert!(!queue.take(THREE, None, &mut batch));
        assert_eq!(batch.len(), 1);
        assert!(!queue.pause(Duration::from_secs(60)), "no waiting for a closed queue");
    }

    #[test]
    fn a_wait_for_commands_has_an_end() {
        let mut batch = Vec::new();
        assert!(Queue::new(10, 100).take(THREE, Some(Duration::from_millis(1)), &mut batch));
        assert!(batch.is_empty());
    }

    #[test]
    fn a_poke_is_answered_once() {
        let queue = Queue::new(10, 100);
        queue.poke();
        let mut batch = Vec::new();
        assert!(queue.take(THREE, None, &mut batch), "at once, without a command");
        assert!(queue.take(THREE, Some(Duration::from_millis(1)), &mut batch));
        assert!(batch.is_empty());
    }

    #[test]
    fn the_sleeping_writer_is_woken() {
        let queue = std::sync::Arc::new(Queue::new(10, 100));
        let writer = std::thread::spawn({
            let queue = std::sync::Arc::clone(&queue);
            move || {
                let mut batch = Vec::new();
                queue.take(THREE, None, &mut batch);
                batch.len()
            }
        });
        queue.push(job().0);
        assert_eq!(writer.join().unwrap(), 1);
    }
}

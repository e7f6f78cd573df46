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

/// A request and where its answer goes.
pub(super) struct Job {
    pub(super) request: Request,
    pub(super) reply: oneshot::Sender<Result<Done, Error>>,
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
    capacity: usize,
}

struct State {
    jobs: VecDeque<Job>,
    /// Commands in them.
    waiting: usize,
    closed: bool,
    /// Whether the writer is to look up, commands or not.
    poked: bool,
    /// Whether the writer sleeps, so that nobody else pays for waking it.
    asleep: bool,
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        let state =
            State { jobs: VecDeque::new(), waiting: 0, closed: false, poked: false, asleep: false };
        Self { state: Mutex::new(state), arrived: Condvar::new(), capacity }
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
        let commands = job.request.work.commands();
        // What is larger than the queue must find it empty.
        if state.waiting > 0 && state.waiting + commands > self.capacity {
            return Push::Full { waiting: state.waiting };
        }
        state.waiting += commands;
        state.jobs.push_back(job);
        if std::mem::take(&mut state.asleep) {
            drop(state);
            self.arrived.notify_one();
        }
        Push::Queued
    }

    /// Moves jobs of up to `most` commands to `batch`, one job at least where there is one, and
    /// waits for it, but not longer than `wait`, nor when it is poked. False once the queue is
    /// closed and empty.
    pub(super) fn take(&self, most: usize, wait: Option<Duration>, batch: &mut Vec<Job>) -> bool {
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
        let (mut jobs, mut commands) = (0, 0);
        for job in &state.jobs {
            let count = job.request.work.commands();
            if commands > 0 && commands + count > most {
                break;
            }
            (jobs, commands) = (jobs + 1, commands + count);
        }
        batch.extend(state.jobs.drain(..jobs));
        state.waiting = state.waiting.saturating_sub(commands);
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

    fn job() -> (Job, oneshot::Receiver<Result<Done, Error>>) {
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
        let queue = Queue::new(2);
        assert!(matches!(queue.push(job().0), Push::Queued));
        assert!(matches!(queue.push(job().0), Push::Queued));
        assert!(matches!(queue.push(job().0), Push::Full { waiting: 2 }));
        assert_eq!(queue.waiting(), 2);
    }

    #[test]
    fn a_batch_is_all_that_waits_up_to_its_bound() {
        let queue = Queue::new(10);
        for _ in 0..5 {
            queue.push(job().0);
        }
        let mut batch = Vec::new();
        assert!(queue.take(3, None, &mut batch));
        assert_eq!((batch.len(), queue.waiting()), (3, 2));
    }

    #[test]
    fn a_closed_queue_hands_out_what_it_has_and_takes_nothing_more() {
        let queue = Queue::new(10);
        queue.push(job().0);
        queue.close();
        assert!(matches!(queue.push(job().0), Push::Closed));
        let mut batch = Vec::new();
        assert!(queue.take(3, None, &mut batch));
        assert!(!queue.take(3, None, &mut batch));
        assert_eq!(batch.len(), 1);
        assert!(!queue.pause(Duration::from_secs(60)), "no waiting for a closed queue");
    }

    #[test]
    fn a_wait_for_commands_has_an_end() {
        let mut batch = Vec::new();
        assert!(Queue::new(10).take(3, Some(Duration::from_millis(1)), &mut batch));
        assert!(batch.is_empty());
    }

    #[test]
    fn a_poke_is_answered_once() {
        let queue = Queue::new(10);
        queue.poke();
        let mut batch = Vec::new();
        assert!(queue.take(3, None, &mut batch), "at once, without a command");
        assert!(queue.take(3, Some(Duration::from_millis(1)), &mut batch));
        assert!(batch.is_empty());
    }

    #[test]
    fn the_sleeping_writer_is_woken() {
        let queue = std::sync::Arc::new(Queue::new(10));
        let writer = std::thread::spawn({
            let queue = std::sync::Arc::clone(&queue);
            move || {
                let mut batch = Vec::new();
                queue.take(3, None, &mut batch);
                batch.len()
            }
        });
        queue.push(job().0);
        assert_eq!(writer.join().unwrap(), 1);
    }
}

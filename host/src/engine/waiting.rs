//! Requests that wait because more holds are due on their stocks than one batch may expire.
//! Requests for other stocks are carried out meanwhile.

use super::{
    Error,
    executor::Executor,
    queue::{Job, LoadBound, Reply},
    request::Request,
};
use crate::{model::Due, store::Lane};
use std::collections::{HashSet, VecDeque};
use tokio::sync::oneshot;

/// About this many lines are expired for one stock before the next stock has its turn.
const LINES_PER_TURN: u32 = 64;

/// About this many lines of requests are released by one batch, so that the released requests do
/// not displace all others from the queue.
const LINES_RELEASED_AT_ONCE: usize = 1_000;

/// The requests that wait, each with the stock or the reservation on which holds are due.
pub(super) struct WaitingRequests {
    jobs: VecDeque<(Due, Job)>,
    /// The most commands that may wait, and the most lines of them.
    bound: LoadBound,
    /// Whether requests that would have to wait are refused: the server is about to stop.
    closed: bool,
    /// The number of turns so far. Each batch begins with another stock, so that no stock is always
    /// the first.
    turns: usize,
}

impl WaitingRequests {
    pub(super) fn new(bound: LoadBound) -> Self {
        Self { jobs: VecDeque::new(), bound, closed: false, turns: 0 }
    }

    /// The requests that wait.
    pub(super) fn requests(&self) -> impl Iterator<Item = &Request> {
        self.jobs.iter().map(|(_, job)| &job.request)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Lets a request wait, and tells its sender so: from now on the request has no deadline. The
    /// request is dropped where its sender has gone, and refused where too many requests wait
    /// already; nothing of it was written in either case.
    pub(super) fn park(&mut self, due: Due, job: Job) {
        if self.closed {
            job.answer(Err(Error::Stopping));
            return;
        }
        let sums = |sum: (usize, usize), job: &Job| {
            (sum.0 + job.request.work.commands(), sum.1 + job.lines)
        };
        let waiting = self.jobs.iter().map(|(_, job)| job).fold((0, 0), sums);
        let (commands, lines) = sums(waiting, &job);
        if !self.jobs.is_empty() && (commands > self.bound.commands || lines > self.bound.lines) {
            job.answer(Err(Error::Overloaded { waiting: waiting.0 }));
            return;
        }
        let (reply, later) = oneshot::channel();
        if job.reply.send(Reply::Later(later)).is_ok() {
            self.jobs.push_back((due, Job { reply, ..job }));
        }
    }

    /// Expires holds that are due on the stocks of waiting requests, stock by stock in turns,
    /// within the lines that the batch may expire. Returns requests on whose stocks nothing is due
    /// any more; where they are many, some stay for the next batch.
    pub(super) fn expire_and_release<L: Lane>(
        &mut self,
        executor: &mut Executor<'_, L>,
    ) -> Vec<Job> {
        self.jobs.retain(|(_, job)| !job.reply.is_closed());
        if self.jobs.is_empty() {
            return Vec::new();
        }
        let mut seen = HashSet::new();
        let mut open: VecDeque<Due> = self.jobs.iter().map(|(due, _)| due.clone()).collect();
        open.retain(|due| seen.insert(due.clone()));
        let first = self.turns % open.len().max(1);
        open.rotate_left(first);
        let mut cleared = HashSet::new();
        while let Some(due) = open.pop_front() {
            if executor.expiry_lines_left == 0 {
                break;
            }
            self.turns = self.turns.wrapping_add(1);
            match executor.expire_due_on(&due, LINES_PER_TURN) {
                Ok(false) => open.push_back(due),
                // After a failure the requests are released too: when they are carried out, they
                // end with the failure.
                Ok(true) | Err(_) => {
                    cleared.insert(due);
                }
            }
        }
        let (mut ready, mut lines) = (Vec::new(), 0);
        for (due, job) in std::mem::take(&mut self.jobs) {
            if cleared.contains(&due) && lines < LINES_RELEASED_AT_ONCE {
                lines += job.lines;
                ready.push(job);
            } else {
                self.jobs.push_back((due, job));
            }
        }
        ready
    }

    /// Refuses all requests that wait, and from now on every request that would have to: the server
    /// is about to stop.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.refuse(&Error::Stopping);
    }

    /// Answers all requests that wait with `error`.
    pub(super) fn refuse(&mut self, error: &Error) {
        for (_, job) in self.jobs.drain(..) {
            job.answer(Err(error.clone()));
        }
    }
}

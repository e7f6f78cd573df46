//! Requests that wait until holds that are due on their stocks have expired: more of them than one
//! batch expires. Requests for other stocks go on meanwhile.

use super::{
    Error,
    executor::Executor,
    queue::{Job, Most, Reply},
    request::Request,
};
use crate::{model::Due, store::Lane};
use std::collections::{HashSet, VecDeque};
use tokio::sync::oneshot;

/// How many lines are expired for one stock before it is the turn of the next.
const LINES_PER_TURN: u32 = 64;

/// About so many lines of requests for which nothing is due any more come back with one batch: others
/// go on meanwhile.
const LINES_BACK_AT_ONCE: usize = 1_000;

/// The requests, and on what holds are due for each.
pub(super) struct Waiting {
    jobs: VecDeque<(Due, Job)>,
    /// The most commands that may wait, and the most lines.
    most: Most,
    /// Whether nobody may wait any more.
    closed: bool,
    /// How many turns have been taken: nobody is always the first.
    turns: usize,
}

impl Waiting {
    pub(super) fn new(most: Most) -> Self {
        Self { jobs: VecDeque::new(), most, closed: false, turns: 0 }
    }

    /// The requests that wait.
    pub(super) fn requests(&self) -> impl Iterator<Item = &Request> {
        self.jobs.iter().map(|(_, job)| &job.request)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Lets a request wait, and tells its sender so: from now on no time limit holds for it. A
    /// request whose sender has gone is dropped; nothing of it was written. Where too many wait
    /// already, it is refused.
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
        if !self.jobs.is_empty() && (commands > self.most.commands || lines > self.most.lines) {
            job.answer(Err(Error::Overloaded { waiting: waiting.0 }));
            return;
        }
        let (reply, later) = oneshot::channel();
        if job.reply.send(Reply::Later(later)).is_ok() {
            self.jobs.push_back((due, Job { reply, ..job }));
        }
    }

    /// Expires what is due for those that wait, by turns, as far as the batch may. Returns the
    /// requests for which nothing is due any more, some of them where they are many.
    pub(super) fn settle<L: Lane>(&mut self, executor: &mut Executor<'_, L>) -> Vec<Job> {
        self.jobs.retain(|(_, job)| !job.reply.is_closed());
        if self.jobs.is_empty() {
            return Vec::new();
        }
        let mut seen = HashSet::new();
        let mut open: VecDeque<Due> = self.jobs.iter().map(|(due, _)| due.clone()).collect();
        open.retain(|due| seen.insert(due.clone()));
        let first = self.turns % open.len().max(1);
        open.rotate_left(first);
        let mut settled = HashSet::new();
        while let Some(due) = open.pop_front() {
            if executor.expiry_lines_left == 0 {
                break;
            }
            self.turns = self.turns.wrapping_add(1);
            match executor.settle(&due, LINES_PER_TURN) {
                Ok(false) => open.push_back(due),
                // A failure is told to those who wait, when they are carried out.
                Ok(true) | Err(_) => {
                    settled.insert(due);
                }
            }
        }
        let (mut ready, mut lines) = (Vec::new(), 0);
        for (due, job) in std::mem::take(&mut self.jobs) {
            if settled.contains(&due) && lines < LINES_BACK_AT_ONCE {
                lines += job.lines;
                ready.push(job);
            } else {
                self.jobs.push_back((due, job));
            }
        }
        ready
    }

    /// Refuses all of them, and everybody else from now on: the server is about to stop.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.refuse(&Error::Stopping);
    }

    /// Refuses all of them.
    pub(super) fn refuse(&mut self, error: &Error) {
        for (_, job) in self.jobs.drain(..) {
            job.answer(Err(error.clone()));
        }
    }
}

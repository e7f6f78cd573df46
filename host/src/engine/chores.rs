//! The writer's background work: it reads ahead which holds come due, expires holds that are due,
//! in small steps, and deletes idempotency records that have expired.

use super::{Settings, executor::Executor};
use crate::{
    model::{StoreFailure, Timestamp},
    store::{Lane, LookAhead},
    unit_of_work::UnitOfWork,
};
use std::{collections::HashMap, time::Duration};

/// Lines of due holds that one batch expires while commands wait: few, so that no command waits
/// long for holds on other stocks.
const EXPIRY_LINES_BUSY: u32 = 512;

/// Lines of due holds that one batch expires while no command waits.
const EXPIRY_LINES_IDLE: u32 = 4_096;

/// The number of due holds that are looked up at once.
const DUE_AT_ONCE: u32 = 64;

/// Pause before a hold that could not be expired is tried again.
const RETRY_PAUSE_MS: u64 = 1_000;

/// The most holds that wait for such a retry at once. Sweeps stop while there are so many.
const RETRIED_MAX: usize = 256;

/// The longest wait while a hold can come due, in milliseconds. The host's time also runs while the
/// machine sleeps, and the wait does not count that time.
const WAIT_MAX_MS: u64 = 1_000;

/// Pause between two searches for expired idempotency records, and the most that one batch deletes.
const DELETE_ANSWERS_INTERVAL_MS: u64 = 1_000;
const DELETE_ANSWERS_MAX: u32 = 500;

/// The state of the writer's background work.
pub(super) struct Chores {
    settings: Settings,
    /// Time of the next sweep. A batch with commands sweeps in any case.
    sweep_at: Timestamp,
    /// Holds that could not be expired, by id, and the time of the next attempt.
    retried: HashMap<String, Timestamp>,
    /// Time of the next search for expired idempotency records.
    delete_answers_at: Timestamp,
    /// How far the store has read ahead which holds come due.
    ahead: LookAhead,
}

impl Chores {
    pub(super) fn new(settings: Settings) -> Self {
        let ahead = LookAhead::More(0);
        Self { settings, sweep_at: 0, retried: HashMap::new(), delete_answers_at: 0, ahead }
    }

    /// The longest time that the writer may wait for commands before background work is to be done;
    /// `None` for no limit. `next_due` is the time of the next expiry; `None` when no hold can
    /// expire.
    pub(super) fn wait(&self, next_due: Option<Timestamp>, now: Timestamp) -> Option<Duration> {
        let read_ahead_at = match self.ahead {
            LookAhead::More(_) => now,
            LookAhead::Known(Timestamp::MAX) => Timestamp::MAX,
            LookAhead::Known(before) => now.midpoint(before),
        };
        let sweeps = self.settings.sweep_interval_ms > 0;
        let sweep_at = next_due
            .filter(|_| sweeps)
            .map(|at| at.max(self.sweep_at).min(now.saturating_add(WAIT_MAX_MS)));
        let at = sweep_at.map_or(read_ahead_at, |at| at.min(read_ahead_at));
        (at < Timestamp::MAX).then(|| Duration::from_millis(at.saturating_sub(now)))
    }

    /// Reads ahead, before a batch, which holds come due: at least all that are due by `now`.
    pub(super) fn look_ahead<L: Lane>(
        &mut self,
        unit: &mut UnitOfWork<L>,
        now: Timestamp,
    ) -> Result<(), StoreFailure> {
        loop {
            self.ahead = unit.look_ahead(now)?;
            if !matches!(self.ahead, LookAhead::More(before) if before <= now) {
                return Ok(());
            }
        }
    }

    /// The number of lines of due holds that one batch may expire. `waiting`: whether commands
    /// wait.
    pub(super) fn expiry_lines(waiting: bool) -> u32 {
        if waiting { EXPIRY_LINES_BUSY } else { EXPIRY_LINES_IDLE }
    }

    /// Expires holds that are due, within the lines that the batch may still expire. While commands
    /// wait, every batch sweeps, so that few commands meet a hold that is due. Otherwise there is
    /// one sweep per interval, so that one commit expires many holds. A hold that cannot be expired
    /// does not delay the others.
    pub(super) fn sweep<L: Lane>(&mut self, executor: &mut Executor<'_, L>, waiting: bool) {
        let now = executor.now;
        if self.settings.sweep_interval_ms == 0 || (self.sweep_at > now && !waiting) {
            return;
        }
        self.retried.retain(|_, at| *at > now);
        while executor.expiry_lines_left > 0 && self.retried.len() < RETRIED_MAX {
            let passed_over = u32::try_from(self.retried.len()).unwrap_or(u32::MAX);
            let due = executor.due_ids(DUE_AT_ONCE.saturating_add(passed_over));
            let ids: Vec<_> = due.into_iter().filter(|id| !self.retried.contains_key(id)).collect();
            if ids.is_empty() {
                self.sweep_at = now.saturating_add(self.settings.sweep_interval_ms);
                return;
            }
            for id in ids {
                if executor.expiry_lines_left == 0 {
                    return;
                }
                if let Err(error) = executor.expire(id.clone()) {
                    tracing::error!(
                        %error, hold = id, "a due hold could not be expired and is tried again"
                    );
                    self.retried.insert(id, now.saturating_add(RETRY_PAUSE_MS));
                }
            }
        }
    }

    /// Deletes some of the idempotency records from before `before`, which are not replayed any
    /// more.
    pub(super) fn delete_old_answers<L: Lane>(
        &mut self,
        unit: &mut UnitOfWork<L>,
        now: Timestamp,
        before: Timestamp,
    ) {
        if self.delete_answers_at > now {
            return;
        }
        match unit.forget_answers(before, DELETE_ANSWERS_MAX) {
            Ok(true) => {}
            Ok(false) => self.delete_answers_at = now.saturating_add(DELETE_ANSWERS_INTERVAL_MS),
            Err(failure) => {
                tracing::warn!(%failure, "expired idempotency records could not be deleted");
                self.delete_answers_at = now.saturating_add(DELETE_ANSWERS_INTERVAL_MS);
            }
        }
    }
}

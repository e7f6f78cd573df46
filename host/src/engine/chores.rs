//! The writer's work besides commands: it expires holds that are due, in small steps, and forgets
//! old answers.

use super::{Settings, executor::Executor};
use crate::{
    model::Timestamp,
    store::{Lane, LookAhead},
    unit_of_work::UnitOfWork,
};
use std::{collections::HashMap, time::Duration};

/// Lines of due holds that one batch expires while commands wait: few, so that no command waits
/// long for holds on other stocks.
const EXPIRY_LINES_BUSY: u32 = 512;

/// Lines of due holds that one batch expires while no command waits.
const EXPIRY_LINES_IDLE: u32 = 4_096;

/// How many due holds are looked up at once.
const DUE_AT_ONCE: u32 = 64;

/// How long to wait before a hold that could not be expired is tried again, and how many such
/// holds are passed over meanwhile.
const RETRY_PAUSE_MS: u64 = 1_000;
const RETRIED_MAX: usize = 256;

/// The longest wait while a hold can come due: the wall clock may have gone on meanwhile, as after a
/// suspend, and the wait itself does not notice.
const WAIT_MAX_MS: u64 = 1_000;

/// How often old answers are looked for, and how many go at once.
const FORGET_INTERVAL_MS: u64 = 1_000;
const FORGET_ANSWERS_MAX: u32 = 500;

/// The state of the writer's work between commands.
pub(super) struct Chores {
    settings: Settings,
    /// Time before which no sweep begins unless commands wait.
    sweep_at: Timestamp,
    /// Holds that could not be expired, by id, and when each is tried again.
    retried: HashMap<String, Timestamp>,
    forget_at: Timestamp,
    /// How far the store knows what comes due.
    ahead: LookAhead,
}

impl Chores {
    pub(super) fn new(settings: Settings) -> Self {
        let ahead = LookAhead::More(0);
        Self { settings, sweep_at: 0, retried: HashMap::new(), forget_at: 0, ahead }
    }

    /// How long the writer may wait for commands before something else is to be done.
    pub(super) fn wait(&self, next_due: Option<Timestamp>, now: Timestamp) -> Option<Duration> {
        let look_at = match self.ahead {
            LookAhead::More(_) => now,
            LookAhead::Known(Timestamp::MAX) => Timestamp::MAX,
            LookAhead::Known(before) => now.midpoint(before),
        };
        let sweeps = self.settings.sweep_interval_ms > 0;
        let sweep_at = next_due
            .filter(|_| sweeps)
            .map(|at| at.max(self.sweep_at).min(now.saturating_add(WAIT_MAX_MS)));
        let at = sweep_at.map_or(look_at, |at| at.min(look_at));
        (at < Timestamp::MAX).then(|| Duration::from_millis(at.saturating_sub(now)))
    }

    /// Before a batch: gets to know what comes due, at least all that is due now.
    pub(super) fn look_ahead<L: Lane>(
        &mut self,
        unit: &mut UnitOfWork<L>,
        now: Timestamp,
    ) -> Result<(), crate::model::StoreFailure> {
        loop {
            self.ahead = unit.look_ahead(now)?;
            if !matches!(self.ahead, LookAhead::More(before) if before <= now) {
                return Ok(());
            }
        }
    }

    /// How many lines of due holds one batch may expire.
    pub(super) fn expiry_lines(waiting: bool) -> u32 {
        if waiting { EXPIRY_LINES_BUSY } else { EXPIRY_LINES_IDLE }
    }

    /// Expires holds that are due, as far as the batch may. While commands wait, this happens in
    /// every batch, so that few of them meet a hold that is due; otherwise once per sweep interval,
    /// many holds to a commit. A hold that cannot be expired holds up no other.
    pub(super) fn sweep<L: Lane>(&mut self, executor: &mut Executor<'_, L>, waiting: bool) {
        let now = executor.now;
        if self.settings.sweep_interval_ms == 0 || (self.sweep_at > now && !waiting) {
            return;
        }
        self.retried.retain(|_, at| *at > now);
        while executor.expiry_lines_left > 0 && self.retried.len() < RETRIED_MAX {
            let passed_over = u32::try_from(self.retried.len()).unwrap_or(u32::MAX);
            let due = executor.due(DUE_AT_ONCE.saturating_add(passed_over));
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
                    tracing::error!(%error, hold = id, "a hold that is due could not be expired");
                    self.retried.insert(id, now.saturating_add(RETRY_PAUSE_MS));
                }
            }
        }
    }

    /// Forgets some of the answers that nobody may ask for any more.
    pub(super) fn forget<L: Lane>(
        &mut self,
        unit: &mut UnitOfWork<L>,
        now: Timestamp,
        before: Timestamp,
    ) {
        if self.forget_at > now {
            return;
        }
        match unit.forget_answers(before, FORGET_ANSWERS_MAX) {
            Ok(true) => {}
            Ok(false) => self.forget_at = now.saturating_add(FORGET_INTERVAL_MS),
            Err(failure) => {
                tracing::warn!(%failure, "old answers could not be forgotten");
                self.forget_at = now.saturating_add(FORGET_INTERVAL_MS);
            }
        }
    }
}

//! The host's time, in milliseconds since the Unix epoch: the time of every command and query.
//!
//! The host's time is `max(wall clock, last recorded time + elapsed time since then)`. The host's
//! time never goes back and never stands still, whatever happens to the wall clock. Elapsed time is
//! measured by the boot clock (`CLOCK_BOOTTIME`), which nobody can set, which also runs while the
//! machine sleeps, and which runs at the speed of the wall clock. The difference between the two
//! clocks therefore changes only when somebody sets the wall clock, and the host's time is the boot
//! clock plus an offset.
//!
//! | wall clock | status, and what the host does | what [`Clock::accept`] does |
//! | --- | --- | --- |
//! | is set forward, by no more than the bound within a day | `Following`: the host follows the step at once | nothing |
//! | is set forward by more than the bound | `Ahead`: the host does **not** follow the step and counts elapsed time, because a mistake must not expire every hold | follows the step at once |
//! | is set forward too far, and then corrected | `Following` again, without an operator | nothing |
//! | is set back, or is behind the recorded time at the start, by 10 s or more | `Behind`: the host counts elapsed time | `Slowed`: the host's time runs a tenth slower until the wall clock has caught up |
//! | is ahead of the recorded time at the start, however far | `Following`: a wrong clock cannot be distinguished from a time in which the service was down | nothing |
//!
//! An operator accepts the wall clock, and so confirms that it is right, by the admin route or at
//! the start by the setting `accept_clock`. At the start the status is `Following` or `Behind`,
//! never `Ahead`, so the setting turns a start that would be `Behind` into one that is `Slowed`.
//! The setting may stay on: it does not confirm steps forward while the service runs.
//!
//! Because a start follows the wall clock, an operator who sees `Ahead` and knows that the wall
//! clock is wrong must correct the wall clock before the service is started again.
//!
//! The recorded time is the time of the last event in the log. The time of a query or of a refused
//! command is not recorded. After a crash while the wall clock is behind, the host's time therefore
//! continues from the last event, and a hold that a query saw as due can count as held again for a
//! while. The times in the log never go back.
//!
//! Every query and every batch calls [`Clock::now`], which reads the boot clock and adds the offset
//! without a lock. Once in 10 ms one of the callers also reads the wall clock.

use crate::model::Timestamp;
use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// Microseconds in a millisecond.
const MS: i64 = 1_000;
const SECOND: i64 = 1_000 * MS;

/// The pause between two readings of the wall clock, in microseconds.
const LOOK_INTERVAL: i64 = 10 * MS;

/// The steps forward within this time, in microseconds, are added up, and the bound applies to
/// their sum.
const STEPS_INTERVAL: i64 = 24 * 3_600 * SECOND;

/// Smaller differences between the host's time and the wall clock, in microseconds, are not logged.
const BEHIND_MIN: i64 = 10 * SECOND;

/// While the wall clock catches up, one in this many parts of elapsed time does not count.
const SLOWED_PARTS: i64 = 10;

/// The value of `look_at` while the host's time runs slower: every caller takes the lock and reads
/// both clocks.
const SLOWED: i64 = i64::MIN;

/// The longest time between the readings of the two clocks, in microseconds. Where the thread was
/// interrupted for longer, both clocks are read again, at most `READINGS_MAX` times.
const READING_MAX: i64 = MS;
const READINGS_MAX: u32 = 5;

/// The clocks of the machine, in microseconds.
pub(super) trait Machine {
    /// The wall clock: time since the Unix epoch, which somebody may set.
    fn wall(&self) -> i64;
    /// The boot clock: time since a moment before the process began, which nobody can set.
    fn boot(&self) -> i64;
}

/// The machine that the process runs on.
pub(super) struct ThisMachine;

impl Machine for ThisMachine {
    fn wall(&self) -> i64 {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(wall.as_micros()).unwrap_or(i64::MAX)
    }

    fn boot(&self) -> i64 {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        const ELAPSED: rustix::time::ClockId = rustix::time::ClockId::Boottime;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        const ELAPSED: rustix::time::ClockId = rustix::time::ClockId::Monotonic;
        let now = rustix::time::clock_gettime(ELAPSED);
        now.tv_sec.saturating_mul(SECOND).saturating_add(now.tv_nsec / 1_000)
    }
}

/// The relation between the host's time and the wall clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClockStatus {
    /// The host's time is the time of the wall clock, or ahead of the wall clock by less than 10 s.
    Following,
    /// The wall clock was set forward by more than the bound, and is not followed.
    Ahead,
    /// The wall clock is behind the host's time.
    Behind,
    /// The wall clock is behind the host's time, which runs a tenth slower until both are equal.
    Slowed,
}

/// A reading of the host's time and of the wall clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClockReading {
    /// The relation between the host's time and the wall clock.
    pub status: ClockStatus,
    /// The wall clock minus the host's time, in milliseconds; negative where the wall clock is
    /// behind.
    pub wall_ahead_ms: i64,
    /// The host's time.
    pub now: Timestamp,
}

/// The state of the clock, besides its offset.
struct ClockState {
    status: ClockStatus,
    /// The boot clock and the host's time when the host's time began to run slower; `None` at full
    /// speed.
    slowed_since: Option<(i64, i64)>,
    /// The boot clock and the offset from which on steps forward are added up.
    steps_since: (i64, i64),
}

/// The host's time.
pub(super) struct Clock<M: Machine = ThisMachine> {
    machine: M,
    /// The host's time minus the boot clock, in microseconds.
    offset: AtomicI64,
    /// The time of the next reading of the wall clock, by the boot clock, in microseconds.
    look_at: AtomicI64,
    state: Mutex<ClockState>,
    /// The bound on steps forward of the wall clock within a day, in microseconds.
    step_max: i64,
}

/// Converts microseconds to milliseconds.
fn milliseconds(time: i64) -> Timestamp {
    u64::try_from(time / MS).unwrap_or_default()
}

impl Clock<ThisMachine> {
    /// Creates the clock. The host's time continues from `recorded`, the time of the last event.
    pub(super) fn new(recorded: Timestamp, step_ms_max: u64, accept: bool) -> Self {
        Self::on(ThisMachine, recorded, step_ms_max, accept)
    }
}

impl<M: Machine> Clock<M> {
    fn on(machine: M, recorded: Timestamp, step_ms_max: u64, accept: bool) -> Self {
        let microseconds = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(MS);
        let (recorded, step_max) = (microseconds(recorded), microseconds(step_ms_max));
        let (boot, wall) = read_both(&machine);
        let offset = wall.max(recorded).saturating_sub(boot);
        let state = ClockState {
            status: ClockStatus::Following,
            slowed_since: None,
            steps_since: (boot, offset),
        };
        let ahead = wall.saturating_sub(recorded);
        if recorded > 0 && ahead > step_max {
            tracing::info!(
                ahead_ms = ahead / MS,
                "the wall clock is ahead of the last recorded time by more than clock_step_ms_max: \
                 the host follows the wall clock, as after a time in which the service was down"
            );
        }
        let clock = Self {
            machine,
            offset: AtomicI64::new(offset),
            look_at: AtomicI64::new(boot),
            state: Mutex::new(state),
            step_max,
        };
        clock.observe(&mut clock.lock());
        if accept {
            clock.accept();
        }
        clock
    }

    fn lock(&self) -> MutexGuard<'_, ClockState> {
        // Nothing that can panic happens under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The host's time.
    pub(super) fn now(&self) -> Timestamp {
        loop {
            let look_at = self.look_at.load(Ordering::SeqCst);
            let boot = self.machine.boot();
            if boot < look_at {
                let offset = self.offset.load(Ordering::SeqCst);
                // An unchanged `look_at` shows that the offset was not changed between the two
                // reads.
                if self.look_at.load(Ordering::SeqCst) == look_at {
                    return milliseconds(boot.saturating_add(offset));
                }
            } else if look_at == SLOWED || self.claim_look(look_at, boot) {
                return milliseconds(self.observe(&mut self.lock()).0);
            }
        }
    }

    /// Claims the next reading of the wall clock. Of several threads that find the reading due, one
    /// gets `true`, and the others continue with the offset as it is.
    fn claim_look(&self, look_at: i64, boot: i64) -> bool {
        let next = boot.saturating_add(LOOK_INTERVAL);
        self.look_at.compare_exchange(look_at, next, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Reads both clocks, and follows the wall clock where the table above says so.
    pub(super) fn read(&self) -> ClockReading {
        self.reading(&mut self.lock())
    }

    fn reading(&self, state: &mut ClockState) -> ClockReading {
        let (host, ahead) = self.observe(state);
        ClockReading { status: state.status, wall_ahead_ms: ahead / MS, now: milliseconds(host) }
    }

    /// Accepts the wall clock: an operator confirms that it is right. Returns the readings before
    /// and after.
    pub(super) fn accept(&self) -> (ClockReading, ClockReading) {
        let mut state = self.lock();
        let before = self.reading(&mut state);
        match before.status {
            ClockStatus::Following | ClockStatus::Slowed => return (before, before),
            ClockStatus::Ahead => {
                let (boot, wall) = read_both(&self.machine);
                let offset = wall.saturating_sub(boot);
                self.offset.fetch_max(offset, Ordering::SeqCst);
                state.steps_since = (boot, offset);
            }
            ClockStatus::Behind => {
                // From here on every caller takes the lock. A caller that passed without the lock
                // read the boot clock before, so no caller got a later time than `host`.
                self.look_at.store(SLOWED, Ordering::SeqCst);
                let boot = self.machine.boot();
                let host = boot.saturating_add(self.offset.load(Ordering::SeqCst));
                state.slowed_since = Some((boot, host));
            }
        }
        let after = self.reading(&mut state);
        tracing::warn!(
            before = ?before.status, now = ?after.status, wall_ahead_ms = before.wall_ahead_ms,
            "an operator has accepted the wall clock"
        );
        (before, after)
    }

    /// Reads both clocks and brings the state up to date. Returns the host's time, and the wall
    /// clock minus the host's time, in microseconds.
    fn observe(&self, state: &mut ClockState) -> (i64, i64) {
        let (boot, wall) = read_both(&self.machine);
        let offset = self.offset.load(Ordering::SeqCst);
        let mut host = boot.saturating_add(offset);
        if let Some((since, time)) = state.slowed_since {
            let elapsed = boot.saturating_sub(since).max(0);
            host = time.saturating_add(elapsed - elapsed / SLOWED_PARTS);
            if wall >= host {
                // The wall clock has caught up: from here on time runs at full speed.
                state.slowed_since = None;
                self.offset.store(host.saturating_sub(boot), Ordering::SeqCst);
                self.look_at.store(boot.saturating_add(LOOK_INTERVAL), Ordering::SeqCst);
                state.steps_since = (boot, host.saturating_sub(boot));
            }
        }
        if boot.saturating_sub(state.steps_since.0) >= STEPS_INTERVAL {
            state.steps_since = (boot, host.saturating_sub(boot));
        }
        let ahead = wall.saturating_sub(host);
        let steps = wall.saturating_sub(boot).saturating_sub(state.steps_since.1);
        let status = if ahead > 0 && steps > self.step_max {
            ClockStatus::Ahead
        } else if ahead >= 0 {
            self.offset.fetch_max(wall.saturating_sub(boot), Ordering::SeqCst);
            host = wall;
            ClockStatus::Following
        } else if state.slowed_since.is_some() {
            ClockStatus::Slowed
        } else if ahead <= -self.step_max.min(BEHIND_MIN) {
            ClockStatus::Behind
        } else {
            ClockStatus::Following
        };
        self.log_change(std::mem::replace(&mut state.status, status), status, ahead);
        let ahead = if status == ClockStatus::Following { ahead.min(0) } else { ahead };
        (host, ahead)
    }

    /// Logs a change of the status, and a step forward that was followed.
    fn log_change(&self, before: ClockStatus, status: ClockStatus, ahead: i64) {
        let (wall_ahead_ms, step_ms_max) = (ahead / MS, self.step_max / MS);
        match status {
            ClockStatus::Following if ahead >= BEHIND_MIN => {
                tracing::info!(wall_ahead_ms, "the wall clock was set forward and is followed");
            }
            _ if before == status => {}
            ClockStatus::Following => {
                tracing::info!(wall_ahead_ms, "the host's time follows the wall clock again");
            }
            ClockStatus::Ahead => tracing::warn!(
                wall_ahead_ms,
                step_ms_max,
                "the wall clock was set forward by more than clock_step_ms_max and is not followed: \
                 the host counts elapsed time. If the wall clock is right, confirm it: holdfast \
                 clock accept, or POST /v1/admin/clock/accept. If the wall clock is wrong, \
                 correct it before the service is started again: a start follows the wall clock"
            ),
            ClockStatus::Behind => tracing::warn!(
                wall_ahead_ms,
                "the wall clock is behind the host's time: the host counts elapsed time. If the \
                 wall clock is wrong, correct it. If it is right, confirm it: holdfast clock \
                 accept, POST /v1/admin/clock/accept, or --accept-clock at the start; the host's time then \
                 runs a tenth slower until the wall clock has caught up"
            ),
            ClockStatus::Slowed => {
                tracing::warn!(
                    wall_ahead_ms,
                    "the host's time runs a tenth slower until the wall clock has caught up"
                );
            }
        }
    }
}

/// Reads the boot clock and the wall clock at about the same moment. The wall clock is read first:
/// an interruption between the two readings then lets the wall clock seem behind, which is
/// harmless, and never ahead.
fn read_both(machine: &impl Machine) -> (i64, i64) {
    let mut read = (machine.boot(), machine.wall());
    for _ in 0..READINGS_MAX {
        let (before, wall) = (machine.boot(), machine.wall());
        read = (machine.boot(), wall);
        if read.0.saturating_sub(before) <= READING_MAX {
            break;
        }
    }
    read
}

#[cfg(test)]
#[path = "clock_tests.rs"]
mod tests;

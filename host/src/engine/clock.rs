//! The host's time: milliseconds since the Unix epoch, by which commands and queries are decided.
//!
//! The host's time is `max(wall clock, last recorded time + time elapsed since)`. It never goes back
//! and never stands still, whatever happens to the wall clock. Elapsed time is measured by a clock
//! that nobody sets: `CLOCK_BOOTTIME`, which also counts while the machine sleeps, and which runs at
//! the speed of the wall clock. So the difference between the two clocks changes only when somebody
//! sets the wall clock, and the host's time is the boot clock plus an offset.
//!
//! | wall clock | status, and what the host does | what `accept` does |
//! | --- | --- | --- |
//! | is set forward, by no more than the bound within a day | `Following`: the step is followed at once | nothing |
//! | is set forward by more than the bound | `Ahead`: the step is **not** followed, time goes on by elapsed time, because a mistake must not expire every hold | follows the step, at once |
//! | is set forward too far, and then right again | `Following` again, without an operator | nothing |
//! | is set back, or is behind the recorded time at start, by 10 s or more | `Behind`: time goes on by elapsed time | `Slowed`: time passes a tenth slower until the wall clock has caught up |
//! | is ahead of the recorded time at start, however far | `Following`: a wrong clock cannot be told from a time in which the service was down | nothing |
//!
//! `accept` is an operator's word that the wall clock is right. An operator gives it by the admin
//! route, or at start by the setting `accept_clock`. A start can only be `Behind`, never `Ahead`, so
//! the setting means that a start which is `Behind` begins `Slowed`. The setting may stay on: it does
//! not confirm steps forward while the service runs. Time goes back in no case.
//!
//! Because a start follows the wall clock, an operator who sees `Ahead` and knows that the wall clock
//! is wrong must set it right before the service is started again.
//!
//! The recorded time is the time of the last event in the log. A time that was told only to a query,
//! or to a command that was refused, is not recorded. After a crash while the wall clock is behind,
//! the host's time therefore continues from the last event: a hold that a query saw as due can be
//! held again for a while. The times in the log never go back.
//!
//! Every query and every batch calls [`Clock::now`]. It reads the boot clock and adds the offset,
//! without a lock; once in 10 ms one of the callers also looks at the wall clock.

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

/// How often the wall clock is looked at.
const LOOK_INTERVAL: i64 = 10 * MS;

/// Steps forward within this time, which adds them up, are bounded together.
const STEPS_INTERVAL: i64 = 24 * 3_600 * SECOND;

/// Smaller differences between the host's time and the wall clock are not worth a line in the log.
const BEHIND_MIN: i64 = 10 * SECOND;

/// While the wall clock catches up, one part in so many of elapsed time does not count.
const SLOWED_PARTS: i64 = 10;

/// The value of `look_at` while time passes slower: every caller takes the lock and looks at both
/// clocks.
const SLOWED: i64 = i64::MIN;

/// The two clocks are read within this time of each other. Where the thread is interrupted for
/// longer, they are read again, a few times.
const READING_MAX: i64 = MS;
const READINGS_MAX: u32 = 5;

/// The clocks of the machine, in microseconds.
pub(super) trait Machine {
    /// Time since the Unix epoch, which somebody may set.
    fn wall(&self) -> i64;
    /// Time since some moment before the process began, which nobody sets.
    fn boot(&self) -> i64;
}

/// The machine that this runs on.
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

/// How the host's time and the wall clock stand to each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClockStatus {
    /// The host's time is the wall clock's, or is ahead of it by less than is worth telling.
    Following,
    /// The wall clock was set forward too far to be followed.
    Ahead,
    /// The wall clock is behind the host's time.
    Behind,
    /// The wall clock is behind the host's time, which passes slower until they meet.
    Slowed,
}

/// The server's time and how the wall clock stands to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClockReading {
    /// How the host's time and the wall clock stand to each other.
    pub status: ClockStatus,
    /// By how many milliseconds the wall clock is ahead of the host's time; negative: behind.
    pub wall_ahead_ms: i64,
    /// The host's time.
    pub now: Timestamp,
}

/// The state of the clock, besides its offset.
struct State {
    status: ClockStatus,
    /// The boot clock and the host's time when time began to pass slower; `None` at full speed.
    slowed_since: Option<(i64, i64)>,
    /// The boot clock and the offset when steps forward began to be added up.
    steps_since: (i64, i64),
}

/// The host's time.
pub(super) struct Clock<M: Machine = ThisMachine> {
    machine: M,
    /// The host's time less the boot clock, in microseconds.
    offset: AtomicI64,
    /// The reading of the boot clock at which the wall clock is looked at again, in microseconds.
    look_at: AtomicI64,
    state: Mutex<State>,
    /// The most that the wall clock may be set forward within a day to be followed.
    step_max: i64,
}

fn milliseconds(time: i64) -> Timestamp {
    u64::try_from(time / MS).unwrap_or_default()
}

impl Clock<ThisMachine> {
    /// The time goes on from the one that was recorded last.
    pub(super) fn new(recorded: Timestamp, step_ms_max: u64, accept: bool) -> Self {
        Self::of(ThisMachine, recorded, step_ms_max, accept)
    }
}

impl<M: Machine> Clock<M> {
    fn of(machine: M, recorded: Timestamp, step_ms_max: u64, accept: bool) -> Self {
        let microseconds = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(MS);
        let (recorded, step_max) = (microseconds(recorded), microseconds(step_ms_max));
        let (boot, wall) = both(&machine);
        let offset = wall.max(recorded).saturating_sub(boot);
        let state = State {
            status: ClockStatus::Following,
            slowed_since: None,
            steps_since: (boot, offset),
        };
        let ahead = wall.saturating_sub(recorded);
        if recorded > 0 && ahead > step_max {
            tracing::info!(
                ahead_ms = ahead / MS,
                "the wall clock is ahead of the last recorded time: it is followed, as after a time \
                 in which the service was down"
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

    fn lock(&self) -> MutexGuard<'_, State> {
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
                // The boot clock and the offset belong together where nothing changed meanwhile.
                if self.look_at.load(Ordering::SeqCst) == look_at {
                    return milliseconds(boot.saturating_add(offset));
                }
            } else if look_at == SLOWED || self.my_turn(look_at, boot) {
                return milliseconds(self.observe(&mut self.lock()).0);
            }
        }
    }

    /// Of those who find a look at the wall clock due, one takes it, and the others go on.
    fn my_turn(&self, look_at: i64, boot: i64) -> bool {
        let next = boot.saturating_add(LOOK_INTERVAL);
        self.look_at.compare_exchange(look_at, next, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Looks at the wall clock, follows it or not, and says what it is like.
    pub(super) fn read(&self) -> ClockReading {
        self.reading(&mut self.lock())
    }

    fn reading(&self, state: &mut State) -> ClockReading {
        let (host, ahead) = self.observe(state);
        ClockReading { status: state.status, wall_ahead_ms: ahead / MS, now: milliseconds(host) }
    }

    /// Takes an operator's word that the wall clock is right. Returns what the clock was like
    /// before, and what it is like now.
    pub(super) fn accept(&self) -> (ClockReading, ClockReading) {
        let mut state = self.lock();
        let before = self.reading(&mut state);
        match before.status {
            ClockStatus::Following | ClockStatus::Slowed => return (before, before),
            ClockStatus::Ahead => {
                let (boot, wall) = both(&self.machine);
                let offset = wall.saturating_sub(boot);
                self.offset.fetch_max(offset, Ordering::SeqCst);
                state.steps_since = (boot, offset);
            }
            ClockStatus::Behind => {
                // From here on nobody goes without the lock; whoever went before has read the boot
                // clock earlier, so that nobody was told a later time than this one.
                self.look_at.store(SLOWED, Ordering::SeqCst);
                let boot = self.machine.boot();
                let host = boot.saturating_add(self.offset.load(Ordering::SeqCst));
                state.slowed_since = Some((boot, host));
            }
        }
        let after = self.reading(&mut state);
        tracing::warn!(
            before = ?before.status, now = ?after.status, wall_ahead_ms = before.wall_ahead_ms,
            "the wall clock is accepted"
        );
        (before, after)
    }

    /// Looks at both clocks: the host's time, and by how much the wall clock is ahead of it.
    fn observe(&self, state: &mut State) -> (i64, i64) {
        let (boot, wall) = both(&self.machine);
        let offset = self.offset.load(Ordering::SeqCst);
        let mut host = boot.saturating_add(offset);
        if let Some((since, time)) = state.slowed_since {
            let elapsed = boot.saturating_sub(since).max(0);
            host = time.saturating_add(elapsed - elapsed / SLOWED_PARTS);
            if wall >= host {
                // They have met: from here, time passes at full speed.
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
        self.tell(std::mem::replace(&mut state.status, status), status, ahead);
        let ahead = if status == ClockStatus::Following { ahead.min(0) } else { ahead };
        (host, ahead)
    }

    /// Says in the log what has changed.
    fn tell(&self, before: ClockStatus, status: ClockStatus, ahead: i64) {
        let (wall_ahead_ms, step_ms_max) = (ahead / MS, self.step_max / MS);
        match status {
            ClockStatus::Following if ahead >= BEHIND_MIN => {
                tracing::info!(wall_ahead_ms, "the wall clock was set forward and is followed");
            }
            _ if before == status => {}
            ClockStatus::Following => {
                tracing::info!(wall_ahead_ms, "the time is the wall clock's again");
            }
            ClockStatus::Ahead => tracing::warn!(
                wall_ahead_ms,
                step_ms_max,
                "the wall clock was set forward by more than clock_step_ms_max and is not followed: \
                 time goes on by elapsed time. If the wall clock is right, confirm it: holdfast \
                 clock accept, or POST /v1/admin/clock/accept. If it is wrong, set it right before \
                 the service is started again: a start follows it"
            ),
            ClockStatus::Behind => tracing::warn!(
                wall_ahead_ms,
                "the wall clock is behind the time that was recorded or told: time goes on from \
                 there by elapsed time. If the wall clock is wrong, set it right. If it is right, \
                 confirm it: holdfast clock accept, POST /v1/admin/clock/accept, or --accept-clock \
                 at start; time then passes slower by a tenth until the two meet"
            ),
            ClockStatus::Slowed => {
                tracing::warn!(wall_ahead_ms, "time passes slower until the wall clock catches up");
            }
        }
    }
}

/// The boot clock and the wall clock of one moment. The wall clock is read first: where the thread
/// is interrupted in between, the wall clock seems to be behind by that, which does nothing, and
/// never ahead.
fn both(machine: &impl Machine) -> (i64, i64) {
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

//! The host's time: milliseconds since the Unix epoch, by which commands and queries are decided.
//!
//! It is `max(wall clock, last recorded time + time elapsed since)`: it never goes back and never
//! stands still, whatever becomes of the wall clock. Elapsed time is measured by a clock that
//! nobody sets (`CLOCK_BOOTTIME`: it counts while the machine sleeps, too, and has the speed of the
//! wall clock). So the distance between the two changes only when the wall clock is set, and the
//! host's time is the boot clock and an offset.
//!
//! | the wall clock | what happens | what `accept` does |
//! | --- | --- | --- |
//! | is set forward, by no more than the bound within a day | `Following`: it is followed at once | nothing |
//! | is set forward by more | `Ahead`: it is **not** followed, time goes on by elapsed time: a mistake must not expire every hold | it is followed, in one step |
//! | is set forward, then right again | `Following` again, by itself | nothing |
//! | is behind the host's time: at start or by being set back | `Behind` (from 10 s on): time goes on by elapsed time | `Slowed`: time passes slower by a tenth until the wall clock has caught up |
//! | is ahead of the last recorded time at start | `Following`: nothing tells a wrong clock from a time in which the service was down | nothing |
//!
//! `accept` is an operator's word that the wall clock is right: the admin route, or `accept_clock`
//! at start. At start only `Behind` can be there, so all that the setting does is to begin with
//! `Slowed`. It can be left on: steps forward while the service runs wait for an operator still.
//! In no case does time go back.
//!
//! A start while the wall clock is wrong follows it: who sees `Ahead` sets the clock right first,
//! if it is wrong, and starts again only then.
//!
//! What is recorded is the time of the log's last event. Time that was only told, to a query or to
//! a command that was refused, is not recorded: after a crash while the wall clock is behind, the
//! host's time begins at the last event again, so that a hold that was due may be held once more
//! for as long as nothing had been recorded. The log itself never goes back.
//!
//! [`Clock::now`] is asked for by every query and batch: it reads the boot clock and adds the
//! offset, without a lock. Every 10 ms one of those who ask looks at the wall clock.

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

/// From here on it is told that the wall clock is behind, or was set forward and followed.
const BEHIND_MIN: i64 = 10 * SECOND;

/// Time passes slower by one in so many parts while the wall clock catches up.
const SLOWED_PARTS: i64 = 10;

/// In place of the next look at the wall clock: time passes slower, each look is at both clocks.
const SLOWED: i64 = i64::MIN;

/// Reading the two clocks must not be interrupted for longer than this, in one of a few attempts.
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

/// What the clock is like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClockReading {
    /// How the host's time and the wall clock stand to each other.
    pub status: ClockStatus,
    /// By how many milliseconds the wall clock is ahead of the host's time; negative: behind.
    pub wall_ahead_ms: i64,
    /// The host's time.
    pub now: Timestamp,
}

/// What is known besides the offset.
struct State {
    status: ClockStatus,
    /// When time began to pass slower, by the boot clock, and which time it was.
    slowed_since: Option<(i64, i64)>,
    /// When adding up steps forward began, by the boot clock, and the offset at that moment.
    steps_since: (i64, i64),
}

/// The host's time.
pub(super) struct Clock<M: Machine = ThisMachine> {
    machine: M,
    /// The host's time less the boot clock, in microseconds.
    offset: AtomicI64,
    /// Until then, by the boot clock, the offset holds without a look at the wall clock.
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
                // They have met: on with the full speed, from here.
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

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// A clock that is as fine as the reaper's tick, and costs a reader one load: connections note
/// the time on every request.
#[derive(Debug)]
pub(super) struct CoarseClock {
    started: Instant,
    now_ms: AtomicU64,
}

impl CoarseClock {
    pub(super) fn new() -> Self {
        Self { started: Instant::now(), now_ms: AtomicU64::new(0) }
    }

    /// Time since the clock was made, in milliseconds, as of the last tick.
    pub(super) fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    /// Brings the clock up to date and returns the time.
    pub(super) fn tick(&self) -> u64 {
        let now_ms = milliseconds(self.started.elapsed());
        self.now_ms.store(now_ms, Ordering::Relaxed);
        now_ms
    }
}

/// A duration in whole milliseconds.
pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

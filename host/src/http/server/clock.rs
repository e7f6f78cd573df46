use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// A clock that the reaper advances once per tick. Reading it costs one atomic load; connections
/// read it several times for each request.
#[derive(Debug)]
pub(super) struct CoarseClock {
    started: Instant,
    now_ms: AtomicU64,
}

impl CoarseClock {
    pub(super) fn new() -> Self {
        Self { started: Instant::now(), now_ms: AtomicU64::new(0) }
    }

    /// Returns the time from the clock's creation to the last tick, in milliseconds.
    pub(super) fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    /// Advances the clock to the present and returns its time in milliseconds.
    pub(super) fn tick(&self) -> u64 {
        let now_ms = milliseconds(self.started.elapsed());
        self.now_ms.store(now_ms, Ordering::Relaxed);
        now_ms
    }
}

/// Returns a duration in whole milliseconds.
pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

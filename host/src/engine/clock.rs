use crate::model::Timestamp;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// The time of commands and queries: the wall clock, but never behind what was recorded,
/// whatever somebody does to the wall clock, restarts included.
pub(super) struct Clock {
    latest: AtomicU64,
}

impl Clock {
    pub(super) fn new(recorded: Timestamp) -> Self {
        Self { latest: AtomicU64::new(recorded) }
    }

    pub(super) fn now(&self) -> Timestamp {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.not_before(u64::try_from(wall.as_millis()).unwrap_or(u64::MAX))
    }

    fn not_before(&self, wall: Timestamp) -> Timestamp {
        self.latest.fetch_max(wall, Ordering::Relaxed).max(wall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_goes_back() {
        let clock = Clock::new(1_000);
        assert_eq!(clock.not_before(900), 1_000, "behind what was recorded");
        assert_eq!(clock.not_before(1_500), 1_500);
        assert_eq!(clock.not_before(1_400), 1_500, "set back");
    }

    #[test]
    fn the_wall_clock_counts_otherwise() {
        assert!(Clock::new(0).now() > 1_700_000_000_000);
    }
}

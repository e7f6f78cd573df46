//! The breaker: counts the component's faults and reports when they are too many.

use super::queue::Queue;
use crate::model::Timestamp;
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

/// The length of the window in which faults are counted.
const WINDOW_MS: u64 = 60_000;

/// Counts the faults of the component that decides. A rollback follows where they are too many.
pub(super) struct Faults {
    /// This many faults within the window are too many; 0 turns the breaker off.
    per_minute_max: usize,
    total: AtomicU64,
    /// The times of the latest faults, at most `per_minute_max` of them.
    recent: Mutex<VecDeque<Timestamp>>,
    /// Whether the faults were too many and the writer has not noticed yet.
    too_many: AtomicBool,
    /// The queue whose writer wakes up when the faults are too many.
    queue: Arc<Queue>,
}

impl Faults {
    pub(super) fn new(per_minute_max: u32, queue: Arc<Queue>) -> Self {
        Self {
            per_minute_max: usize::try_from(per_minute_max).unwrap_or(usize::MAX),
            total: AtomicU64::new(0),
            recent: Mutex::default(),
            too_many: AtomicBool::new(false),
            queue,
        }
    }

    fn recent(&self) -> MutexGuard<'_, VecDeque<Timestamp>> {
        // Nothing that can panic happens under the lock.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a fault, and wakes the writer where the faults are too many now.
    pub(super) fn count(&self, now: Timestamp) {
        self.total.fetch_add(1, Ordering::Relaxed);
        if self.per_minute_max == 0 {
            return;
        }
        let mut recent = self.recent();
        while recent.len() >= self.per_minute_max {
            recent.pop_front();
        }
        recent.push_back(now);
        let first_in_window =
            recent.front().is_some_and(|first| now.saturating_sub(*first) < WINDOW_MS);
        if recent.len() >= self.per_minute_max && first_in_window {
            self.too_many.store(true, Ordering::Relaxed);
            self.queue.wake();
        }
    }

    /// Returns whether the faults became too many since the last call.
    pub(super) fn take_too_many(&self) -> bool {
        self.too_many.load(Ordering::Relaxed) && self.too_many.swap(false, Ordering::Relaxed)
    }

    /// Empties the window: another component decides from now on.
    pub(super) fn reset(&self) {
        self.recent().clear();
        self.too_many.store(false, Ordering::Relaxed);
    }

    /// The number of faults since the start of the process, of all components together.
    pub(super) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// The number of faults within the last minute, at most [`Faults::per_minute_max`].
    pub(super) fn within_a_minute(&self, now: Timestamp) -> usize {
        let recent = self.recent();
        recent.iter().filter(|at| now.saturating_sub(**at) < WINDOW_MS).count()
    }

    /// The number of faults within a minute that are too many; 0 turns the breaker off.
    pub(super) fn per_minute_max(&self) -> usize {
        self.per_minute_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(most: u32) -> Faults {
        Faults::new(most, Arc::new(Queue::new(1, 1)))
    }

    fn too_many(faults: &Faults, at: Timestamp) -> bool {
        faults.count(at);
        faults.take_too_many()
    }

    #[test]
    fn as_many_faults_as_the_bound_within_a_minute_are_too_many() {
        let faults = faults(3);
        assert!(!too_many(&faults, 0) && !too_many(&faults, 10));
        assert!(too_many(&faults, 59_999) && !faults.take_too_many(), "reported once");
        assert_eq!((faults.total(), faults.within_a_minute(60_005)), (3, 2));
    }

    #[test]
    fn as_many_faults_over_a_longer_time_are_not_too_many() {
        let faults = faults(3);
        assert!([0, 30_000, 60_000].into_iter().all(|at| !too_many(&faults, at)));
        assert!(too_many(&faults, 60_001), "the last three are within a minute");
    }

    #[test]
    fn another_component_begins_with_no_faults() {
        let two = faults(2);
        two.count(0);
        two.reset();
        assert!(!too_many(&two, 1));
        assert!(too_many(&faults(1), 5), "a bound of one");
        assert!(!too_many(&faults(0), 5), "no bound");
    }
}

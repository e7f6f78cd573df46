use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// The deadline of a query. The query also ends early when its client no longer waits, or when the
/// process ends. A store checks the deadline again and again while it reads.
#[derive(Clone, Debug)]
pub struct QueryDeadline {
    within: Duration,
    until: Instant,
    /// Whether the client no longer waits.
    cancelled: Arc<AtomicBool>,
    /// Whether the process is ending.
    stopping: Arc<AtomicBool>,
}

/// A guard that the waiting client holds. Dropping it cancels the query.
#[derive(Debug)]
pub struct QueryGuard(Arc<AtomicBool>);

impl QueryDeadline {
    /// The deadline of a query that begins now and may run for `within`, and the guard for its
    /// client. `stopping` is set when the process ends.
    #[must_use]
    pub fn new(within: Duration, stopping: Arc<AtomicBool>) -> (Self, QueryGuard) {
        let cancelled = Arc::new(AtomicBool::new(false));
        let guard = QueryGuard(Arc::clone(&cancelled));
        (Self { within, until: Instant::now() + within, cancelled, stopping }, guard)
    }

    /// Whether the query must end now, without an answer.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
            || self.stopping.load(Ordering::Relaxed)
            || self.has_passed()
    }

    /// Whether the query has used up its time.
    #[must_use]
    pub fn has_passed(&self) -> bool {
        Instant::now() >= self.until
    }

    /// The time that the query was given.
    #[must_use]
    pub fn within(&self) -> Duration {
        self.within
    }
}

impl Drop for QueryGuard {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_ends_at_its_deadline_without_its_client_and_with_the_process() {
        let (hour, stopping) = (Duration::from_secs(3600), Arc::new(AtomicBool::new(false)));
        let (deadline, guard) = QueryDeadline::new(hour, Arc::clone(&stopping));
        assert!(!deadline.is_over());
        drop(guard);
        assert!(deadline.is_over() && !deadline.has_passed());

        let (deadline, _guard) = QueryDeadline::new(hour, Arc::clone(&stopping));
        stopping.store(true, Ordering::Relaxed);
        assert!(deadline.is_over() && !deadline.has_passed());

        let (deadline, _guard) = QueryDeadline::new(Duration::ZERO, Arc::default());
        assert!(deadline.is_over() && deadline.has_passed());
    }
}

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// How long a query may run: until its time is over, or until nobody waits for its answer any
/// more. A store asks again and again while it reads.
#[derive(Clone, Debug)]
pub struct QueryDeadline {
    within: Duration,
    until: Instant,
    /// Whether whoever asked has gone.
    gone: Arc<AtomicBool>,
    /// Whether the process is ending.
    stopping: Arc<AtomicBool>,
}

/// Whoever waits for the answer to a query. The query ends when this is dropped.
#[derive(Debug)]
pub struct QueryGuard(Arc<AtomicBool>);

impl QueryDeadline {
    /// For a query that begins now.
    #[must_use]
    pub fn new(within: Duration, stopping: Arc<AtomicBool>) -> (Self, QueryGuard) {
        let gone = Arc::new(AtomicBool::new(false));
        let waiting = QueryGuard(Arc::clone(&gone));
        (Self { within, until: Instant::now() + within, gone, stopping }, waiting)
    }

    /// Whether the query is to end now, without an answer.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
            || self.stopping.load(Ordering::Relaxed)
            || self.has_passed()
    }

    /// Whether it has used up its time.
    #[must_use]
    pub fn has_passed(&self) -> bool {
        Instant::now() >= self.until
    }

    /// How much time it had.
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
    fn it_is_over_when_the_time_is_when_nobody_waits_and_when_the_process_ends() {
        let (hour, stopping) = (Duration::from_secs(3600), Arc::new(AtomicBool::new(false)));
        let (deadline, waiting) = QueryDeadline::new(hour, Arc::clone(&stopping));
        assert!(!deadline.is_over());
        drop(waiting);
        assert!(deadline.is_over() && !deadline.has_passed());

        let (deadline, _waiting) = QueryDeadline::new(hour, Arc::clone(&stopping));
        stopping.store(true, Ordering::Relaxed);
        assert!(deadline.is_over() && !deadline.has_passed());

        let (deadline, _waiting) = QueryDeadline::new(Duration::ZERO, Arc::default());
        assert!(deadline.is_over() && deadline.has_passed());
    }
}

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
pub struct Patience {
    within: Duration,
    until: Instant,
    /// Whether whoever asked has gone.
    gone: Arc<AtomicBool>,
    /// Whether the process is ending.
    stopping: Arc<AtomicBool>,
}

/// Whoever waits for the answer to a query. The query ends when this is dropped.
#[derive(Debug)]
pub struct Waiting(Arc<AtomicBool>);

impl Patience {
    /// For a query that begins now.
    #[must_use]
    pub fn new(within: Duration, stopping: Arc<AtomicBool>) -> (Self, Waiting) {
        let gone = Arc::new(AtomicBool::new(false));
        let waiting = Waiting(Arc::clone(&gone));
        (Self { within, until: Instant::now() + within, gone, stopping }, waiting)
    }

    /// Whether the query is to end now, without an answer.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
            || self.stopping.load(Ordering::Relaxed)
            || self.time_is_over()
    }

    /// Whether it has used up its time.
    #[must_use]
    pub fn time_is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    /// How much time it had.
    #[must_use]
    pub fn within(&self) -> Duration {
        self.within
    }
}

impl Drop for Waiting {
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
        let (patience, waiting) = Patience::new(hour, Arc::clone(&stopping));
        assert!(!patience.is_over());
        drop(waiting);
        assert!(patience.is_over() && !patience.time_is_over());

        let (patience, _waiting) = Patience::new(hour, Arc::clone(&stopping));
        stopping.store(true, Ordering::Relaxed);
        assert!(patience.is_over() && !patience.time_is_over());

        let (patience, _waiting) = Patience::new(Duration::ZERO, Arc::default());
        assert!(patience.is_over() && patience.time_is_over());
    }
}

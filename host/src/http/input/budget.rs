//! The budget of memory that all request bodies share while they are being received. A body that
//! does not grow is evicted in favour of one that does.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// The number of bytes of each body that do not count against the budget. Most commands are
/// smaller, so that they are received even when large bodies use up the budget. The bound on
/// connections bounds the sum of these bytes.
pub(super) const FREE_BYTES: usize = 16 * 1024;

/// A body counts as stalled when it has not grown by this many bytes within `STALL_TIME`.
const STEP_BYTES: usize = 16 * 1024;

/// The time after which a body that has not grown by `STEP_BYTES` may be evicted.
const STALL_TIME: Duration = Duration::from_millis(500);

/// The budget of memory for request bodies that are being received, over all connections.
#[derive(Debug)]
pub(in crate::http) struct BodyBudget {
    bytes_max: usize,
    open: Mutex<OpenBodies>,
    /// The number of bodies that were refused or evicted since the start.
    refused: AtomicU64,
}

/// The bodies that use part of the budget.
#[derive(Debug, Default)]
struct OpenBodies {
    /// The bytes that all of them use.
    bytes: usize,
    next_id: u64,
    bodies: BTreeMap<u64, OpenBody>,
}

/// A body that uses part of the budget.
#[derive(Debug)]
struct OpenBody {
    /// The bytes of the budget that the body uses.
    bytes: usize,
    /// The time at which the body last grew by a step.
    stepped: Instant,
    /// Notified when the body is evicted.
    evicted: Arc<Notify>,
}

/// The error of a body for which the budget has no bytes left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct BudgetExceeded {
    pub(super) bytes_max: usize,
}

impl BodyBudget {
    pub(in crate::http) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, open: Mutex::default(), refused: AtomicU64::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, OpenBodies> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the bytes of the budget that are in use.
    pub(in crate::http) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// Returns the number of bodies that were refused or evicted since the start.
    pub(in crate::http) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Counts a body that is refused or evicted, and returns its error.
    fn refuse(&self) -> BudgetExceeded {
        self.refused.fetch_add(1, Ordering::Relaxed);
        BudgetExceeded { bytes_max: self.bytes_max }
    }
}

impl OpenBodies {
    /// Evicts the body that has not grown for the longest time, other than `grower`. Returns false
    /// where no other body is stalled.
    fn evict_stalled(&mut self, grower: Option<u64>, now: Instant) -> bool {
        let others = self.bodies.iter().filter(|(id, _)| Some(**id) != grower);
        let Some((&id, stalled)) = others.min_by_key(|(_, body)| body.stepped) else {
            return false;
        };
        if now.saturating_duration_since(stalled.stepped) < STALL_TIME {
            return false;
        }
        if let Some(body) = self.bodies.remove(&id) {
            self.bytes -= body.bytes;
            body.evicted.notify_one();
        }
        true
    }
}

/// The share of one body in the budget. It is returned to the budget when it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    budget: Arc<BodyBudget>,
    /// The body's key in [`OpenBodies`]; `None` while the body uses no part of the budget.
    id: Option<u64>,
    evicted: Arc<Notify>,
    /// The size in bytes at which the body will have grown by another step.
    next_step_bytes: usize,
}

impl Share {
    pub(super) fn new(budget: Arc<BodyBudget>) -> Self {
        let evicted = Arc::new(Notify::new());
        Self { budget, id: None, evicted, next_step_bytes: STEP_BYTES }
    }

    /// Lets the body use `bytes` of memory in total. Stalled bodies are evicted where the budget
    /// has too few bytes left.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), BudgetExceeded> {
        let wanted = bytes.saturating_sub(FREE_BYTES);
        if wanted == 0 {
            return Ok(());
        }
        let mut open = self.budget.lock();
        let used = self.id.and_then(|id| open.bodies.get(&id)).map_or(0, |body| body.bytes);
        let more = wanted.saturating_sub(used);
        let now = Instant::now();
        while open.bytes.saturating_add(more) > self.budget.bytes_max {
            if !open.evict_stalled(self.id, now) {
                return Err(self.budget.refuse());
            }
        }
        open.bytes += more;
        let id = self.id.unwrap_or(open.next_id);
        if self.id.replace(id).is_none() {
            open.next_id += 1;
        }
        let evicted = &self.evicted;
        let body = open.bodies.entry(id).or_insert_with(|| OpenBody {
            bytes: 0,
            stepped: now,
            evicted: Arc::clone(evicted),
        });
        body.bytes += more;
        Ok(())
    }

    /// Notes that `bytes` of the body have arrived in total.
    pub(super) fn arrived(&mut self, bytes: usize) {
        if bytes < self.next_step_bytes {
            return;
        }
        self.next_step_bytes = bytes.saturating_add(STEP_BYTES);
        if let Some(id) = self.id
            && let Some(body) = self.budget.lock().bodies.get_mut(&id)
        {
            body.stepped = Instant::now();
        }
    }

    /// Waits until the body is evicted.
    pub(super) async fn evicted(&self) -> BudgetExceeded {
        self.evicted.notified().await;
        self.budget.refuse()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some(id) = self.id else { return };
        let mut open = self.budget.lock();
        if let Some(body) = open.bodies.remove(&id) {
            open.bytes -= body.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 100_000;

    fn budget() -> Arc<BodyBudget> {
        Arc::new(BodyBudget::new(MAX))
    }

    fn share(budget: &Arc<BodyBudget>) -> Share {
        Share::new(Arc::clone(budget))
    }

    /// Makes all bodies look as if nothing had arrived for `STALL_TIME`.
    fn stall(budget: &BodyBudget) {
        for body in budget.lock().bodies.values_mut() {
            body.stepped = body.stepped.checked_sub(STALL_TIME).unwrap();
        }
    }

    #[test]
    fn the_budget_bounds_all_bodies_together() {
        let budget = budget();
        let mut shares: Vec<_> = (0..2).map(|_| share(&budget)).collect();
        for share in &mut shares {
            assert_eq!(share.grow(FREE_BYTES + MAX / 2), Ok(()));
        }
        assert_eq!(budget.bytes(), MAX);
        assert_eq!(share(&budget).grow(FREE_BYTES + 1), Err(BudgetExceeded { bytes_max: MAX }));
        assert_eq!(budget.refused(), 1);
        shares.clear();
        assert_eq!(budget.bytes(), 0);
        assert_eq!(share(&budget).grow(FREE_BYTES + MAX), Ok(()));
    }

    #[test]
    fn small_bodies_are_received_when_large_ones_use_up_the_budget() {
        let budget = budget();
        let mut large = share(&budget);
        assert_eq!(large.grow(FREE_BYTES + MAX), Ok(()));
        assert_eq!(share(&budget).grow(FREE_BYTES), Ok(()));
    }

    #[tokio::test]
    async fn a_body_that_does_not_grow_is_evicted_for_one_that_does() {
        let budget = budget();
        let mut shares: Vec<_> = (0..4).map(|_| share(&budget)).collect();
        for share in &mut shares {
            assert_eq!(share.grow(FREE_BYTES + MAX / 4), Ok(()));
        }
        stall(&budget);
        shares[0].arrived(STEP_BYTES);
        let mut next = share(&budget);
        assert_eq!(next.grow(FREE_BYTES + MAX / 4), Ok(()));
        assert_eq!(shares[1].evicted().await, BudgetExceeded { bytes_max: MAX });
        // Dropping the evicted share must not return its bytes a second time.
        drop(shares.remove(1));
        assert_eq!(budget.bytes(), MAX);
        assert_eq!(shares[0].grow(FREE_BYTES + MAX / 2), Ok(()));
        assert_eq!(budget.bytes(), MAX, "another stalled body was evicted");
    }

    #[test]
    fn a_body_is_not_evicted_for_itself() {
        let budget = budget();
        let mut only = share(&budget);
        assert_eq!(only.grow(FREE_BYTES + MAX), Ok(()));
        stall(&budget);
        assert_eq!(only.grow(FREE_BYTES + MAX + 1), Err(BudgetExceeded { bytes_max: MAX }));
        assert_eq!(budget.bytes(), MAX);
    }
}

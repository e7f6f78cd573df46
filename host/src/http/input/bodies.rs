//! The bound on bodies that are being received, over all connections.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// What each body may take besides the common bound: most commands are smaller, so that they
/// are received whatever large bodies take. The bound on connections bounds the sum.
pub(super) const FREE_BYTES: usize = 16 * 1024;

/// A body that has not grown by this much...
const STEP_BYTES: usize = 16 * 1024;
/// ... within this time gives way to one that grows.
const STEP_TIME: Duration = Duration::from_millis(500);

/// The bound on bodies that are being received, over all connections.
#[derive(Debug)]
pub(in crate::http) struct Bodies {
    bytes_max: usize,
    open: Mutex<Open>,
    refused: AtomicU64,
}

#[derive(Debug, Default)]
struct Open {
    held: usize,
    next: u64,
    bodies: BTreeMap<u64, Growing>,
}

/// A body that takes part of the common bound.
#[derive(Debug)]
struct Growing {
    held: usize,
    stepped: Instant,
    gives_way: Arc<Notify>,
}

/// There is no room for more of a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Full {
    pub(super) max: usize,
}

impl Bodies {
    pub(in crate::http) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, open: Mutex::default(), refused: AtomicU64::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes that unfinished bodies take of the common bound.
    pub(in crate::http) fn held(&self) -> usize {
        self.lock().held
    }

    /// Bodies that were refused or gave way, since the start.
    pub(in crate::http) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Notes that a body was refused for want of room, and says why.
    pub(super) fn refuse(&self) -> Full {
        self.refused.fetch_add(1, Ordering::Relaxed);
        Full { max: self.bytes_max }
    }
}

impl Open {
    /// Takes what the body that has not grown for the longest time holds, where it may be taken.
    fn take_from_stalled(&mut self, but: Option<u64>, now: Instant) -> bool {
        let others = self.bodies.iter().filter(|(id, _)| Some(**id) != but);
        let Some((&id, stalled)) = others.min_by_key(|(_, body)| body.stepped) else {
            return false;
        };
        if now.saturating_duration_since(stalled.stepped) < STEP_TIME {
            return false;
        }
        if let Some(body) = self.bodies.remove(&id) {
            self.held -= body.held;
            body.gives_way.notify_one();
        }
        true
    }
}

/// The share of one body in the common bound.
#[derive(Debug)]
pub(super) struct Share {
    bodies: Arc<Bodies>,
    id: Option<u64>,
    gives_way: Arc<Notify>,
    /// The size at which the body has grown by a step.
    next_step: usize,
}

impl Share {
    pub(super) fn new(bodies: Arc<Bodies>) -> Self {
        let gives_way = Arc::new(Notify::new());
        Self { bodies, id: None, gives_way, next_step: STEP_BYTES }
    }

    /// Lets the body take so many bytes of memory in all.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        let wanted = bytes.saturating_sub(FREE_BYTES);
        if wanted == 0 {
            return Ok(());
        }
        let mut open = self.bodies.lock();
        let held = self.id.and_then(|id| open.bodies.get(&id)).map_or(0, |body| body.held);
        let more = wanted.saturating_sub(held);
        let now = Instant::now();
        while open.held.saturating_add(more) > self.bodies.bytes_max {
            if !open.take_from_stalled(self.id, now) {
                return Err(self.bodies.refuse());
            }
        }
        open.held += more;
        let id = self.id.unwrap_or(open.next);
        if self.id.replace(id).is_none() {
            open.next += 1;
        }
        let gives_way = &self.gives_way;
        let body = open.bodies.entry(id).or_insert_with(|| Growing {
            held: 0,
            stepped: now,
            gives_way: Arc::clone(gives_way),
        });
        body.held += more;
        Ok(())
    }

    /// Notes how much of the body has arrived.
    pub(super) fn arrived(&mut self, bytes: usize) {
        if bytes < self.next_step {
            return;
        }
        self.next_step = bytes.saturating_add(STEP_BYTES);
        if let Some(id) = self.id
            && let Some(body) = self.bodies.lock().bodies.get_mut(&id)
        {
            body.stepped = Instant::now();
        }
    }

    /// Resolves when the body has to give way to others.
    pub(super) async fn gives_way(&self) -> Full {
        self.gives_way.notified().await;
        self.bodies.refuse()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some(id) = self.id else { return };
        let mut open = self.bodies.lock();
        if let Some(body) = open.bodies.remove(&id) {
            open.held -= body.held;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 100_000;

    fn bodies() -> Arc<Bodies> {
        Arc::new(Bodies::new(MAX))
    }

    fn share(bodies: &Arc<Bodies>) -> Share {
        Share::new(Arc::clone(bodies))
    }

    /// As if nothing had arrived for a while.
    fn stall(bodies: &Bodies) {
        for body in bodies.lock().bodies.values_mut() {
            body.stepped = body.stepped.checked_sub(STEP_TIME).unwrap();
        }
    }

    #[test]
    fn all_bodies_together_have_a_bound() {
        let bodies = bodies();
        let mut shares: Vec<_> = (0..2).map(|_| share(&bodies)).collect();
        for share in &mut shares {
            assert_eq!(share.grow(FREE_BYTES + MAX / 2), Ok(()));
        }
        assert_eq!(bodies.held(), MAX);
        assert_eq!(share(&bodies).grow(FREE_BYTES + 1), Err(Full { max: MAX }));
        assert_eq!(bodies.refused(), 1);
        shares.clear();
        assert_eq!(bodies.held(), 0);
        assert_eq!(share(&bodies).grow(FREE_BYTES + MAX), Ok(()));
    }

    #[test]
    fn small_bodies_are_received_whatever_large_ones_take() {
        let bodies = bodies();
        let mut large = share(&bodies);
        assert_eq!(large.grow(FREE_BYTES + MAX), Ok(()));
        assert_eq!(share(&bodies).grow(FREE_BYTES), Ok(()));
    }

    #[tokio::test]
    async fn a_body_that_does_not_grow_gives_way_to_one_that_does() {
        let bodies = bodies();
        let mut shares: Vec<_> = (0..4).map(|_| share(&bodies)).collect();
        for share in &mut shares {
            assert_eq!(share.grow(FREE_BYTES + MAX / 4), Ok(()));
        }
        stall(&bodies);
        shares[0].arrived(STEP_BYTES);
        let mut next = share(&bodies);
        assert_eq!(next.grow(FREE_BYTES + MAX / 4), Ok(()));
        assert_eq!(shares[1].gives_way().await, Full { max: MAX });
        // The one that has given way does not count twice when it is dropped.
        drop(shares.remove(1));
        assert_eq!(bodies.held(), MAX);
        assert_eq!(shares[0].grow(FREE_BYTES + MAX / 2), Ok(()));
        assert_eq!(bodies.held(), MAX, "another stalled one has given way");
    }

    #[test]
    fn a_body_does_not_give_way_to_itself() {
        let bodies = bodies();
        let mut only = share(&bodies);
        assert_eq!(only.grow(FREE_BYTES + MAX), Ok(()));
        stall(&bodies);
        assert_eq!(only.grow(FREE_BYTES + MAX + 1), Err(Full { max: MAX }));
        assert_eq!(bodies.held(), MAX);
    }
}

//! All open connections: the limit on their number, the reaper that closes slow ones, and eviction,
//! which closes one connection to make room for another.

use super::{
    clock::{CoarseClock, milliseconds},
    connection::{Activity, CloseMode, Connection, Phase},
    send_queue::{SendQueue, SendQueues},
};
use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The number of connections that are accepted above the limit, on which only health and metrics
/// are answered: the limit divided by `SURPLUS_PART`, clamped to `SURPLUS_MIN..=SURPLUS_MAX`.
const SURPLUS_PART: usize = 16;
const SURPLUS_MIN: usize = 4;
const SURPLUS_MAX: usize = 64;

/// The timeout for the head of a request on a connection above the limit.
const SURPLUS_HEAD_TIMEOUT: Duration = Duration::from_secs(1);

/// The timeout for a client to end its side of the stream after the last answer.
const LINGER_TIMEOUT: Duration = Duration::from_secs(1);

/// A connection may be evicted after this long without progress, or earlier: see [`Timeouts::new`].
const EVICTABLE_AFTER_MAX: Duration = Duration::from_secs(1);

/// A connection may be evicted after the header timeout divided by this without progress, or
/// earlier.
const EVICTABLE_AFTER_PART: u32 = 16;

/// The number of candidates for eviction that one scan of all connections collects.
const CANDIDATES_MAX: usize = 128;

/// The timeouts of connections, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    /// The timeout for a request's head and for the pause between two requests.
    pub(super) header_ms: u64,
    /// The timeout for progress in sending an answer.
    pub(super) write_ms: u64,
    /// The time without progress after which a connection may be evicted.
    pub(super) evictable_after_ms: u64,
}

impl Timeouts {
    pub(super) fn new(header: Duration, write: Duration) -> Self {
        let evictable_after = (header / EVICTABLE_AFTER_PART).min(EVICTABLE_AFTER_MAX).min(write);
        Self {
            header_ms: milliseconds(header),
            write_ms: milliseconds(write),
            evictable_after_ms: milliseconds(evictable_after),
        }
    }
}

/// The open connections of a server.
#[derive(Debug)]
pub(super) struct Connections {
    /// The limit on connections. Those above it are answered about health and metrics only.
    max: usize,
    timeouts: Timeouts,
    clock: Arc<CoarseClock>,
    /// The slots of connections, those above the limit included.
    slots: Arc<Semaphore>,
    /// Reports the bytes that clients have not read; `None` where the operating system does not.
    send_queues: Option<Arc<SendQueues>>,
    open: Mutex<BTreeMap<u64, Arc<Connection>>>,
    /// The number of connections since the start.
    arrived: AtomicU64,
    /// The number of evicted connections since the start.
    evicted: AtomicU64,
    stopping: AtomicBool,
}

/// A guard that removes its connection from the open ones, and frees its slot, when it is dropped.
#[derive(Debug)]
pub(super) struct ConnectionGuard {
    connections: Arc<Connections>,
    id: u64,
    _slot: OwnedSemaphorePermit,
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.connections.lock().remove(&self.id);
    }
}

impl Connections {
    /// Creates the bounds of a server that has no connection yet.
    pub(super) fn new(max: usize, timeouts: Timeouts, clock: Arc<CoarseClock>) -> Self {
        let surplus = (max / SURPLUS_PART).clamp(SURPLUS_MIN, SURPLUS_MAX);
        Self {
            max,
            timeouts,
            clock,
            slots: Arc::new(Semaphore::new(max.saturating_add(surplus))),
            send_queues: SendQueues::open(),
            open: Mutex::default(),
            arrived: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the limit on connections.
    pub(super) fn max(&self) -> usize {
        self.max
    }

    /// Returns the number of open connections, those above the limit included.
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Returns the number of evicted connections since the start.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    /// Returns whether more connections are open than the limit.
    pub(super) fn is_over_limit(&self) -> bool {
        self.count() > self.max
    }

    /// Returns whether the limit is reached, so that one more connection is above it.
    pub(super) fn is_full(&self) -> bool {
        self.count() >= self.max
    }

    /// Waits for a slot for one more connection, which may be above the limit.
    pub(super) async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.slots).acquire_owned().await.ok()
    }

    /// Adds an open connection. `surplus` says whether it is above the limit; `ends` are the
    /// addresses of its two ends, the server's first, where they are known.
    pub(super) fn add(
        self: &Arc<Self>,
        slot: OwnedSemaphorePermit,
        surplus: bool,
        ends: Option<(SocketAddr, SocketAddr)>,
    ) -> (Arc<Connection>, ConnectionGuard) {
        let id = self.arrived.fetch_add(1, Ordering::Relaxed);
        let send_queue = self.send_queues.as_ref().zip(ends);
        let send_queue = send_queue.map(|(all, (local, peer))| SendQueue::new(all, local, peer));
        let connection = Connection::new(id, surplus, Arc::clone(&self.clock), send_queue);
        let connection = Arc::new(connection);
        self.lock().insert(id, Arc::clone(&connection));
        (connection, ConnectionGuard { connections: Arc::clone(self), id, _slot: slot })
    }

    /// Returns whether the server is stopping: every answer is then the last of its connection.
    pub(super) fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Returns the timeout for progress in sending an answer, in milliseconds.
    pub(super) fn write_timeout_ms(&self) -> u64 {
        self.timeouts.write_ms
    }

    /// Notes that the server is stopping.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Closes the connections that have exceeded their timeout. `room_awaited` says whether
    /// requests wait until clients have read their answers; clients that do not read have less time
    /// then.
    pub(super) fn reap(&self, now_ms: u64, room_awaited: bool) {
        let over_limit = self.is_over_limit();
        let overdue: Vec<_> = {
            let open = self.lock();
            let seen = open.values().map(|connection| (connection.activity(), connection));
            let overdue = seen.filter(|(activity, connection)| {
                let surplus = connection.surplus && over_limit;
                let timeout_ms = self.timeout_ms(*activity, surplus, room_awaited);
                timeout_ms.is_some_and(|ms| now_ms.saturating_sub(activity.since_ms()) > ms)
            });
            overdue.map(|(activity, connection)| (activity, Arc::clone(connection))).collect()
        };
        // Each of these connections costs a question to the kernel. The lock is released first, so
        // that nothing waits for it meanwhile.
        for (activity, connection) in overdue {
            let unread_timeout_ms = match activity.phase() {
                Phase::Sending if room_awaited => self.timeouts.evictable_after_ms,
                // `close` could not abort the task where the task was set only after that.
                Phase::Closing => {
                    connection.abort();
                    continue;
                }
                _ => self.timeouts.write_ms,
            };
            if let Some((activity, mode)) =
                closing(&connection, activity, now_ms, unread_timeout_ms)
            {
                connection.close(activity, mode);
            }
        }
    }

    /// Returns the timeout of the phase, in milliseconds; `None` for phases in which the request
    /// has timeouts of its own, which are answered with a problem.
    fn timeout_ms(&self, activity: Activity, surplus: bool, room_awaited: bool) -> Option<u64> {
        match activity.phase() {
            Phase::Head if surplus => Some(milliseconds(SURPLUS_HEAD_TIMEOUT)),
            Phase::Head => Some(self.timeouts.header_ms),
            Phase::Sending if room_awaited => Some(self.timeouts.evictable_after_ms),
            Phase::Sending => Some(self.timeouts.write_ms),
            Phase::Lingering => Some(milliseconds(LINGER_TIMEOUT)),
            Phase::Busy | Phase::Receiving | Phase::AwaitingAdmission => None,
            Phase::Closing => Some(0),
        }
    }

    /// Closes the connections on which no request is open. Returns the number of the others.
    pub(super) fn close_idle(&self) -> usize {
        let mut others = 0;
        for connection in self.lock().values() {
            let activity = connection.activity();
            match activity.phase() {
                Phase::Head | Phase::Lingering => {
                    // The connection may have begun a request since its activity was read.
                    if !connection.close(activity, CloseMode::Finish) {
                        others += 1;
                    }
                }
                Phase::Closing => connection.abort(),
                Phase::Busy | Phase::Receiving | Phase::AwaitingAdmission | Phase::Sending => {
                    others += 1;
                }
            }
        }
        others
    }

    /// Closes all connections, whatever they are doing.
    pub(super) fn abort_all(&self) {
        self.lock().values().for_each(|connection| connection.abort());
    }

    /// Collects the connections that are evicted first, by [`Self::eviction_class`] and within a
    /// class the ones longest without progress first.
    fn candidates(&self, now_ms: u64) -> VecDeque<(Activity, Arc<Connection>)> {
        let open = self.lock();
        let mut candidates: Vec<_> = open
            .values()
            .filter_map(|connection| {
                let activity = connection.activity();
                let class = self.eviction_class(activity, now_ms)?;
                Some(((class, activity.since_ms(), connection.id), activity, connection))
            })
            .collect();
        if candidates.len() > CANDIDATES_MAX {
            candidates.select_nth_unstable_by_key(CANDIDATES_MAX, |(order, _, _)| *order);
            candidates.truncate(CANDIDATES_MAX);
        }
        candidates.sort_unstable_by_key(|(order, _, _)| *order);
        candidates
            .into_iter()
            .map(|(_, activity, connection)| (activity, Arc::clone(connection)))
            .collect()
    }

    /// Returns how early a connection is evicted, 0 being the earliest; `None` where it must not
    /// be.
    fn eviction_class(&self, activity: Activity, now_ms: u64) -> Option<u8> {
        let idle_ms = now_ms.saturating_sub(activity.since_ms());
        let made_progress = idle_ms < self.timeouts.evictable_after_ms;
        match activity.phase() {
            // The connection has never finished a request, or cannot begin another one.
            Phase::Head if !activity.answered() => Some(0),
            Phase::Lingering => Some(0),
            _ if made_progress => None,
            Phase::Sending => Some(1),
            Phase::Head => Some(2),
            Phase::Receiving => Some(3),
            // The client has done its part, and is answered soon.
            Phase::AwaitingAdmission => Some(4),
            Phase::Busy | Phase::Closing => None,
        }
    }
}

/// Decides how to close a connection that seemed to have exceeded its timeout. Returns the activity
/// that the decision is based on, and the mode. Returns `None` where the connection stays open: the
/// client has read everything, or has read something within `unread_timeout_ms`, or the phase has
/// changed.
fn closing(
    connection: &Connection,
    activity: Activity,
    now_ms: u64,
    unread_timeout_ms: u64,
) -> Option<(Activity, CloseMode)> {
    let phase = activity.phase();
    let may_have_unread = match phase {
        Phase::Sending | Phase::Lingering => true,
        Phase::Head => activity.answered(),
        _ => false,
    };
    if !may_have_unread {
        return Some((activity, CloseMode::Finish));
    }
    match (connection.unread_bytes(), phase) {
        // The client has read everything: it waits for the server.
        (Some(0), Phase::Sending) => None,
        (Some(0) | None, Phase::Head | Phase::Lingering) => Some((activity, CloseMode::Finish)),
        _ => {
            let activity = connection.activity();
            let over = now_ms.saturating_sub(activity.since_ms()) >= unread_timeout_ms;
            (over && activity.phase() == phase).then_some((activity, CloseMode::Reset))
        }
    }
}

/// Evicts connections to make room for new ones. The task that accepts connections owns it.
#[derive(Debug, Default)]
pub(super) struct Evictor {
    /// The candidates that the last scan has found, each with its activity at that time. A
    /// candidate is checked again before it is closed.
    candidates: VecDeque<(Activity, Arc<Connection>)>,
    /// The clock's time of a scan that found nothing to evict. There is no other scan within the
    /// same tick.
    nothing_found_ms: Option<u64>,
}

impl Evictor {
    /// Closes the connection that is to be evicted first. Returns false where there is none.
    pub(super) fn evict_one(&mut self, connections: &Connections) -> bool {
        if self.evict_candidate(connections) {
            return true;
        }
        let now_ms = connections.clock.now_ms();
        if self.nothing_found_ms == Some(now_ms) {
            return false;
        }
        self.candidates = connections.candidates(now_ms);
        let closed = self.evict_candidate(connections);
        self.nothing_found_ms = (!closed).then_some(now_ms);
        closed
    }

    fn evict_candidate(&mut self, connections: &Connections) -> bool {
        let now_ms = connections.clock.now_ms();
        let unread_timeout_ms = connections.timeouts.evictable_after_ms;
        while let Some((activity, connection)) = self.candidates.pop_front() {
            if let Some((activity, mode)) =
                closing(&connection, activity, now_ms, unread_timeout_ms)
                && connection.close(activity, mode)
            {
                connections.evicted.fetch_add(1, Ordering::Relaxed);
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
#[path = "connections_tests.rs"]
mod tests;

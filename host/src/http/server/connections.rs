//! All open connections: how many there may be, which are slow, which give way to new ones.

use super::{
    clock::{CoarseClock, milliseconds},
    connection::{CloseMode, Connection, Moment, Phase},
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

/// Connections above the limit, which are answered about the server's health only, as a part
/// of the limit and at least.
const SURPLUS_PART: usize = 16;
const SURPLUS_MIN: usize = 4;
const SURPLUS_MAX: usize = 64;

/// Time for the request of a connection above the limit.
const SURPLUS_TIME: Duration = Duration::from_secs(1);

/// Time for a client to close its side after the last answer.
const LINGER_TIME: Duration = Duration::from_secs(1);

/// The longest time without progress after which a connection may give way to another.
const PATIENCE_MAX: Duration = Duration::from_secs(1);

/// The part of the header timeout after which a connection may give way to another.
const PATIENCE_PART: u32 = 16;

/// Connections that one look at all of them finds to give way.
const CANDIDATES_MAX: usize = 128;

/// The times that connections are held to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// Time for a request's head and for the pause between two requests.
    pub(super) header_ms: u64,
    /// Time without progress in sending an answer.
    pub(super) write_ms: u64,
    /// Time without progress after which a connection may give way to another.
    pub(super) patience_ms: u64,
}

impl Times {
    pub(super) fn new(header: Duration, write: Duration) -> Self {
        let patience = (header / PATIENCE_PART).min(PATIENCE_MAX).min(write);
        Self {
            header_ms: milliseconds(header),
            write_ms: milliseconds(write),
            patience_ms: milliseconds(patience),
        }
    }
}

/// The open connections of a server.
#[derive(Debug)]
pub(super) struct Connections {
    /// Connections that may ask anything.
    max: usize,
    times: Times,
    clock: Arc<CoarseClock>,
    slots: Arc<Semaphore>,
    /// Tells what clients have not read; `None` where the system does not say.
    send_queues: Option<Arc<SendQueues>>,
    open: Mutex<BTreeMap<u64, Arc<Connection>>>,
    arrived: AtomicU64,
    gave_way: AtomicU64,
    stopping: AtomicBool,
}

/// The place of an open connection, which it leaves when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    connections: Arc<Connections>,
    id: u64,
    _slot: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.lock().remove(&self.id);
    }
}

impl Connections {
    pub(super) fn new(max: usize, times: Times, clock: Arc<CoarseClock>) -> Self {
        let surplus = (max / SURPLUS_PART).clamp(SURPLUS_MIN, SURPLUS_MAX);
        Self {
            max,
            times,
            clock,
            slots: Arc::new(Semaphore::new(max.saturating_add(surplus))),
            send_queues: SendQueues::open(),
            open: Mutex::default(),
            arrived: AtomicU64::new(0),
            gave_way: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connections that may ask anything.
    pub(super) fn max(&self) -> usize {
        self.max
    }

    /// Open connections, those above the limit included.
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Connections that were closed to make room for others, since the start.
    pub(super) fn gave_way(&self) -> u64 {
        self.gave_way.load(Ordering::Relaxed)
    }

    /// Whether more connections are open than may ask anything.
    pub(super) fn is_over_limit(&self) -> bool {
        self.count() > self.max
    }

    /// Whether as many connections are open as may ask anything: one more is above the limit.
    pub(super) fn is_full(&self) -> bool {
        self.count() >= self.max
    }

    /// A slot for one more connection, those above the limit included.
    pub(super) async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.slots).acquire_owned().await.ok()
    }

    /// Adds a connection between two addresses, the server's first.
    pub(super) fn add(
        self: &Arc<Self>,
        slot: OwnedSemaphorePermit,
        surplus: bool,
        ends: Option<(SocketAddr, SocketAddr)>,
    ) -> (Arc<Connection>, Place) {
        let id = self.arrived.fetch_add(1, Ordering::Relaxed);
        let send_queue = self.send_queues.as_ref().zip(ends);
        let send_queue = send_queue.map(|(all, (local, peer))| SendQueue::new(all, local, peer));
        let connection = Connection::new(id, surplus, Arc::clone(&self.clock), send_queue);
        let connection = Arc::new(connection);
        self.lock().insert(id, Arc::clone(&connection));
        (connection, Place { connections: Arc::clone(self), id, _slot: slot })
    }

    /// Whether the server is stopping. Every answer is then the last of its connection.
    pub(super) fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Time without progress in sending an answer, in milliseconds.
    pub(super) fn write_ms(&self) -> u64 {
        self.times.write_ms
    }

    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Closes the connections that have used up their time. Where requests wait until answers
    /// were read, clients that do not read have less time.
    pub(super) fn reap(&self, now_ms: u64, answers_awaited: bool) {
        let over_limit = self.is_over_limit();
        let overdue: Vec<_> = {
            let open = self.lock();
            let moments = open.values().map(|connection| (connection.moment(), connection));
            let overdue = moments.filter(|(moment, connection)| {
                let time_ms =
                    self.time_ms(*moment, connection.surplus && over_limit, answers_awaited);
                time_ms.is_some_and(|ms| now_ms.saturating_sub(moment.since_ms()) > ms)
            });
            overdue.map(|(moment, connection)| (moment, Arc::clone(connection))).collect()
        };
        // Each of these costs a question to the kernel, during which none may wait for the lock.
        for (moment, connection) in overdue {
            let unread_ms = match moment.phase() {
                Phase::Sending if answers_awaited => self.times.patience_ms,
                // The task may have been set after the connection was closed.
                Phase::Closing => {
                    connection.abort();
                    continue;
                }
                _ => self.times.write_ms,
            };
            if let Some((moment, mode)) = judge(&connection, moment, now_ms, unread_ms) {
                connection.close(moment, mode);
            }
        }
    }

    /// Time without progress in the phase of a moment; `None` for phases that have times of their
    /// own, and tell the client.
    fn time_ms(&self, moment: Moment, surplus: bool, answers_awaited: bool) -> Option<u64> {
        match moment.phase() {
            Phase::Head if surplus => Some(milliseconds(SURPLUS_TIME)),
            Phase::Head => Some(self.times.header_ms),
            Phase::Sending if answers_awaited => Some(self.times.patience_ms),
            Phase::Sending => Some(self.times.write_ms),
            Phase::Lingering => Some(milliseconds(LINGER_TIME)),
            Phase::Busy | Phase::Receiving | Phase::AwaitingRoom => None,
            Phase::Closing => Some(0),
        }
    }

    /// Closes the connections on which no request is being handled. Returns how many others
    /// are open.
    pub(super) fn close_idle(&self) -> usize {
        let mut others = 0;
        for connection in self.lock().values() {
            let moment = connection.moment();
            match moment.phase() {
                Phase::Head | Phase::Lingering => {
                    // It may have begun a request meanwhile.
                    if !connection.close(moment, CloseMode::Finish) {
                        others += 1;
                    }
                }
                Phase::Closing => connection.abort(),
                Phase::Busy | Phase::Receiving | Phase::AwaitingRoom | Phase::Sending => {
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

    /// The connections that give way first: those that never finished a request or will not
    /// ask another, then those that do not read, then idle ones, then unfinished bodies, then those
    /// that wait for room for their answer: they may be honest, and are told soon; in each class the one longest without progress first.
    fn candidates(&self, now_ms: u64) -> VecDeque<(Moment, Arc<Connection>)> {
        let open = self.lock();
        let mut candidates: Vec<_> = open
            .values()
            .filter_map(|connection| {
                let moment = connection.moment();
                let class = self.class(moment, now_ms)?;
                Some(((class, moment.since_ms(), connection.id), moment, connection))
            })
            .collect();
        if candidates.len() > CANDIDATES_MAX {
            candidates.select_nth_unstable_by_key(CANDIDATES_MAX, |(order, _, _)| *order);
            candidates.truncate(CANDIDATES_MAX);
        }
        candidates.sort_unstable_by_key(|(order, _, _)| *order);
        candidates.into_iter().map(|(_, moment, it)| (moment, Arc::clone(it))).collect()
    }

    /// How early a connection gives way; `None` where it does not.
    fn class(&self, moment: Moment, now_ms: u64) -> Option<u8> {
        let patient = now_ms.saturating_sub(moment.since_ms()) < self.times.patience_ms;
        match moment.phase() {
            Phase::Head if !moment.answered() => Some(0),
            Phase::Lingering => Some(0),
            _ if patient => None,
            Phase::Sending => Some(1),
            Phase::Head => Some(2),
            Phase::Receiving => Some(3),
            Phase::AwaitingRoom => Some(4),
            Phase::Busy | Phase::Closing => None,
        }
    }
}

/// How a connection that has used up its time is closed, and the moment it is judged by; `None`
/// where its client has read on, or has had less than `unread_ms` for what it has not read.
fn judge(
    connection: &Connection,
    moment: Moment,
    now_ms: u64,
    unread_ms: u64,
) -> Option<(Moment, CloseMode)> {
    let phase = moment.phase();
    let answers = match phase {
        Phase::Sending | Phase::Lingering => true,
        Phase::Head => moment.answered(),
        _ => false,
    };
    if !answers {
        return Some((moment, CloseMode::Finish));
    }
    match (connection.unread(), phase) {
        // The client has read everything: the server is late.
        (Some(0), Phase::Sending) => None,
        (Some(0) | None, Phase::Head | Phase::Lingering) => Some((moment, CloseMode::Finish)),
        _ => {
            let moment = connection.moment();
            let over = now_ms.saturating_sub(moment.since_ms()) >= unread_ms;
            (over && moment.phase() == phase).then_some((moment, CloseMode::Reset))
        }
    }
}

/// Makes room for new connections: belongs to the task that accepts them.
#[derive(Debug, Default)]
pub(super) struct RoomMaker {
    /// Found at one look; each is looked at again before it is closed.
    candidates: VecDeque<(Moment, Arc<Connection>)>,
    /// When nothing was found: the next look is a tick later.
    found_none_ms: Option<u64>,
}

impl RoomMaker {
    /// Closes the connection that gives way first. Returns false where there is none.
    pub(super) fn close_one(&mut self, connections: &Connections) -> bool {
        if self.close_candidate(connections) {
            return true;
        }
        let now_ms = connections.clock.now_ms();
        if self.found_none_ms == Some(now_ms) {
            return false;
        }
        self.candidates = connections.candidates(now_ms);
        let closed = self.close_candidate(connections);
        self.found_none_ms = (!closed).then_some(now_ms);
        closed
    }

    fn close_candidate(&mut self, connections: &Connections) -> bool {
        let (now_ms, patience_ms) = (connections.clock.now_ms(), connections.times.patience_ms);
        while let Some((moment, connection)) = self.candidates.pop_front() {
            if let Some((moment, mode)) = judge(&connection, moment, now_ms, patience_ms)
                && connection.close(moment, mode)
            {
                connections.gave_way.fetch_add(1, Ordering::Relaxed);
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
#[path = "connections_tests.rs"]
mod tests;

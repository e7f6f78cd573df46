//! What one connection is doing, so that the reaper can tell the slow from the busy.

use super::{clock::CoarseClock, send_queue::SendQueue};
use hyper::body::Incoming;
use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Notify, task::AbortHandle};

/// The rate below which a client that sends or reads counts as making no progress, in bytes
/// per millisecond (4 KiB per second).
pub(super) const BYTES_PER_MS_MIN: u64 = 4;

/// What a connection is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// It waits for a request, or for the rest of a request's head.
    Head,
    /// A request is being handled. A connection in this phase is never closed by the reaper.
    Busy,
    /// A request's body is awaited.
    Receiving,
    /// A request waits for room for its answer; nothing of it was carried out.
    AwaitingRoom,
    /// The client has to read before more of the answer can be sent.
    Sending,
    /// The answer was the last one; what the client still sends is read and dropped.
    Lingering,
    /// The connection is being closed, and begins no further request.
    Closing,
}

/// A phase, whether the connection has been answered before, and since when in milliseconds
/// the phase lasts (moved forward by progress), in one word: it changes in one step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Moment(u64);

/// Time for an answer once the client has sent the end of its stream. A client that has only
/// closed its sending side reads the answer; one that has gone sends just the same, and nobody
/// waits for its answer longer than that.
const HALF_CLOSED_TIME: Duration = Duration::from_millis(100);

/// The end of the stream counts as a byte that awaits its acknowledgement.
const END_BYTES: u64 = 1;

/// How a connection is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum CloseMode {
    /// The kernel goes on sending what it has.
    Finish,
    /// The kernel drops what it has, and tells the client by a reset.
    Reset,
}

const PHASE_BITS: u64 = 0b0111;
const ANSWERED_BIT: u64 = 0b1000;
const TIME_SHIFT: u32 = 4;

impl Moment {
    fn new(phase: Phase, answered: bool, since_ms: u64) -> Self {
        let phase = match phase {
            Phase::Head => 0,
            Phase::Busy => 1,
            Phase::Receiving => 2,
            Phase::AwaitingRoom => 3,
            Phase::Sending => 4,
            Phase::Lingering => 5,
            Phase::Closing => 6,
        };
        Self((since_ms << TIME_SHIFT) | phase | if answered { ANSWERED_BIT } else { 0 })
    }

    pub(super) fn phase(self) -> Phase {
        match self.0 & PHASE_BITS {
            0 => Phase::Head,
            1 => Phase::Busy,
            2 => Phase::Receiving,
            3 => Phase::AwaitingRoom,
            4 => Phase::Sending,
            5 => Phase::Lingering,
            _ => Phase::Closing,
        }
    }

    /// Whether the connection has had an answer.
    pub(super) fn answered(self) -> bool {
        self.0 & ANSWERED_BIT != 0
    }

    pub(super) fn since_ms(self) -> u64 {
        self.0 >> TIME_SHIFT
    }
}

/// One connection, as its own task and the reaper share it.
#[derive(Debug)]
pub(super) struct Connection {
    /// The place of the connection in the order of arrival.
    pub(super) id: u64,
    /// Whether the connection was accepted above the limit.
    pub(super) surplus: bool,
    clock: Arc<CoarseClock>,
    moment: AtomicU64,
    /// The body of a request that was answered before its body was read.
    unread: Mutex<Option<Incoming>>,
    /// Ends the task of the connection.
    task: OnceLock<AbortHandle>,
    /// What the kernel has not sent yet; `None` where that cannot be known.
    send_queue: Option<SendQueue>,
    /// Bytes that were handed to the kernel.
    written: AtomicU64,
    /// Bytes that the client's side had acknowledged at the last look.
    acknowledged: AtomicU64,
    /// Whether the last look was answered. Otherwise writes that had to wait are the progress.
    acknowledgements_are_told: AtomicBool,
    /// Whether the body of a large answer has not been handed over to its end.
    body_is_open: AtomicBool,
    /// Whether the kernel is to drop what it has when the socket is closed.
    resets: AtomicBool,
    /// Notified when the client sends nothing more.
    client_ended: Notify,
    /// Whether the client has reset the connection.
    client_gone: AtomicBool,
}

impl Connection {
    pub(super) fn new(
        id: u64,
        surplus: bool,
        clock: Arc<CoarseClock>,
        send_queue: Option<SendQueue>,
    ) -> Self {
        let moment = Moment::new(Phase::Head, false, clock.now_ms());
        Self {
            id,
            surplus,
            clock,
            moment: AtomicU64::new(moment.0),
            unread: Mutex::new(None),
            task: OnceLock::new(),
            send_queue,
            written: AtomicU64::new(0),
            acknowledged: AtomicU64::new(0),
            acknowledgements_are_told: AtomicBool::new(false),
            body_is_open: AtomicBool::new(false),
            resets: AtomicBool::new(false),
            client_ended: Notify::new(),
            client_gone: AtomicBool::new(false),
        }
    }

    pub(super) fn moment(&self) -> Moment {
        Moment(self.moment.load(Ordering::Acquire))
    }

    pub(super) fn phase(&self) -> Phase {
        self.moment().phase()
    }

    /// Enters a phase as of now. Returns false where the connection is being closed: then
    /// nothing may be begun on it.
    #[must_use]
    pub(super) fn enter(&self, phase: Phase) -> bool {
        self.change(|moment| Moment::new(phase, moment.answered(), self.clock.now_ms()))
    }

    /// Notes that the request was answered: the answer is sent next, then the connection waits
    /// for another request. Returns false where the connection is being closed.
    ///
    /// A large answer counts as being sent from the beginning, so that a server that stops
    /// waits for it even before the first write that has to wait.
    pub(super) fn answered(&self, large: bool) -> bool {
        self.body_is_open.store(large, Ordering::Relaxed);
        let phase = if large { Phase::Sending } else { Phase::Head };
        self.change(|_| Moment::new(phase, true, self.clock.now_ms()))
    }

    /// Notes that the whole body of a large answer was handed over to be written.
    pub(super) fn body_ended(&self) {
        self.body_is_open.store(false, Ordering::Relaxed);
    }

    /// Notes that everything handed over so far was written.
    pub(super) fn flushed(&self) {
        if self.phase() == Phase::Sending && !self.body_is_open.load(Ordering::Relaxed) {
            let _ = self.enter(Phase::Head);
        }
    }

    /// Notes a write that had to wait, after writes that had not.
    pub(super) fn blocked(&self) {
        // While a request is handled, the handler's time counts.
        if matches!(self.phase(), Phase::Head | Phase::Sending) && self.enter(Phase::Sending) {
            // Acknowledgements from before are no progress of this answer.
            self.unread();
        }
    }

    /// Notes bytes that were handed to the kernel, after a wait or without one.
    pub(super) fn wrote(&self, bytes: usize, waited: bool) {
        self.written.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
        let told = self.acknowledgements_are_told.load(Ordering::Relaxed);
        if waited && !told && self.phase() == Phase::Sending {
            self.moved(bytes);
        }
    }

    /// Bytes that were written and that the client's side has not acknowledged; `None` where
    /// that cannot be known. What it has acknowledged since the last look is progress.
    ///
    /// A socket becomes writable again only when a third of its buffer is free, which a slow
    /// reader takes longer for than the reaper waits.
    pub(super) fn unread(&self) -> Option<u64> {
        let written = self.written.load(Ordering::Relaxed);
        let unacknowledged = self.send_queue.as_ref().and_then(SendQueue::unacknowledged);
        self.acknowledgements_are_told.store(unacknowledged.is_some(), Ordering::Relaxed);
        let unacknowledged = unacknowledged?;
        let acknowledged = written.saturating_sub(unacknowledged);
        let before = self.acknowledged.fetch_max(acknowledged, Ordering::Relaxed);
        let unread = if unacknowledged > END_BYTES { unacknowledged } else { 0 };
        if acknowledged > before && (unread > 0 || self.phase() == Phase::Sending) {
            self.moved(usize::try_from(acknowledged - before).unwrap_or(usize::MAX));
        }
        Some(unread)
    }

    /// Notes that the client sends nothing more, and whether it reads nothing more either.
    pub(super) fn client_ended(&self, gone: bool) {
        self.client_gone.store(gone, Ordering::Relaxed);
        self.client_ended.notify_one();
    }

    /// Waits until the client has gone, or has had the time of one that still reads.
    pub(super) async fn client_gone(&self) {
        self.client_ended.notified().await;
        if !self.client_gone.load(Ordering::Relaxed) {
            tokio::time::sleep(HALF_CLOSED_TIME).await;
        }
    }

    /// Notes that bytes were moved: at the least rate, they are worth so many milliseconds.
    pub(super) fn moved(&self, bytes: usize) {
        let bought_ms = u64::try_from(bytes).unwrap_or(u64::MAX) / BYTES_PER_MS_MIN;
        self.change(|moment| {
            let since_ms = moment.since_ms().saturating_add(bought_ms).min(self.clock.now_ms());
            Moment::new(moment.phase(), moment.answered(), since_ms)
        });
    }

    fn change(&self, next: impl Fn(Moment) -> Moment) -> bool {
        let next = |word: u64| {
            let moment = Moment(word);
            (moment.phase() != Phase::Closing).then(|| next(moment).0)
        };
        self.moment.fetch_update(Ordering::AcqRel, Ordering::Acquire, next).is_ok()
    }

    /// Closes the connection, unless it has done anything since the moment that the caller
    /// judged it by. Returns whether it is closed.
    pub(super) fn close(&self, seen: Moment, mode: CloseMode) -> bool {
        let closing = Moment::new(Phase::Closing, seen.answered(), seen.since_ms());
        let unchanged =
            self.moment.compare_exchange(seen.0, closing.0, Ordering::AcqRel, Ordering::Acquire);
        if unchanged.is_ok() {
            self.resets.store(mode == CloseMode::Reset, Ordering::Relaxed);
            self.abort();
        }
        unchanged.is_ok()
    }

    /// Whether the kernel is to drop what it has when the socket is closed.
    pub(super) fn resets(&self) -> bool {
        self.resets.load(Ordering::Relaxed)
    }

    /// Ends the task of the connection, whatever it is doing.
    pub(super) fn abort(&self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }

    /// Sets the task that serves the connection.
    pub(super) fn served_by(&self, task: AbortHandle) {
        // It is set once, right after the task was started.
        let _ = self.task.set(task);
    }

    /// Keeps a body that nobody read.
    pub(super) fn leave_unread(&self, body: Incoming) {
        *self.unread.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
    }

    /// The body that nobody read.
    pub(super) fn take_unread(&self) -> Option<Incoming> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> Connection {
        Connection::new(1, false, Arc::new(CoarseClock::new()), None)
    }

    #[test]
    fn a_moment_keeps_its_phase_its_time_and_whether_there_was_an_answer() {
        let phases = [
            Phase::Head,
            Phase::Busy,
            Phase::Receiving,
            Phase::AwaitingRoom,
            Phase::Sending,
            Phase::Lingering,
            Phase::Closing,
        ];
        for phase in phases {
            for answered in [false, true] {
                let moment = Moment::new(phase, answered, 12_345);
                let seen = (moment.phase(), moment.answered(), moment.since_ms());
                assert_eq!(seen, (phase, answered, 12_345));
            }
        }
    }

    #[test]
    fn a_connection_that_has_begun_a_request_since_it_was_judged_is_not_closed() {
        let connection = connection();
        let judged = connection.moment();
        assert!(connection.enter(Phase::Busy));
        assert!(!connection.close(judged, CloseMode::Finish));
        assert_eq!(connection.phase(), Phase::Busy);
    }

    #[test]
    fn a_connection_that_is_being_closed_begins_no_request() {
        let connection = connection();
        assert!(connection.close(connection.moment(), CloseMode::Finish));
        assert!(!connection.enter(Phase::Busy));
        assert_eq!(connection.phase(), Phase::Closing);
    }
}

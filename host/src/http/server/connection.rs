//! The state of one connection. Its own task updates the state; the reaper and eviction decide by
//! it whether the client is too slow.

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

/// The lowest rate at which a client that sends or reads counts as making progress, in bytes per
/// millisecond (4 KB per second).
pub(super) const BYTES_PER_MS_MIN: u64 = 4;

/// The kinds of activity of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// The connection waits for a request, or for the rest of a request's head.
    Head,
    /// A request is being handled. A connection in this phase is never closed by the reaper.
    Busy,
    /// The handler of a request waits for more of the request's body.
    Receiving,
    /// A request for a large answer waits until it is admitted. Nothing of it was carried out yet.
    AwaitingAdmission,
    /// An answer is being sent, and the client has to read before the rest can be.
    Sending,
    /// The last answer was sent. Bytes that the client still sends are read and dropped.
    Lingering,
    /// The connection is being closed and begins no further request.
    Closing,
}

/// The activity of a connection, packed into one word so that one atomic operation changes it: the
/// phase, whether the connection has had an answer before, and since when there has been no
/// progress. The time is the beginning of the phase, in milliseconds of the [`CoarseClock`]; each
/// byte of progress moves it forward.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Activity(u64);

/// How long a request may still take once its client has ended its side of the stream. A client
/// that has only closed its sending side reads the answer. A client that has gone looks the same to
/// the server, so the request of neither is worked on for longer.
const HALF_CLOSED_TIMEOUT: Duration = Duration::from_millis(100);

/// The kernel counts the end of the stream as one unacknowledged byte.
const END_OF_STREAM_BYTES: u64 = 1;

/// How a connection is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum CloseMode {
    /// The kernel goes on sending the bytes that it has.
    Finish,
    /// The kernel drops the bytes that it has and resets the connection.
    Reset,
}

/// How a client has ended its side of the stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum InputEnd {
    /// The client sends nothing more. It may still read.
    Closed,
    /// The client has reset the connection: it reads nothing more either.
    Reset,
}

// The layout of an `Activity`: three bits for the phase, one for `answered`, the time above them.
const PHASE_BITS: u64 = 0b0111;
const ANSWERED_BIT: u64 = 0b1000;
const TIME_SHIFT: u32 = 4;

impl Activity {
    fn new(phase: Phase, answered: bool, since_ms: u64) -> Self {
        let phase = match phase {
            Phase::Head => 0,
            Phase::Busy => 1,
            Phase::Receiving => 2,
            Phase::AwaitingAdmission => 3,
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
            3 => Phase::AwaitingAdmission,
            4 => Phase::Sending,
            5 => Phase::Lingering,
            _ => Phase::Closing,
        }
    }

    /// Returns whether the connection has had an answer before.
    pub(super) fn answered(self) -> bool {
        self.0 & ANSWERED_BIT != 0
    }

    /// Returns since when there has been no progress, in milliseconds of the clock.
    pub(super) fn since_ms(self) -> u64 {
        self.0 >> TIME_SHIFT
    }
}

/// The state of one connection, shared by the connection's task, the reaper and eviction.
#[derive(Debug)]
pub(super) struct Connection {
    /// The number of the connection in the order of arrival.
    pub(super) id: u64,
    /// Whether the connection was accepted above the limit.
    pub(super) surplus: bool,
    clock: Arc<CoarseClock>,
    /// The current [`Activity`].
    activity: AtomicU64,
    /// The body of a request that was answered before its body was read to the end.
    leftover_body: Mutex<Option<Incoming>>,
    /// The handle that aborts the task of the connection.
    task: OnceLock<AbortHandle>,
    /// The kernel's send queue of the socket; `None` where the kernel does not report it.
    send_queue: Option<SendQueue>,
    /// The number of bytes that were handed to the kernel.
    written: AtomicU64,
    /// The number of bytes that the client's TCP stack had acknowledged when the kernel was last
    /// asked.
    acknowledged: AtomicU64,
    /// Whether the kernel reported that number when it was last asked. Otherwise writes that had to
    /// wait count as progress instead.
    acknowledgements_known: AtomicBool,
    /// Whether hyper has not taken the whole body of a large answer yet.
    answer_body_open: AtomicBool,
    /// Whether closing the socket resets the connection, so that the kernel drops unsent bytes.
    resets: AtomicBool,
    /// Notified when the client ends its side of the stream.
    input_ended: Notify,
    /// Whether the client ended its side of the stream by a reset.
    client_reset: AtomicBool,
}

impl Connection {
    /// Creates the state of a connection that waits for its first request.
    pub(super) fn new(
        id: u64,
        surplus: bool,
        clock: Arc<CoarseClock>,
        send_queue: Option<SendQueue>,
    ) -> Self {
        let activity = Activity::new(Phase::Head, false, clock.now_ms());
        Self {
            id,
            surplus,
            clock,
            activity: AtomicU64::new(activity.0),
            leftover_body: Mutex::new(None),
            task: OnceLock::new(),
            send_queue,
            written: AtomicU64::new(0),
            acknowledged: AtomicU64::new(0),
            acknowledgements_known: AtomicBool::new(false),
            answer_body_open: AtomicBool::new(false),
            resets: AtomicBool::new(false),
            input_ended: Notify::new(),
            client_reset: AtomicBool::new(false),
        }
    }

    pub(super) fn activity(&self) -> Activity {
        Activity(self.activity.load(Ordering::Acquire))
    }

    pub(super) fn phase(&self) -> Phase {
        self.activity().phase()
    }

    /// Enters a phase, beginning now. Returns false where the connection is being closed: the
    /// caller must not begin anything on it then.
    #[must_use]
    pub(super) fn enter(&self, phase: Phase) -> bool {
        self.change(|activity| Activity::new(phase, activity.answered(), self.clock.now_ms()))
    }

    /// Begins to send the answer to a request; after a small answer the connection waits for the
    /// next request. Returns false where the connection is being closed.
    ///
    /// A large answer enters the phase `Sending` at once, so that a stopping server waits for it
    /// even before the first blocked write.
    pub(super) fn begin_answer(&self, large: bool) -> bool {
        self.answer_body_open.store(large, Ordering::Relaxed);
        let phase = if large { Phase::Sending } else { Phase::Head };
        self.change(|_| Activity::new(phase, true, self.clock.now_ms()))
    }

    /// Notes that hyper has taken the whole body of a large answer.
    pub(super) fn answer_body_ended(&self) {
        self.answer_body_open.store(false, Ordering::Relaxed);
    }

    /// Notes that hyper has written everything that it has taken so far.
    pub(super) fn flushed(&self) {
        if self.phase() == Phase::Sending && !self.answer_body_open.load(Ordering::Relaxed) {
            let _ = self.enter(Phase::Head);
        }
    }

    /// Notes a write that has to wait, after writes that did not have to.
    pub(super) fn write_blocked(&self) {
        // While a request is being handled, its own time limits apply.
        if matches!(self.phase(), Phase::Head | Phase::Sending) && self.enter(Phase::Sending) {
            // The call records the acknowledgements so far, which are no progress of this answer.
            self.unread_bytes();
        }
    }

    /// Notes bytes that were handed to the kernel. `waited` says whether the write had to wait.
    pub(super) fn wrote(&self, bytes: usize, waited: bool) {
        self.written.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
        let known = self.acknowledgements_known.load(Ordering::Relaxed);
        if waited && !known && self.phase() == Phase::Sending {
            self.credit_progress(bytes);
        }
    }

    /// Asks the kernel for the number of written bytes that the client's TCP stack has not
    /// acknowledged. Returns `None` where the kernel does not report it. Bytes that were
    /// acknowledged since the last call count as progress.
    ///
    /// Writability of the socket cannot be the measure: Linux reports it only when a third of the
    /// send buffer is free, and a slow reader needs longer for that than the reaper waits.
    pub(super) fn unread_bytes(&self) -> Option<u64> {
        let written = self.written.load(Ordering::Relaxed);
        let unacknowledged = self.send_queue.as_ref().and_then(SendQueue::unacknowledged);
        self.acknowledgements_known.store(unacknowledged.is_some(), Ordering::Relaxed);
        let unacknowledged = unacknowledged?;
        let acknowledged = written.saturating_sub(unacknowledged);
        let before = self.acknowledged.fetch_max(acknowledged, Ordering::Relaxed);
        let unread = if unacknowledged > END_OF_STREAM_BYTES { unacknowledged } else { 0 };
        if acknowledged > before && (unread > 0 || self.phase() == Phase::Sending) {
            self.credit_progress(usize::try_from(acknowledged - before).unwrap_or(usize::MAX));
        }
        Some(unread)
    }

    /// Notes that the client has ended its side of the stream.
    pub(super) fn input_ended(&self, end: InputEnd) {
        self.client_reset.store(end == InputEnd::Reset, Ordering::Relaxed);
        self.input_ended.notify_one();
    }

    /// Waits until the client has reset the connection, or `HALF_CLOSED_TIMEOUT` has passed since
    /// it closed its sending side.
    pub(super) async fn client_gone(&self) {
        self.input_ended.notified().await;
        if !self.client_reset.load(Ordering::Relaxed) {
            tokio::time::sleep(HALF_CLOSED_TIMEOUT).await;
        }
    }

    /// Counts bytes as progress: the time without progress begins later by as many milliseconds as
    /// the bytes take at the lowest rate, and at the latest now.
    pub(super) fn credit_progress(&self, bytes: usize) {
        let credit_ms = u64::try_from(bytes).unwrap_or(u64::MAX) / BYTES_PER_MS_MIN;
        self.change(|activity| {
            let since_ms = activity.since_ms().saturating_add(credit_ms).min(self.clock.now_ms());
            Activity::new(activity.phase(), activity.answered(), since_ms)
        });
    }

    /// Replaces the activity. Returns false, without a change, where the connection is being
    /// closed.
    fn change(&self, next: impl Fn(Activity) -> Activity) -> bool {
        let next = |word: u64| {
            let activity = Activity(word);
            (activity.phase() != Phase::Closing).then(|| next(activity).0)
        };
        self.activity.fetch_update(Ordering::AcqRel, Ordering::Acquire, next).is_ok()
    }

    /// Closes the connection where its activity is still the one that the caller has seen. Returns
    /// whether this call has closed it.
    pub(super) fn close(&self, seen: Activity, mode: CloseMode) -> bool {
        let closing = Activity::new(Phase::Closing, seen.answered(), seen.since_ms());
        let unchanged =
            self.activity.compare_exchange(seen.0, closing.0, Ordering::AcqRel, Ordering::Acquire);
        if unchanged.is_ok() {
            self.resets.store(mode == CloseMode::Reset, Ordering::Relaxed);
            self.abort();
        }
        unchanged.is_ok()
    }

    /// Returns whether closing the socket resets the connection.
    pub(super) fn resets(&self) -> bool {
        self.resets.load(Ordering::Relaxed)
    }

    /// Aborts the task of the connection, whatever it is doing.
    pub(super) fn abort(&self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }

    /// Sets the task that serves the connection.
    pub(super) fn set_task(&self, task: AbortHandle) {
        // The task is set only once, right after it was started, so that this cannot fail.
        let _ = self.task.set(task);
    }

    /// Keeps the rest of a request's body that its handler did not read.
    pub(super) fn leave_body(&self, body: Incoming) {
        *self.leftover_body.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
    }

    /// Takes the rest of the request's body; `None` where its handler has read all of it.
    pub(super) fn take_leftover_body(&self) -> Option<Incoming> {
        self.leftover_body.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> Connection {
        Connection::new(1, false, Arc::new(CoarseClock::new()), None)
    }

    #[test]
    fn an_activity_keeps_its_phase_its_time_and_whether_there_was_an_answer() {
        let phases = [
            Phase::Head,
            Phase::Busy,
            Phase::Receiving,
            Phase::AwaitingAdmission,
            Phase::Sending,
            Phase::Lingering,
            Phase::Closing,
        ];
        for phase in phases {
            for answered in [false, true] {
                let activity = Activity::new(phase, answered, 12_345);
                let seen = (activity.phase(), activity.answered(), activity.since_ms());
                assert_eq!(seen, (phase, answered, 12_345));
            }
        }
    }

    #[test]
    fn a_connection_that_has_begun_a_request_since_it_was_seen_is_not_closed() {
        let connection = connection();
        let seen = connection.activity();
        assert!(connection.enter(Phase::Busy));
        assert!(!connection.close(seen, CloseMode::Finish));
        assert_eq!(connection.phase(), Phase::Busy);
    }

    #[test]
    fn a_connection_that_is_being_closed_begins_no_request() {
        let connection = connection();
        assert!(connection.close(connection.activity(), CloseMode::Finish));
        assert!(!connection.enter(Phase::Busy));
        assert_eq!(connection.phase(), Phase::Closing);
    }
}

use super::*;
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
};

/// The connections of a server without clients.
struct Harness {
    connections: Arc<Connections>,
    clock: Arc<CoarseClock>,
    guards: Vec<ConnectionGuard>,
}

impl Harness {
    fn new(max: usize, timeouts: Timeouts) -> Self {
        let clock = Arc::new(CoarseClock::new());
        let connections = Arc::new(Connections::new(max, timeouts, Arc::clone(&clock)));
        Self { connections, clock, guards: Vec::new() }
    }

    /// Opens a connection.
    async fn open(&mut self) -> Arc<Connection> {
        let slot = self.connections.slot().await.unwrap();
        let (connection, guard) = self.connections.add(slot, false, None);
        self.guards.push(guard);
        connection
    }

    /// Opens a connection whose large answer is being sent to a client that has not read any of it.
    async fn open_unread(&mut self) -> Unread {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut stream, peer) = listener.accept().unwrap();
        let local = stream.local_addr().unwrap();
        let queue = SendQueue::new(self.connections.send_queues.as_ref().unwrap(), local, peer);
        let slot = self.connections.slot().await.unwrap();
        let (connection, guard) = self.connections.add(slot, false, Some((local, peer)));
        self.guards.push(guard);
        assert!(connection.enter(Phase::Busy) && connection.begin_answer(true));
        stream.set_nonblocking(true).unwrap();
        let mut sent = 0;
        while let Ok(bytes) = stream.write(&[0; 65_536]) {
            connection.wrote(bytes, false);
            sent += bytes as u64;
        }
        connection.write_blocked();
        Unread { client, _stream: stream, connection, queue, sent }
    }

    /// Advances the clock to a advance millisecond.
    fn advance(&self) {
        let now = self.clock.now_ms();
        while self.clock.tick() == now {
            std::hint::spin_loop();
        }
    }
}

/// A connection with an answer that its client has not read.
struct Unread {
    client: TcpStream,
    _stream: TcpStream,
    connection: Arc<Connection>,
    queue: SendQueue,
    /// The number of bytes that were handed to the kernel.
    sent: u64,
}

/// Timeouts with which every connection may be evicted at once.
const HASTY: Timeouts = Timeouts { header_ms: 60_000, write_ms: 60_000, evictable_after_ms: 0 };

#[tokio::test]
async fn new_connections_are_evicted_first_then_unread_answers_then_idle_connections() {
    let mut harness = Harness::new(8, HASTY);
    let receiving = harness.open().await;
    assert!(receiving.enter(Phase::Receiving));
    let idle = harness.open().await;
    assert!(idle.enter(Phase::Busy) && idle.begin_answer(false));
    let unread = harness.open().await;
    assert!(unread.enter(Phase::Busy) && unread.begin_answer(false));
    assert!(unread.enter(Phase::Sending));
    let busy = harness.open().await;
    assert!(busy.enter(Phase::Busy));
    let new = harness.open().await;
    let mut evictor = Evictor::default();
    for next in [&new, &unread, &idle, &receiving] {
        assert_ne!(next.phase(), Phase::Closing);
        assert!(evictor.evict_one(&harness.connections));
        assert_eq!(next.phase(), Phase::Closing);
    }
    assert!(
        !evictor.evict_one(&harness.connections),
        "a connection whose request is being handled is never evicted"
    );
    assert_eq!(busy.phase(), Phase::Busy);
    assert_eq!(harness.connections.evicted(), 4);
}

#[tokio::test]
async fn the_connection_idle_longest_is_evicted() {
    let mut harness = Harness::new(3, HASTY);
    let mut idle = Vec::new();
    for _ in 0..3 {
        idle.push(harness.open().await);
    }
    for i in [1, 2, 0] {
        harness.advance();
        assert!(idle[i].enter(Phase::Busy) && idle[i].begin_answer(false));
    }
    let mut evictor = Evictor::default();
    for i in [1, 2, 0] {
        assert!(evictor.evict_one(&harness.connections));
        assert_eq!(idle[i].phase(), Phase::Closing);
    }
}

#[tokio::test]
async fn a_connection_that_made_progress_is_not_evicted() {
    let patient = Timeouts { evictable_after_ms: 60_000, ..HASTY };
    let mut harness = Harness::new(1, patient);
    let used = harness.open().await;
    assert!(used.enter(Phase::Busy) && used.begin_answer(false));
    assert!(!Evictor::default().evict_one(&harness.connections));
}

#[tokio::test]
async fn a_connection_that_awaits_admission_is_evicted_last() {
    let mut harness = Harness::new(2, HASTY);
    let waiting = harness.open().await;
    assert!(waiting.enter(Phase::AwaitingAdmission));
    harness.advance();
    let unfinished = harness.open().await;
    assert!(unfinished.enter(Phase::Receiving));
    harness.advance();
    let mut evictor = Evictor::default();
    assert!(evictor.evict_one(&harness.connections));
    assert_eq!(unfinished.phase(), Phase::Closing);
    assert_eq!(waiting.phase(), Phase::AwaitingAdmission);
}

#[tokio::test]
async fn a_dropped_guard_removes_its_connection() {
    let mut harness = Harness::new(1, HASTY);
    let _first = harness.open().await;
    assert!(!harness.connections.is_over_limit());
    let _second = harness.open().await;
    assert!(harness.connections.is_over_limit());
    // A slot alone does not count as a connection.
    let _slot = harness.connections.slot().await;
    assert_eq!(harness.connections.count(), 2);
    harness.guards.clear();
    assert_eq!(harness.connections.count(), 0);
    assert!(harness.connections.lock().is_empty());
}

#[tokio::test]
async fn each_byte_that_a_slow_client_reads_extends_its_time() {
    let timeouts = Timeouts { write_ms: 5, ..HASTY };
    let mut harness = Harness::new(1, timeouts);
    let slow = harness.open().await;
    assert!(slow.begin_answer(false) && slow.enter(Phase::Sending));
    let begun_ms = slow.activity().since_ms();
    while harness.clock.now_ms() < begun_ms + 10 {
        harness.advance();
    }
    slow.credit_progress(20);
    assert_eq!(slow.activity().since_ms(), begun_ms + 5);
    slow.credit_progress(1_000_000);
    assert_eq!(slow.activity().since_ms(), harness.clock.now_ms());
    harness.connections.reap(harness.clock.now_ms(), false);
    assert_eq!(slow.phase(), Phase::Sending);
    harness.connections.reap(harness.clock.now_ms() + 6, false);
    assert_eq!(slow.phase(), Phase::Closing);
}

#[tokio::test]
async fn a_server_that_stops_waits_for_a_large_answer_before_its_first_write_has_to_wait() {
    let mut harness = Harness::new(2, HASTY);
    let small = harness.open().await;
    assert!(small.enter(Phase::Busy) && small.begin_answer(false));
    let large = harness.open().await;
    assert!(large.enter(Phase::Busy) && large.begin_answer(true));
    large.flushed();
    assert_eq!(large.phase(), Phase::Sending, "a part of the answer is not all of it");
    assert_eq!(harness.connections.close_idle(), 1);
    assert_eq!((small.phase(), large.phase()), (Phase::Closing, Phase::Sending));
    large.answer_body_ended();
    large.flushed();
    assert_eq!(harness.connections.close_idle(), 0);
    assert_eq!(large.phase(), Phase::Closing);
}

#[tokio::test]
async fn bytes_that_a_client_has_read_count_before_more_can_be_written() {
    let mut harness = Harness::new(1, Timeouts { write_ms: 5, ..HASTY });
    let mut answer = harness.open_unread().await;
    let connection = Arc::clone(&answer.connection);
    let unread = answer.queue.unacknowledged().unwrap();
    let begun_ms = connection.activity().since_ms();
    while harness.clock.now_ms() < begun_ms + 10 {
        harness.advance();
    }
    // One byte more than the client's TCP stack had taken before the client read any.
    let taken = usize::try_from(answer.sent - unread).unwrap();
    answer.client.read_exact(&mut vec![0; taken + 1]).unwrap();
    while answer.queue.unacknowledged() == Some(unread) {
        std::thread::yield_now();
    }
    harness.connections.reap(harness.clock.now_ms(), false);
    assert_eq!(connection.phase(), Phase::Sending);
    assert!(connection.activity().since_ms() > begun_ms);
    harness.connections.reap(harness.clock.now_ms() + 6, false);
    assert_eq!(connection.phase(), Phase::Closing);
    assert!(connection.resets(), "the kernel would keep what nobody reads");
}

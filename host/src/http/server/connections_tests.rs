use super::*;
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
};

struct Party {
    connections: Arc<Connections>,
    clock: Arc<CoarseClock>,
    places: Vec<Place>,
}

impl Party {
    fn new(max: usize, times: Times) -> Self {
        let clock = Arc::new(CoarseClock::new());
        let connections = Arc::new(Connections::new(max, times, Arc::clone(&clock)));
        Self { connections, clock, places: Vec::new() }
    }

    async fn arrive(&mut self) -> Arc<Connection> {
        let slot = self.connections.slot().await.unwrap();
        let (connection, place) = self.connections.add(slot, false, None);
        self.places.push(place);
        connection
    }

    /// A connection whose large answer is being sent to a client that has not read any of it.
    async fn arrive_deaf(&mut self) -> Deaf {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut stream, peer) = listener.accept().unwrap();
        let local = stream.local_addr().unwrap();
        let queue = SendQueue::new(self.connections.send_queues.as_ref().unwrap(), local, peer);
        let slot = self.connections.slot().await.unwrap();
        let (connection, place) = self.connections.add(slot, false, Some((local, peer)));
        self.places.push(place);
        assert!(connection.enter(Phase::Busy) && connection.answered(true));
        stream.set_nonblocking(true).unwrap();
        let mut sent = 0;
        while let Ok(bytes) = stream.write(&[0; 65_536]) {
            connection.wrote(bytes, false);
            sent += bytes as u64;
        }
        connection.blocked();
        Deaf { client, _stream: stream, connection, queue, sent }
    }

    /// Lets the clock show a later time.
    fn later(&self) {
        let now = self.clock.now_ms();
        while self.clock.tick() == now {
            std::hint::spin_loop();
        }
    }
}

struct Deaf {
    client: TcpStream,
    _stream: TcpStream,
    connection: Arc<Connection>,
    queue: SendQueue,
    sent: u64,
}

/// Everything may give way at once.
const HASTY: Times = Times { header_ms: 60_000, write_ms: 60_000, patience_ms: 0 };

#[tokio::test]
async fn strangers_give_way_first_then_those_that_do_not_read_then_the_idle() {
    let mut party = Party::new(8, HASTY);
    let receiving = party.arrive().await;
    assert!(receiving.enter(Phase::Receiving));
    let idle = party.arrive().await;
    assert!(idle.enter(Phase::Busy) && idle.answered(false));
    let deaf = party.arrive().await;
    assert!(deaf.enter(Phase::Busy) && deaf.answered(false) && deaf.enter(Phase::Sending));
    let busy = party.arrive().await;
    assert!(busy.enter(Phase::Busy));
    let stranger = party.arrive().await;
    let mut room = RoomMaker::default();
    for next in [&stranger, &deaf, &idle, &receiving] {
        assert_ne!(next.phase(), Phase::Closing);
        assert!(room.close_one(&party.connections));
        assert_eq!(next.phase(), Phase::Closing);
    }
    assert!(!room.close_one(&party.connections), "a request that is handled gives way to nobody");
    assert_eq!(busy.phase(), Phase::Busy);
    assert_eq!(party.connections.gave_way(), 4);
}

#[tokio::test]
async fn the_connection_idle_longest_gives_way() {
    let mut party = Party::new(3, HASTY);
    let mut idle = Vec::new();
    for _ in 0..3 {
        idle.push(party.arrive().await);
    }
    for i in [1, 2, 0] {
        party.later();
        assert!(idle[i].enter(Phase::Busy) && idle[i].answered(false));
    }
    let mut room = RoomMaker::default();
    for i in [1, 2, 0] {
        assert!(room.close_one(&party.connections));
        assert_eq!(idle[i].phase(), Phase::Closing);
    }
}

#[tokio::test]
async fn a_connection_in_use_does_not_give_way() {
    let patient = Times { patience_ms: 60_000, ..HASTY };
    let mut party = Party::new(1, patient);
    let used = party.arrive().await;
    assert!(used.enter(Phase::Busy) && used.answered(false));
    assert!(!RoomMaker::default().close_one(&party.connections));
}

#[tokio::test]
async fn who_waits_for_room_for_an_answer_gives_way_last() {
    let mut party = Party::new(2, HASTY);
    let waiting = party.arrive().await;
    assert!(waiting.enter(Phase::AwaitingRoom));
    party.later();
    let unfinished = party.arrive().await;
    assert!(unfinished.enter(Phase::Receiving));
    party.later();
    let mut room = RoomMaker::default();
    assert!(room.close_one(&party.connections));
    assert_eq!(unfinished.phase(), Phase::Closing);
    assert_eq!(waiting.phase(), Phase::AwaitingRoom);
}

#[tokio::test]
async fn a_place_is_free_again_when_its_connection_has_gone() {
    let mut party = Party::new(1, HASTY);
    let _first = party.arrive().await;
    assert!(!party.connections.is_over_limit());
    let _second = party.arrive().await;
    assert!(party.connections.is_over_limit());
    // A slot is no connection yet.
    let _slot = party.connections.slot().await;
    assert_eq!(party.connections.count(), 2);
    party.places.clear();
    assert_eq!(party.connections.count(), 0);
    assert!(party.connections.lock().is_empty());
}

#[tokio::test]
async fn a_client_that_reads_slowly_buys_time_by_the_byte() {
    let times = Times { write_ms: 5, ..HASTY };
    let mut party = Party::new(1, times);
    let slow = party.arrive().await;
    assert!(slow.answered(false) && slow.enter(Phase::Sending));
    let begun_ms = slow.moment().since_ms();
    while party.clock.now_ms() < begun_ms + 10 {
        party.later();
    }
    slow.moved(20);
    assert_eq!(slow.moment().since_ms(), begun_ms + 5);
    slow.moved(1_000_000);
    assert_eq!(slow.moment().since_ms(), party.clock.now_ms());
    party.connections.reap(party.clock.now_ms(), false);
    assert_eq!(slow.phase(), Phase::Sending);
    party.connections.reap(party.clock.now_ms() + 6, false);
    assert_eq!(slow.phase(), Phase::Closing);
}

#[tokio::test]
async fn a_server_that_stops_waits_for_a_large_answer_before_its_first_write_has_to_wait() {
    let mut party = Party::new(2, HASTY);
    let small = party.arrive().await;
    assert!(small.enter(Phase::Busy) && small.answered(false));
    let large = party.arrive().await;
    assert!(large.enter(Phase::Busy) && large.answered(true));
    large.flushed();
    assert_eq!(large.phase(), Phase::Sending, "a part of the answer is not all of it");
    assert_eq!(party.connections.close_idle(), 1);
    assert_eq!((small.phase(), large.phase()), (Phase::Closing, Phase::Sending));
    large.body_ended();
    large.flushed();
    assert_eq!(party.connections.close_idle(), 0);
    assert_eq!(large.phase(), Phase::Closing);
}

#[tokio::test]
async fn what_a_client_has_read_counts_before_more_can_be_written() {
    let mut party = Party::new(1, Times { write_ms: 5, ..HASTY });
    let mut deaf = party.arrive_deaf().await;
    let connection = Arc::clone(&deaf.connection);
    let unread = deaf.queue.unacknowledged().unwrap();
    let begun_ms = connection.moment().since_ms();
    while party.clock.now_ms() < begun_ms + 10 {
        party.later();
    }
    // More than the client's side had taken before it read any.
    let taken = usize::try_from(deaf.sent - unread).unwrap();
    deaf.client.read_exact(&mut vec![0; taken + 1]).unwrap();
    while deaf.queue.unacknowledged() == Some(unread) {
        std::thread::yield_now();
    }
    party.connections.reap(party.clock.now_ms(), false);
    assert_eq!(connection.phase(), Phase::Sending);
    assert!(connection.moment().since_ms() > begun_ms);
    party.connections.reap(party.clock.now_ms() + 6, false);
    assert_eq!(connection.phase(), Phase::Closing);
    assert!(connection.resets(), "the kernel would keep what nobody reads");
}

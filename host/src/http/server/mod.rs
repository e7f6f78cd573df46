//! Connections: accepted, bounded, timed, and let finish when the process ends. No client can
//! hurt another by how it uses its connection: what a client holds is bounded together with what
//! all others hold, and whoever makes no progress gives way.

mod answers;
mod clock;
mod connection;
mod connections;
mod head;
mod request;
mod request_body;
mod send_queue;
mod stream;

use crate::config::{Config, TrustedCaller};
use answers::Answers;
use axum::{Router, http::HeaderName};
use clock::CoarseClock;
use connections::{Connections, Place, RoomMaker, Times};
use hyper::{server::conn::http1, service::service_fn};
use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};
use stream::WatchedStream;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::OwnedSemaphorePermit,
    time::Instant,
};

/// The largest head of a request.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// The longest request id that is taken from a client.
const REQUEST_ID_BYTES_MAX: usize = 128;

/// Requests of operators have a longer limit: compiling a large component takes a minute.
const ADMIN: &str = "/v1/admin/";
const ADMIN_TIMEOUT: Duration = Duration::from_mins(15);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// After a refused `accept`, such as out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The shortest time between two lines in the log about refused `accept`s.
const ACCEPT_LOG_PAUSE: Duration = Duration::from_secs(1);

/// Connections that the operating system keeps until they are accepted.
const BACKLOG: u32 = 1_024;

/// Bytes of an answer that the operating system buffers for each connection, which would be
/// megabytes if it were left to grow for clients that do not read.
const SEND_BUFFER_BYTES: u32 = 128 * 1024;

/// The pause between two passes of the reaper: a part of the shortest time that connections are
/// held to, within bounds.
const TICK_PART: u32 = 8;
const TICK_MIN: Duration = Duration::from_millis(10);
const TICK_MAX: Duration = Duration::from_millis(250);

/// Between two looks at what is still open when the server stops.
const DRAIN_TICK: Duration = Duration::from_millis(10);

/// Time for the tasks of connections to end once they were told to.
const ABORT_TIME: Duration = Duration::from_millis(250);

/// What the server counts and bounds over all its connections.
#[derive(Debug)]
pub struct Traffic {
    clock: Arc<CoarseClock>,
    connections: Arc<Connections>,
    answers: Arc<Answers>,
    tick: Duration,
    request_timeout: Duration,
    room_timeout: Duration,
    drain_timeout: Duration,
    trusted_caller: Option<TrustedCaller>,
}

/// What the metrics say about connections and answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct TrafficReading {
    pub(super) connections: usize,
    pub(super) gave_way: u64,
    pub(super) answers_bytes: usize,
    pub(super) answers_refused: u64,
}

impl Traffic {
    /// The bounds of a configuration, with nothing open yet.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let clock = Arc::new(CoarseClock::new());
        let times = Times::new(config.header_timeout, config.write_timeout);
        let shortest = config.header_timeout.min(config.write_timeout);
        let connections = Connections::new(config.connections_max, times, Arc::clone(&clock));
        Self {
            clock,
            connections: Arc::new(connections),
            answers: Arc::new(Answers::new(config.answers_bytes_max, config.engine.readers_max)),
            tick: (shortest / TICK_PART).clamp(TICK_MIN, TICK_MAX),
            // The limit on the body ends a slow body first.
            request_timeout: config.request_timeout.saturating_mul(2),
            room_timeout: config.request_timeout,
            drain_timeout: config.drain_timeout,
            trusted_caller: config.trusted_caller.clone(),
        }
    }

    pub(super) fn read(&self) -> TrafficReading {
        TrafficReading {
            connections: self.connections.count(),
            gave_way: self.connections.gave_way(),
            answers_bytes: self.answers.held(),
            answers_refused: self.answers.refused(),
        }
    }
}

/// What answers the requests of all connections.
struct Server {
    router: Router,
    connections: Arc<Connections>,
    answers: Arc<Answers>,
    request_timeout: Duration,
    room_timeout: Duration,
    trusted_caller: Option<TrustedCaller>,
}

/// A socket that listens on an address, for [`serve`].
///
/// # Errors
/// The address cannot be listened on.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A server that is started again does not wait for the connections of the one before.
    socket.set_reuseaddr(true)?;
    // Accepted sockets have it from the one that listens.
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `stop` resolves, then lets open requests finish, for a while.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    traffic: &Traffic,
    stop: impl Future<Output = ()>,
) {
    let connections = &traffic.connections;
    let server = Arc::new(Server {
        router,
        connections: Arc::clone(connections),
        answers: Arc::clone(&traffic.answers),
        request_timeout: traffic.request_timeout,
        room_timeout: traffic.room_timeout,
        trusted_caller: traffic.trusted_caller.clone(),
    });
    tokio::select! {
        () = stop => {}
        () = accept_all(listener, &server, traffic.tick) => {}
        () = reap(traffic) => {}
    }
    connections.stop();
    let drained = tokio::select! {
        drained = tokio::time::timeout(traffic.drain_timeout, drain(connections)) => drained,
        () = reap(traffic) => Ok(()),
    };
    if drained.is_err() {
        let (drain_timeout, open) = (traffic.drain_timeout, connections.close_idle());
        tracing::warn!(?drain_timeout, open, "requests were still open");
    }
    let _ = tokio::time::timeout(ABORT_TIME, async {
        while connections.count() > 0 {
            connections.abort_all();
            tokio::time::sleep(DRAIN_TICK).await;
        }
    })
    .await;
}

/// Moves the clock on and closes what has used up its time, for as long as it is polled.
async fn reap(traffic: &Traffic) {
    loop {
        tokio::time::sleep(traffic.tick).await;
        let now_ms = traffic.clock.tick();
        traffic.connections.reap(now_ms, traffic.answers.are_awaited());
    }
}

/// Waits until no request is open.
async fn drain(connections: &Connections) {
    while connections.close_idle() > 0 {
        tokio::time::sleep(DRAIN_TICK).await;
    }
}

/// Accepts connections for as long as it is polled. Where there are as many as there may be,
/// the one that needs its place least gives way.
async fn accept_all(listener: TcpListener, server: &Arc<Server>, tick: Duration) {
    let connections = &server.connections;
    let mut room = RoomMaker::default();
    let mut logged: Option<Instant> = None;
    loop {
        let slot = slot(connections, &mut room, tick).await;
        match listener.accept().await {
            Ok((stream, peer)) => {
                let surplus = connections.is_full() && !room.close_one(connections);
                // Answers are small and waited for. A client that has gone already is no error.
                let _ = stream.set_nodelay(true);
                let ends = stream.local_addr().ok().map(|local| (local, peer));
                let (connection, place) = connections.add(slot, surplus, ends);
                let task = tokio::spawn(connect(
                    (stream, peer),
                    Arc::clone(server),
                    Arc::clone(&connection),
                    place,
                ));
                connection.served_by(task.abort_handle());
            }
            Err(error) if is_of_one_client(&error) => {}
            Err(error) => {
                // Most likely out of file descriptors.
                let gave_way = room.close_one(connections);
                if logged.is_none_or(|logged| logged.elapsed() >= ACCEPT_LOG_PAUSE) {
                    logged = Some(Instant::now());
                    let open = connections.count();
                    tracing::warn!(%error, open, gave_way, "a connection could not be accepted");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// A slot for a connection. Where even those above the limit are taken, others give way as soon
/// as they may.
async fn slot(
    connections: &Arc<Connections>,
    room: &mut RoomMaker,
    tick: Duration,
) -> OwnedSemaphorePermit {
    loop {
        match tokio::time::timeout(tick, connections.slot()).await {
            Ok(Some(slot)) => return slot,
            // The semaphore is never closed.
            Ok(None) => std::future::pending().await,
            Err(_) => {
                room.close_one(connections);
            }
        }
    }
}

/// Whether a failure of `accept` is about one client that has gone again.
fn is_of_one_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}

async fn connect(
    (stream, peer): (TcpStream, SocketAddr),
    server: Arc<Server>,
    connection: Arc<connection::Connection>,
    place: Place,
) {
    let unread_ms = server.connections.write_ms();
    let stream = WatchedStream::new(stream, Arc::clone(&connection), unread_ms);
    let service = service_fn(move |request| {
        request::answer(Arc::clone(&server), Arc::clone(&connection), peer.ip(), request)
    });
    let served = http1::Builder::new()
        // The reaper closes slow connections, without a timer for each request.
        .header_read_timeout(None)
        // A client may close its sending side once it has asked; `WatchedStream` notices those
        // that have gone.
        .half_close(true)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(stream, service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
    drop(place);
}

#[cfg(test)]
mod tests;

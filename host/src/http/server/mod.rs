//! The HTTP server: accepts connections, bounds and times them, and drains them when the process
//! stops.
//!
//! No client can take the server away from the others. The number of connections, the bytes of
//! request bodies and the bytes of unsent answers are bounded over all clients together. Where a
//! bound is reached, a connection without progress is closed in favour of a new one (eviction).

mod clock;
mod connection;
mod connections;
mod head;
mod request;
mod request_body;
mod send_queue;
mod stream;
mod unsent;

use crate::config::{Config, TrustedCaller};
use axum::{Router, http::HeaderName};
use clock::CoarseClock;
use connections::{ConnectionGuard, Connections, Evictor, Timeouts};
use hyper::{server::conn::http1, service::service_fn};
use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};
use stream::WatchedStream;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::OwnedSemaphorePermit,
    time::Instant,
};
use unsent::UnsentAnswers;

/// The largest head of a request (request line and headers), in bytes.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// The longest `X-Request-Id` that the server takes over from a client, in bytes.
const REQUEST_ID_BYTES_MAX: usize = 128;

/// The beginning of the paths of the admin routes.
const ADMIN: &str = "/v1/admin/";

/// The time limit of requests to the admin routes: compiling a large component takes a minute.
const ADMIN_TIMEOUT: Duration = Duration::from_mins(15);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The pause after an `accept` that failed, for example because the process has no file descriptors
/// left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The shortest time between two log lines about an `accept` that failed.
const ACCEPT_LOG_PAUSE: Duration = Duration::from_secs(1);

/// The number of connections that the operating system queues until the server accepts them.
const BACKLOG: u32 = 1_024;

/// The size of the operating system's send buffer of each connection. Without a limit, the buffer
/// of a client that does not read would grow to megabytes.
const SEND_BUFFER_BYTES: u32 = 128 * 1024;

/// The interval between two passes of the reaper is the shortest timeout of connections divided by
/// this, clamped to `TICK_MIN..=TICK_MAX`.
const TICKS_PER_TIMEOUT: u32 = 8;
const TICK_MIN: Duration = Duration::from_millis(10);
const TICK_MAX: Duration = Duration::from_millis(250);

/// The interval at which a stopping server looks for requests that are still open.
const DRAIN_TICK: Duration = Duration::from_millis(10);

/// How long a stopping server waits for the aborted tasks of connections to end.
const ABORT_TIMEOUT: Duration = Duration::from_millis(250);

/// The limits over all connections, and the counts that they are held against. The server enforces
/// them, and the metrics report them.
#[derive(Debug)]
pub struct Traffic {
    clock: Arc<CoarseClock>,
    connections: Arc<Connections>,
    unsent: Arc<UnsentAnswers>,
    /// The interval between two passes of the reaper.
    tick: Duration,
    /// The time limit of queries. Commands have one of their own in the engine.
    request_timeout: Duration,
    /// How long a request for a large answer waits until it may begin.
    admission_timeout: Duration,
    /// How long a stopping server waits for open requests.
    drain_timeout: Duration,
    /// How a trusted proxy names the caller; `None` where no proxy is trusted.
    trusted_caller: Option<TrustedCaller>,
}

/// The values of the metrics about connections and unsent answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct TrafficReading {
    /// The number of open connections.
    pub(super) connections: usize,
    /// The number of connections that were evicted since the start.
    pub(super) evicted: u64,
    /// The bytes of large answers that were made and not sent yet.
    pub(super) unsent_bytes: usize,
    /// The number of requests that were refused since the start because too many bytes of answers
    /// were unsent.
    pub(super) refused: u64,
}

impl Traffic {
    /// Creates the limits of a configuration; no connection is open yet.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let clock = Arc::new(CoarseClock::new());
        let timeouts = Timeouts::new(config.header_timeout, config.write_timeout);
        let shortest = config.header_timeout.min(config.write_timeout);
        let connections = Connections::new(config.connections_max, timeouts, Arc::clone(&clock));
        Self {
            clock,
            connections: Arc::new(connections),
            unsent: Arc::new(UnsentAnswers::new(
                config.answers_bytes_max,
                config.engine.readers_max,
            )),
            tick: (shortest / TICKS_PER_TIMEOUT).clamp(TICK_MIN, TICK_MAX),
            // Twice the limit on receiving the body, so that a slow body is refused as such.
            request_timeout: config.request_timeout.saturating_mul(2),
            admission_timeout: config.request_timeout,
            drain_timeout: config.drain_timeout,
            trusted_caller: config.trusted_caller.clone(),
        }
    }

    pub(super) fn read(&self) -> TrafficReading {
        TrafficReading {
            connections: self.connections.count(),
            evicted: self.connections.evicted(),
            unsent_bytes: self.unsent.bytes(),
            refused: self.unsent.refused(),
        }
    }
}

/// The parts of the server that every request needs, shared by the tasks of all connections.
struct Server {
    router: Router,
    connections: Arc<Connections>,
    unsent: Arc<UnsentAnswers>,
    request_timeout: Duration,
    admission_timeout: Duration,
    trusted_caller: Option<TrustedCaller>,
}

/// Opens the socket that [`serve`] accepts connections from.
///
/// # Errors
/// The operating system does not let the process listen on the address.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Otherwise a restarted server could not bind while connections of the process before it wait
    // in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    // Accepted sockets inherit the size of the send buffer.
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `stop` resolves, then waits for open requests until the drain timeout, and closes
/// the connections that are left.
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
        unsent: Arc::clone(&traffic.unsent),
        request_timeout: traffic.request_timeout,
        admission_timeout: traffic.admission_timeout,
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
    let _ = tokio::time::timeout(ABORT_TIMEOUT, async {
        while connections.count() > 0 {
            connections.abort_all();
            tokio::time::sleep(DRAIN_TICK).await;
        }
    })
    .await;
}

/// The reaper: advances the clock and closes the connections that have exceeded a timeout, once per
/// tick, for as long as the future is polled.
async fn reap(traffic: &Traffic) {
    loop {
        tokio::time::sleep(traffic.tick).await;
        let now_ms = traffic.clock.tick();
        traffic.connections.reap(now_ms, traffic.unsent.has_waiters());
    }
}

/// Waits until no request is open, and closes idle connections meanwhile.
async fn drain(connections: &Connections) {
    while connections.close_idle() > 0 {
        tokio::time::sleep(DRAIN_TICK).await;
    }
}

/// Accepts connections for as long as the future is polled. At the limit on connections, each new
/// one evicts an open one.
async fn accept_all(listener: TcpListener, server: &Arc<Server>, tick: Duration) {
    let connections = &server.connections;
    let mut evictor = Evictor::default();
    let mut logged: Option<Instant> = None;
    loop {
        let slot = free_slot(connections, &mut evictor, tick).await;
        match listener.accept().await {
            Ok((stream, peer)) => {
                let surplus = connections.is_full() && !evictor.evict_one(connections);
                // Nagle's algorithm would delay answers, which are small. The call fails only where
                // the client has gone already.
                let _ = stream.set_nodelay(true);
                let ends = stream.local_addr().ok().map(|local| (local, peer));
                let (connection, guard) = connections.add(slot, surplus, ends);
                let task = tokio::spawn(serve_connection(
                    (stream, peer),
                    Arc::clone(server),
                    Arc::clone(&connection),
                    guard,
                ));
                connection.set_task(task.abort_handle());
            }
            Err(error) if is_of_one_client(&error) => {}
            Err(error) => {
                // The process most likely has no file descriptor left: an eviction frees one.
                let evicted = evictor.evict_one(connections);
                if logged.is_none_or(|logged| logged.elapsed() >= ACCEPT_LOG_PAUSE) {
                    logged = Some(Instant::now());
                    let open = connections.count();
                    tracing::warn!(%error, open, evicted, "a connection could not be accepted");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Waits for a free slot for one more connection. While every slot is taken, also those above the
/// limit, one connection is evicted per tick.
async fn free_slot(
    connections: &Arc<Connections>,
    evictor: &mut Evictor,
    tick: Duration,
) -> OwnedSemaphorePermit {
    loop {
        match tokio::time::timeout(tick, connections.slot()).await {
            Ok(Some(slot)) => return slot,
            // The semaphore is never closed.
            Ok(None) => std::future::pending().await,
            Err(_) => {
                evictor.evict_one(connections);
            }
        }
    }
}

/// Returns whether an `accept` failed only because its client has closed the connection already.
fn is_of_one_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}

/// Serves the requests of one connection until it ends.
async fn serve_connection(
    (stream, peer): (TcpStream, SocketAddr),
    server: Arc<Server>,
    connection: Arc<connection::Connection>,
    guard: ConnectionGuard,
) {
    let unread_timeout_ms = server.connections.write_timeout_ms();
    let stream = WatchedStream::new(stream, Arc::clone(&connection), unread_timeout_ms);
    let service = service_fn(move |request| {
        request::answer(Arc::clone(&server), Arc::clone(&connection), peer.ip(), request)
    });
    let served = http1::Builder::new()
        // The reaper times the head instead: a timer for each request would cost more.
        .header_read_timeout(None)
        // A client may close its sending side after a request and still read the answer.
        // `WatchedStream` notices clients that have gone.
        .half_close(true)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(stream, service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
    drop(guard);
}

#[cfg(test)]
mod tests;

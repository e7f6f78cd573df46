//! Connections: accepted, bounded, timed, logged, and let finish when the process ends.

use super::problem::{Problem, ProblemCode};
use axum::{
    Router,
    extract::Request,
    http::{HeaderName, HeaderValue, Method},
    response::Response,
};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use std::{
    convert::Infallible,
    future::Future,
    io,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tower::ServiceExt;

/// The bounds of the server.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Open connections; more wait to be accepted.
    pub connections_max: usize,
    /// Time for a request's head, and for the pause between requests.
    pub header_timeout: Duration,
    /// Time for a whole request.
    pub request_timeout: Duration,
    /// Time for open requests once the server is told to stop.
    pub drain_timeout: Duration,
}

/// The largest head of a request.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// The longest request id that is taken from a client.
const REQUEST_ID_BYTES_MAX: usize = 128;

/// What operators ask for takes its time: a large component a minute to compile.
const ADMIN: &str = "/v1/admin/";
const ADMIN_TIMEOUT: Duration = Duration::from_mins(15);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// After a refused `accept`, such as out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` resolves, then lets open requests finish, for a while.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    stop: impl Future<Output = ()>,
) {
    let slots = Arc::new(Semaphore::new(bounds.connections_max));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        match accepted {
            Ok((stream, slot)) => connect(stream, slot, router.clone(), bounds, &graceful),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(bounds.drain_timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!(drain_timeout = ?bounds.drain_timeout, "requests were still open");
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    // Answers are small and waited for.
    stream.set_nodelay(true)?;
    Ok((stream, slot))
}

fn connect(
    stream: TcpStream,
    slot: OwnedSemaphorePermit,
    router: Router,
    bounds: Bounds,
    graceful: &GracefulShutdown,
) {
    let service = tower::service_fn(move |request: hyper::Request<Incoming>| {
        let router = router.clone();
        async move { Ok::<_, Infallible>(answer(router, request, bounds.request_timeout).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.header_timeout)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
        drop(slot);
    });
}

/// One request: gets an id, an answer in time, and a line in the log.
async fn answer(
    router: Router,
    request: hyper::Request<Incoming>,
    request_timeout: Duration,
) -> Response {
    let started = Instant::now();
    let request_id = request_id(&request);
    let (method, target) = (request.method().clone(), request.uri().path_and_query().cloned());
    let request: Request =
        request.map(|body| axum::body::Body::new(body.map_err(axum::Error::new)));
    let operator = request.uri().path().starts_with(ADMIN);
    let request_timeout = if operator { ADMIN_TIMEOUT } else { request_timeout };
    let mut answered = std::pin::pin!(router.oneshot(request));
    // Most reads are answered at once and need no timer.
    let at_once = std::future::poll_fn(|context| Poll::Ready(answered.as_mut().poll(context)));
    let answered = match at_once.await {
        Poll::Ready(answered) => Ok(answered),
        Poll::Pending => tokio::time::timeout(request_timeout, answered).await,
    };
    let mut response = match answered {
        Ok(Ok(response)) => response,
        Ok(Err(infallible)) => match infallible {},
        Err(_) => {
            let detail = format!(
                "no answer within {} ms: a command may or may not have been carried out, read \
                 the stock to see",
                request_timeout.as_millis()
            );
            Problem::new("response-timeout", detail).into()
        }
    };
    if response.status().as_u16() >= 400 || tracing::enabled!(tracing::Level::DEBUG) {
        let target = target.as_ref().map_or("", |target| target.as_str());
        log(&method, target, &response, started.elapsed(), &request_id);
    }
    response.headers_mut().insert(REQUEST_ID, request_id);
    response
}

/// The client's own id, where it is fit to be logged, or a new one.
fn request_id<T>(request: &hyper::Request<T>) -> HeaderValue {
    let given = request.headers().get(&REQUEST_ID).filter(|value| {
        let bytes = value.as_bytes();
        (1..=REQUEST_ID_BYTES_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
    });
    given.cloned().unwrap_or_else(new_request_id)
}

/// Unique among all requests of all processes, and cheap: a random number per process, and a
/// count.
fn new_request_id() -> HeaderValue {
    static PROCESS: LazyLock<String> = LazyLock::new(|| uuid::Uuid::new_v4().simple().to_string());
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut id = String::with_capacity(PROCESS.len() + 12);
    id.push_str(&PROCESS);
    id.push('-');
    id.push_str(itoa::Buffer::new().format(count));
    // Hexadecimal digits and a hyphen are what a header may carry.
    HeaderValue::try_from(id).unwrap_or_else(|_| HeaderValue::from_static("-"))
}

/// What went wrong here always, what the client got wrong with `info`, the rest with `debug`.
fn log(
    method: &Method,
    target: &str,
    response: &Response,
    took: Duration,
    request_id: &HeaderValue,
) {
    let status = response.status().as_u16();
    let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let request_id = request_id.to_str().unwrap_or_default();
    // In JSON, `target` is the name of the module already.
    let request_target = target;
    let code = response.extensions().get::<ProblemCode>().map_or("", |code| code.0.as_str());
    // Under overload a line for each refusal would be a load of its own: they are counted.
    if status >= 500 && code != "overloaded" {
        tracing::warn!(%method, request_target, status, code, took_us, request_id, "request");
    } else if (400..500).contains(&status) && status != 409 && status != 404 && status != 412 {
        tracing::info!(%method, request_target, status, code, took_us, request_id, "request");
    } else {
        tracing::debug!(%method, request_target, status, code, took_us, request_id, "request");
    }
}

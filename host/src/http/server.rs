//! Connections: accepted, bounded, timed, logged, and let finish when the process ends.

use super::problem::{Problem, ProblemCode};
use axum::{Router, extract::Request, response::Response};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use std::{convert::Infallible, future::Future, io, sync::Arc, time::Duration};
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

const REQUEST_ID: axum::http::HeaderName = axum::http::HeaderName::from_static("x-request-id");

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
    let logged = tracing::enabled!(tracing::Level::WARN)
        .then(|| (request.method().clone(), request.uri().clone()));
    let request: Request =
        request.map(|body| axum::body::Body::new(body.map_err(axum::Error::new)));
    let answered = tokio::time::timeout(request_timeout, router.oneshot(request)).await;
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
    if let Some((method, uri)) = logged {
        log(&method, &uri, &response, started.elapsed(), &request_id);
    }
    response.headers_mut().insert(REQUEST_ID, request_id);
    response
}

/// The client's own id, where it is fit to be logged, or a new one.
fn request_id<T>(request: &hyper::Request<T>) -> axum::http::HeaderValue {
    let given = request.headers().get(&REQUEST_ID).filter(|value| {
        let bytes = value.as_bytes();
        (1..=REQUEST_ID_BYTES_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
    });
    given.cloned().unwrap_or_else(|| {
        let mut buffer = [0; uuid::fmt::Hyphenated::LENGTH];
        let text = uuid::Uuid::now_v7().hyphenated().encode_lower(&mut buffer);
        axum::http::HeaderValue::from_str(text)
            .unwrap_or_else(|_| axum::http::HeaderValue::from_static("-"))
    })
}

/// What went wrong here always, what the client got wrong with `info`, the rest with `debug`.
fn log(
    method: &axum::http::Method,
    uri: &axum::http::Uri,
    response: &Response,
    took: Duration,
    request_id: &axum::http::HeaderValue,
) {
    let status = response.status().as_u16();
    let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let request_id = request_id.to_str().unwrap_or_default();
    let code = response.extensions().get::<ProblemCode>().map_or("", |code| code.0.as_str());
    if status >= 500 {
        tracing::warn!(%method, %uri, status, code, took_us, request_id, "request");
    } else if status >= 400 && status != 409 && status != 404 && status != 412 {
        tracing::info!(%method, %uri, status, code, took_us, request_id, "request");
    } else {
        tracing::debug!(%method, %uri, status, code, took_us, request_id, "request");
    }
}

//! One request: gets an id, an answer in time, and a line in the log.

use super::{
    ADMIN, ADMIN_TIMEOUT, REQUEST_ID, REQUEST_ID_BYTES_MAX, Server,
    answers::{AnswerBody, Extent, NoRoom, Turn},
    connection::{Connection, Phase},
    head,
    request_body::RequestBody,
};
use crate::{
    http::{
        identity::{self, Peer},
        problem::{Problem, ProblemCode},
    },
    model::Identity,
};
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, Method, header},
    response::Response,
};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use std::{
    net::IpAddr,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};
use tokio::time::Instant;
use tower::ServiceExt;

/// The rest of a body that nobody asked for is read, so that the connection can be used on,
/// where it is small and arrives soon.
const DRAIN_BYTES_MAX: usize = 16 * 1024;
const DRAIN_TIME: Duration = Duration::from_millis(100);

/// The routes that a connection above the limit may ask.
const HEALTH: &str = "/health/";
const METRICS: &str = "/metrics";

/// A query whose parameters are a body.
const QUERY: &str = "/v1/inventory/query";

/// Why a request is not answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unanswered {
    /// No request is begun on the connection any more.
    #[error("the connection is being closed")]
    Closing,
    /// Nobody reads the answer.
    #[error("the client has gone")]
    ClientGone,
}

/// Answers one request of a connection.
pub(super) async fn answer(
    server: Arc<Server>,
    connection: Arc<Connection>,
    peer: IpAddr,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<AnswerBody>, Unanswered> {
    if !connection.enter(Phase::Busy) {
        return Err(Unanswered::Closing);
    }
    let started = Instant::now();
    let request_id = request_id(&request);
    let (method, target) = (request.method().clone(), request.uri().path_and_query().cloned());
    let expects = request.headers().contains_key(header::EXPECT);
    let with_body = !request.body().is_end_stream();
    let mut request: Request = request.map(|body| {
        if with_body {
            Body::new(RequestBody::new(body, Arc::clone(&connection)))
        } else {
            Body::empty()
        }
    });
    let caller = server.trusted_caller.as_ref().and_then(|trusted| {
        request.extensions_mut().insert(Peer(peer));
        let identity =
            identity::of_proxied(trusted, request.headers(), request.extensions()).ok()?;
        // Noted for the handler, which need not read the header again.
        request.extensions_mut().insert(identity.clone());
        Some(identity)
    });
    let mut response = match head::check(&request) {
        Ok(()) => tokio::select! {
            biased;
            response = respond(&server, &connection, request) => response,
            () = connection.client_gone() => return Err(Unanswered::ClientGone),
        },
        // Where the next request begins is as unclear as this one.
        Err(problem) => {
            drop(request);
            let mut response = problem.into();
            end_connection(&mut response);
            response
        }
    };
    // A body that is not read on has to be dropped, or its connection waits for its reader.
    let unread = if with_body { connection.take_unread() } else { None };
    if let Some(body) = unread
        && (is_last(&response) || !is_drained(body, expects).await)
    {
        end_connection(&mut response);
    }
    if server.connections.stopping() || (connection.surplus && server.connections.is_over_limit()) {
        end_connection(&mut response);
    }
    if response.status().as_u16() >= 400 || tracing::enabled!(tracing::Level::DEBUG) {
        let target = target.as_ref().map_or("", |target| target.as_str());
        let caller = caller.as_ref().map_or(Identity::ANONYMOUS.subject(), Identity::subject);
        log(&method, target, caller, &response, started.elapsed(), &request_id);
    }
    response.headers_mut().insert(REQUEST_ID, request_id);
    let response = response.map(|body| AnswerBody::new(body, &server.answers, &connection));
    let large = response.body().is_large();
    if connection.answered(large) { Ok(response) } else { Err(Unanswered::Closing) }
}

/// The answer of the handler, unless the limits of the server come first.
async fn respond(server: &Server, connection: &Connection, request: Request) -> Response {
    let path = request.uri().path();
    if connection.surplus
        && server.connections.is_over_limit()
        && !path.starts_with(HEALTH)
        && path != METRICS
    {
        let max = server.connections.max();
        let detail = format!(
            "{max} connections are open and in use, which is the limit (CONNECTIONS_MAX); above \
             it, only the health of the server can be asked"
        );
        return Problem::new("overloaded", detail).with("limit", max).into();
    }
    let extent = Extent::of(request.method(), path);
    let operator = path.starts_with(ADMIN);
    // A command has a limit of its own, which does not hold while it waits for due holds.
    let limited = operator || *request.method() == Method::GET || path == QUERY;
    let _turn = match turn(server, connection, extent).await {
        Ok(turn) => turn,
        Err(problem) => return problem.into(),
    };
    let request_timeout = if operator { ADMIN_TIMEOUT } else { server.request_timeout };
    let mut answered = std::pin::pin!(server.router.clone().oneshot(request));
    // Most reads are answered at once and need no timer.
    let at_once = std::future::poll_fn(|context| Poll::Ready(answered.as_mut().poll(context)));
    let answered = match at_once.await {
        Poll::Ready(answered) => Ok(answered),
        Poll::Pending if !limited => Ok(answered.await),
        Poll::Pending => tokio::time::timeout(request_timeout, answered).await,
    };
    match answered {
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
    }
}

/// The turn to make an answer that can be large; `None` for small ones, which never wait.
async fn turn<'a>(
    server: &'a Server,
    connection: &Connection,
    extent: Extent,
) -> Result<Option<Turn<'a>>, Problem> {
    if extent == Extent::Small {
        return Ok(None);
    }
    if let Some(turn) = server.answers.turn_at_once(extent) {
        return Ok(Some(turn));
    }
    let _ = connection.enter(Phase::AwaitingRoom);
    let turn = server.answers.turn(extent, server.room_timeout).await;
    if !connection.enter(Phase::Busy) {
        // The task ends at its next pause: nothing may be begun.
        std::future::pending::<()>().await;
    }
    turn.map(Some).map_err(|NoRoom { held, max }| {
        let detail = format!(
            "clients have not read {held} bytes of their answers, the limit is {max} \
             (ANSWERS_BYTES_MAX); after {} ms there was no room for this one, nothing was \
             carried out",
            server.room_timeout.as_millis()
        );
        Problem::new("overloaded", detail).with("limit", max)
    })
}

/// Reads past the rest of a body that nobody asked for, so that the next request can be found,
/// and returns whether that was possible.
async fn is_drained(mut body: Incoming, expects: bool) -> bool {
    let most = u64::try_from(DRAIN_BYTES_MAX).unwrap_or(u64::MAX);
    // A client that was to be told to go on with its body has not sent it, and perhaps will not.
    if expects || body.size_hint().lower() > most {
        return false;
    }
    let drain = async {
        let mut drained = 0;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return false };
            drained += frame.data_ref().map_or(0, bytes::Bytes::len);
            if drained > DRAIN_BYTES_MAX {
                return false;
            }
        }
        true
    };
    tokio::time::timeout(DRAIN_TIME, drain).await.unwrap_or(false)
}

/// Whether the answer says that the connection ends with it.
fn is_last(response: &Response) -> bool {
    response.headers().contains_key(header::CONNECTION)
}

fn end_connection(response: &mut Response) {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
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
    caller: &str,
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
        tracing::warn!(%method, request_target, caller, status, code, took_us, request_id, "request");
    } else if (400..500).contains(&status) && status != 409 && status != 404 && status != 412 {
        tracing::info!(%method, request_target, caller, status, code, took_us, request_id, "request");
    } else {
        tracing::debug!(%method, request_target, caller, status, code, took_us, request_id, "request");
    }
}

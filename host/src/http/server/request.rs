//! The handling of one request: its id, its time limit, its answer and its log line.
//!
//! The layers of tower-http do not fit here. Its timeout starts a timer for every request and
//! answers with an empty body; here a request that is answered at once needs no timer, and the
//! others get a problem with the numbers. Its request id takes over any value that the client
//! sends. Its trace sees only what reaches the router, and not a request that is refused for its
//! head or for the load.

use super::{
    ADMIN, ADMIN_TIMEOUT, REQUEST_ID, REQUEST_ID_BYTES_MAX, Server,
    connection::{Connection, Phase},
    head,
    request_body::RequestBody,
    unsent::{AnswerBody, AnswerPermit, AnswerSize, NotAdmitted},
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

/// Where a handler has not read the request's body, the server reads and drops up to this many
/// bytes of it, so that the connection can be used again. Beyond this, the connection is closed.
const DRAIN_BYTES_MAX: usize = 16 * 1024;

/// The timeout for reading and dropping the rest of a body.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(100);

/// The paths that are answered on connections above the limit.
const HEALTH: &str = "/health/";
const METRICS: &str = "/metrics";

/// The path of the query that is a `POST`, since its parameters are in the body.
const QUERY: &str = "/v1/inventory/query";

/// The reason for which a request is not answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unanswered {
    /// The connection is being closed and begins no further request.
    #[error("the connection is being closed")]
    Closing,
    /// The client has gone: nobody would read the answer.
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
    let expects_continue = request.headers().contains_key(header::EXPECT);
    let has_body = !request.body().is_end_stream();
    let mut request: Request = request.map(|body| {
        if has_body {
            Body::new(RequestBody::new(body, Arc::clone(&connection)))
        } else {
            Body::empty()
        }
    });
    let caller = server.trusted_caller.as_ref().and_then(|trusted| {
        request.extensions_mut().insert(Peer(peer));
        let identity =
            identity::of_proxied(trusted, request.headers(), request.extensions()).ok()?;
        // The handler finds the identity here and need not read the header again.
        request.extensions_mut().insert(identity.clone());
        Some(identity)
    });
    let mut response = match head::check(&request) {
        Ok(()) => tokio::select! {
            biased;
            response = respond(&server, &connection, request) => response,
            () = connection.client_gone() => return Err(Unanswered::ClientGone),
        },
        // After an ambiguous head, the beginning of the next request cannot be found either.
        Err(problem) => {
            drop(request);
            let mut response = problem.into();
            end_connection(&mut response);
            response
        }
    };
    // The rest of the body has to be dropped in any case: hyper waits as long as somebody could
    // read it.
    let leftover = if has_body { connection.take_leftover_body() } else { None };
    if let Some(body) = leftover
        && (ends_connection(&response) || !drain(body, expects_continue).await)
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
    let response = response.map(|body| AnswerBody::new(body, &server.unsent, &connection));
    let large = response.body().is_large();
    if connection.begin_answer(large) { Ok(response) } else { Err(Unanswered::Closing) }
}

/// Returns the answer of the request's handler, or the problem of the limit that was exceeded
/// first.
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
    let size = AnswerSize::of(request.method(), path);
    let operator = path.starts_with(ADMIN);
    // The engine limits the time of commands: it does not count the time that a command waits for
    // due holds to expire.
    let limited = operator || *request.method() == Method::GET || path == QUERY;
    let _permit = match admit(server, connection, size).await {
        Ok(permit) => permit,
        Err(problem) => return problem.into(),
    };
    let request_timeout = if operator { ADMIN_TIMEOUT } else { server.request_timeout };
    let mut answered = std::pin::pin!(server.router.clone().oneshot(request));
    // Most queries are answered at the first poll and need no timer.
    let first_poll = std::future::poll_fn(|context| Poll::Ready(answered.as_mut().poll(context)));
    let answered = match first_poll.await {
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

/// Waits until a request whose answer can be large is admitted. Returns `None` for a small answer,
/// which needs no permit, and a problem after the timeout.
async fn admit<'a>(
    server: &'a Server,
    connection: &Connection,
    size: AnswerSize,
) -> Result<Option<AnswerPermit<'a>>, Problem> {
    if size == AnswerSize::Small {
        return Ok(None);
    }
    if let Some(permit) = server.unsent.try_admit(size) {
        return Ok(Some(permit));
    }
    let _ = connection.enter(Phase::AwaitingAdmission);
    let permit = server.unsent.admit(size, server.admission_timeout).await;
    if !connection.enter(Phase::Busy) {
        // The connection is being closed: its task is aborted while it waits here, so that nothing
        // is begun.
        std::future::pending::<()>().await;
    }
    permit.map(Some).map_err(|NotAdmitted { bytes, bytes_max }| {
        let detail = format!(
            "clients have not read {bytes} bytes of their answers, the limit is {bytes_max} \
             (ANSWERS_BYTES_MAX); after {} ms there was no room for this one, nothing was \
             carried out",
            server.admission_timeout.as_millis()
        );
        Problem::new("overloaded", detail).with("limit", bytes_max)
    })
}

/// Reads and drops the rest of a body, so that the next request on the connection can be found.
/// Returns whether it succeeded within the bounds on bytes and time.
async fn drain(mut body: Incoming, expects_continue: bool) -> bool {
    let most = u64::try_from(DRAIN_BYTES_MAX).unwrap_or(u64::MAX);
    // A client that waits for `100 Continue` has not sent its body, and perhaps never will.
    if expects_continue || body.size_hint().lower() > most {
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
    tokio::time::timeout(DRAIN_TIMEOUT, drain).await.unwrap_or(false)
}

/// Returns whether the answer closes the connection.
fn ends_connection(response: &Response) -> bool {
    response.headers().contains_key(header::CONNECTION)
}

/// Makes the answer the last one of its connection.
fn end_connection(response: &mut Response) {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
}

/// Returns the request id that the client has sent, where it can be logged (1 to 128 printable
/// ASCII characters without spaces), or else a new one.
fn request_id<T>(request: &hyper::Request<T>) -> HeaderValue {
    let given = request.headers().get(&REQUEST_ID).filter(|value| {
        let bytes = value.as_bytes();
        (1..=REQUEST_ID_BYTES_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
    });
    given.cloned().unwrap_or_else(new_request_id)
}

/// Makes an id that no other request of any process has: a random number of the process, and a
/// counter.
fn new_request_id() -> HeaderValue {
    static PROCESS: LazyLock<String> = LazyLock::new(|| uuid::Uuid::new_v4().simple().to_string());
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut id = String::with_capacity(PROCESS.len() + 12);
    id.push_str(&PROCESS);
    id.push('-');
    id.push_str(itoa::Buffer::new().format(count));
    // Hexadecimal digits and a hyphen are valid in a header, so that this cannot fail.
    HeaderValue::try_from(id).unwrap_or_else(|_| HeaderValue::from_static("-"))
}

/// Logs a request: failures of the server as warnings, most errors of clients with level `info`,
/// and everything else with level `debug`.
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
    // The field is not called `target`, because JSON log lines have that field for the module's
    // name.
    let request_target = target;
    let code = response.extensions().get::<ProblemCode>().map_or("", |code| code.0.as_str());
    // Refusals under overload are counted instead: a log line for each would add to the load.
    if status >= 500 && code != "overloaded" {
        tracing::warn!(%method, request_target, caller, status, code, took_us, request_id, "request");
    } else if (400..500).contains(&status) && status != 409 && status != 404 && status != 412 {
        tracing::info!(%method, request_target, caller, status, code, took_us, request_id, "request");
    } else {
        tracing::debug!(%method, request_target, caller, status, code, took_us, request_id, "request");
    }
}

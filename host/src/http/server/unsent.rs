//! The bound on unsent answers: the bytes of all answers that were made and that their clients have
//! not read yet. A request whose answer may be large is admitted only while the bound is not
//! reached.

use super::connection::Connection;
use bytes::{Buf, Bytes};
use hyper::{
    Method,
    body::{Body as _, Frame, SizeHint},
};
use std::{
    io::IoSlice,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

/// The size from which an answer is counted. Smaller ones are bounded by the bound on connections.
const LARGE_BYTES_MIN: usize = 16 * 1024;

/// The number of lists that are made at once, for each reader of the engine. It is more than one,
/// so that no reader idles while answers are written as JSON.
const LISTS_PER_READER: usize = 4;

/// The number of batches that are carried out at once. The writer's queue bounds the size of their
/// answers.
const BATCHES_MAX: usize = 1_024;

/// How large the answer to a request can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum AnswerSize {
    /// One stock, one reservation or a problem.
    Small,
    /// A page of a list, or a file.
    List,
    /// The results of up to 1,000 commands.
    Batch,
}

impl AnswerSize {
    /// Returns how large the answers of a route can be. All lists are answers to `GET`, but for one
    /// whose query is in a body.
    pub(super) fn of(method: &Method, path: &str) -> Self {
        match path {
            "/v1/batch" => Self::Batch,
            "/v1/inventory/query" => Self::List,
            _ if *method != Method::GET && *method != Method::HEAD => Self::Small,
            "/v1/inventory"
            | "/v1/inventory/low-stock"
            | "/v1/reservations"
            | "/v1/events"
            | "/openapi.json" => Self::List,
            _ if path.ends_with("/events") || path.starts_with("/docs") => Self::List,
            _ => Self::Small,
        }
    }
}

/// The unsent answers of all connections.
#[derive(Debug)]
pub(super) struct UnsentAnswers {
    /// The number of unsent bytes from which on no request for a large answer is admitted.
    bytes_max: usize,
    bytes: AtomicUsize,
    /// The number of requests that wait until bytes were sent.
    waiting: AtomicUsize,
    /// The number of requests that were refused since the start.
    refused: AtomicU64,
    /// Notifies waiting requests that bytes were sent.
    sent: Notify,
    /// The permits to make lists.
    lists: Semaphore,
    /// The permits to carry out batches.
    batches: Semaphore,
}

/// The error of a request that was not admitted before its timeout.
#[derive(Clone, Copy, Debug)]
pub(super) struct NotAdmitted {
    /// The unsent bytes at the timeout.
    pub(super) bytes: usize,
    pub(super) bytes_max: usize,
}

/// The permit to make a large answer. The request keeps it until the answer is made.
#[derive(Debug)]
pub(super) struct AnswerPermit<'a>(
    #[allow(dead_code, reason = "dropping it returns the permit")] SemaphorePermit<'a>,
);

/// Counts a request among the waiting ones until this guard is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl UnsentAnswers {
    /// Creates the bound of `bytes_max` for an engine with `readers_max` readers.
    pub(super) fn new(bytes_max: usize, readers_max: usize) -> Self {
        Self {
            bytes_max,
            bytes: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            refused: AtomicU64::new(0),
            sent: Notify::new(),
            lists: Semaphore::new(readers_max.saturating_mul(LISTS_PER_READER)),
            batches: Semaphore::new(BATCHES_MAX),
        }
    }

    fn permits(&self, size: AnswerSize) -> &Semaphore {
        if size == AnswerSize::Batch { &self.batches } else { &self.lists }
    }

    fn has_room(&self) -> bool {
        self.bytes.load(Ordering::SeqCst) < self.bytes_max
    }

    /// Admits a request for a large answer. Returns `None` where the request has to wait.
    pub(super) fn try_admit(&self, size: AnswerSize) -> Option<AnswerPermit<'_>> {
        let permit = self.permits(size).try_acquire().ok()?;
        self.has_room().then_some(AnswerPermit(permit))
    }

    /// Admits a request for a large answer in order of arrival, as soon as clients have read
    /// enough. Fails after `timeout`.
    pub(super) async fn admit(
        &self,
        size: AnswerSize,
        timeout: Duration,
    ) -> Result<AnswerPermit<'_>, NotAdmitted> {
        let permit = async {
            let permit = self.permits(size).acquire().await.ok()?;
            // `waiting` is raised before `has_room` is called, so that `ByteCount::drop` cannot
            // miss this request.
            self.waiting.fetch_add(1, Ordering::SeqCst);
            let _waiting = Waiting(&self.waiting);
            loop {
                let mut sent = std::pin::pin!(self.sent.notified());
                sent.as_mut().enable();
                if self.has_room() {
                    return Some(AnswerPermit(permit));
                }
                sent.await;
            }
        };
        match tokio::time::timeout(timeout, permit).await {
            Ok(Some(permit)) => Ok(permit),
            Ok(None) | Err(_) => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                Err(NotAdmitted { bytes: self.bytes(), bytes_max: self.bytes_max })
            }
        }
    }

    /// Counts the bytes of an answer until the guard is dropped.
    fn count(self: &Arc<Self>, bytes: usize) -> ByteCount {
        self.bytes.fetch_add(bytes, Ordering::SeqCst);
        ByteCount { unsent: Arc::clone(self), bytes }
    }

    /// Returns the bytes of large answers that were made and not sent yet.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Returns whether requests wait until clients have read their answers.
    pub(super) fn has_waiters(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }

    /// Returns the number of requests that were not admitted, since the start.
    pub(super) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

/// A guard that counts the bytes of one answer as unsent until it is dropped.
#[derive(Debug)]
struct ByteCount {
    unsent: Arc<UnsentAnswers>,
    bytes: usize,
}

impl Drop for ByteCount {
    fn drop(&mut self) {
        self.unsent.bytes.fetch_sub(self.bytes, Ordering::SeqCst);
        if self.unsent.has_waiters() {
            self.unsent.sent.notify_waiters();
        }
    }
}

/// The body of an answer. A large one counts as unsent until the operating system has its last
/// byte.
pub(super) struct AnswerBody {
    body: axum::body::Body,
    /// The count of the answer's bytes and its connection; `None` for a small answer.
    counted: Option<(Arc<ByteCount>, Arc<Connection>)>,
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        if let Some((_, connection)) = &self.counted {
            connection.answer_body_ended();
        }
    }
}

impl AnswerBody {
    pub(super) fn new(
        body: axum::body::Body,
        unsent: &Arc<UnsentAnswers>,
        connection: &Arc<Connection>,
    ) -> Self {
        let bytes = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        let counted = (bytes >= LARGE_BYTES_MIN)
            .then(|| (Arc::new(unsent.count(bytes)), Arc::clone(connection)));
        Self { body, counted }
    }

    /// Returns whether the answer is large enough to be counted.
    pub(super) fn is_large(&self) -> bool {
        self.counted.is_some()
    }
}

impl hyper::body::Body for AnswerBody {
    type Data = CountedBytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<CountedBytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        polled.map(|frame| {
            let count = self.counted.as_ref().map(|(count, _)| Arc::clone(count));
            let with_count = |bytes| CountedBytes { bytes, _count: count };
            frame.map(|frame| frame.map(|frame| frame.map_data(with_count)))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A part of an answer, which keeps the answer's count until it is sent.
pub(super) struct CountedBytes {
    bytes: Bytes,
    _count: Option<Arc<ByteCount>>,
}

impl Buf for CountedBytes {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        self.bytes.chunks_vectored(slices)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::clock::CoarseClock, *};

    /// Schemas whose arrays are short: a command on stocks has a handful of events.
    const SHORT: [&str; 2] = ["StockDryRun", "TransferDryRun"];

    /// Returns whether a schema has an array, or refers to a schema that has one.
    fn has_array(document: &serde_json::Value, schema: &serde_json::Value, depth: u8) -> bool {
        if depth == 0 {
            return false;
        }
        match schema {
            serde_json::Value::Object(members) => members.iter().any(|(name, value)| {
                let long = || !SHORT.iter().any(|short| value.as_str().unwrap().ends_with(short));
                let named = (name == "$ref" && long())
                    .then(|| document.pointer(value.as_str().unwrap().strip_prefix('#').unwrap()));
                name == "type" && value == "array"
                    || has_array(document, value, depth - 1)
                    || named.flatten().is_some_and(|it| has_array(document, it, depth - 1))
            }),
            serde_json::Value::Array(items) => {
                items.iter().any(|item| has_array(document, item, depth - 1))
            }
            _ => false,
        }
    }

    #[test]
    fn every_route_that_answers_with_a_list_needs_admission() {
        let document: serde_json::Value =
            serde_json::from_str(&crate::http::document().unwrap()).unwrap();
        let mut lists = 0;
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let schema = operation.pointer("/responses/200/content/application~1json/schema");
                let large = schema.is_some_and(|schema| has_array(&document, schema, 12));
                // A reservation has at most 100 lines and a health answer a handful of findings.
                // Operators are trusted: they know the token.
                let bounded = ["/v1/reservations/", "/v1/admin/", "/health/"]
                    .iter()
                    .any(|beginning| path.starts_with(beginning));
                let bounded =
                    bounded || (path.as_str(), method.as_str()) == ("/v1/reservations", "post");
                let method = method.to_uppercase().parse().unwrap();
                let size = AnswerSize::of(&method, path);
                if large && !bounded {
                    lists += 1;
                    assert_ne!(size, AnswerSize::Small, "{method} {path}");
                } else {
                    assert!(size != AnswerSize::List || method == Method::GET, "{method} {path}");
                }
            }
        }
        assert!(lists >= 7, "{lists} lists found");
    }

    #[tokio::test]
    async fn an_answer_counts_until_its_bytes_were_sent() {
        let unsent = Arc::new(UnsentAnswers::new(100_000, 1));
        let connection = Connection::new(1, false, Arc::new(CoarseClock::new()), None);
        let mut body = AnswerBody::new(vec![0; 100_000].into(), &unsent, &Arc::new(connection));
        let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
        drop(body);
        let mut bytes = frame.unwrap().unwrap().into_data().ok().unwrap();
        bytes.advance(99_999);
        assert_eq!(unsent.bytes(), 100_000);
        assert!(unsent.try_admit(AnswerSize::List).is_none());
        drop(bytes);
        assert_eq!(unsent.bytes(), 0);
        assert!(unsent.try_admit(AnswerSize::List).is_some());
    }

    #[tokio::test]
    async fn a_waiting_request_is_admitted_when_an_answer_was_sent() {
        let unsent = Arc::new(UnsentAnswers::new(20_000, 1));
        let count = unsent.count(20_000);
        let waiting = tokio::spawn({
            let unsent = Arc::clone(&unsent);
            async move { unsent.admit(AnswerSize::List, Duration::from_secs(60)).await.is_ok() }
        });
        while !unsent.has_waiters() {
            tokio::task::yield_now().await;
        }
        drop(count);
        assert!(waiting.await.unwrap());
    }

    #[tokio::test]
    async fn the_refusal_after_the_timeout_has_the_numbers() {
        let unsent = Arc::new(UnsentAnswers::new(20_000, 1));
        let _count = unsent.count(30_000);
        let refused = unsent.admit(AnswerSize::Batch, Duration::ZERO).await.unwrap_err();
        assert_eq!((refused.bytes, refused.bytes_max, unsent.refused()), (30_000, 20_000, 1));
    }
}

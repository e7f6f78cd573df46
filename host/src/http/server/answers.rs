//! The bound on answers that were made and not yet sent.

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

/// Answers below this size are not counted: the bound on connections bounds them.
const SMALL_BYTES: usize = 16 * 1024;

/// Lists that are made at once: more than the readers that may work, so that none of them waits
/// for an answer to be written as JSON.
const LISTS_PER_READER: usize = 4;

/// Batches that are carried out at once. What they answer is bounded by the writer's queue.
const BATCHES_MAX: usize = 1_024;

/// What a request may be answered at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Extent {
    /// One stock, one reservation, a problem.
    Small,
    /// A page of a list, or a file.
    List,
    /// The outcomes of many commands.
    Batch,
}

impl Extent {
    /// The extent of the answers of a route. Lists are read; only one of them is asked for with a
    /// body.
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

/// Answers that were made and not yet sent, over all connections.
#[derive(Debug)]
pub(super) struct Answers {
    bytes_max: usize,
    held: AtomicUsize,
    waiting: AtomicUsize,
    refused: AtomicU64,
    freed: Notify,
    lists: Semaphore,
    batches: Semaphore,
}

/// There was no room for an answer within the time to wait for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoRoom {
    pub(super) held: usize,
    pub(super) max: usize,
}

/// The turn to make a large answer. It is kept until the answer is made.
#[derive(Debug)]
pub(super) struct Turn<'a>(#[allow(dead_code, reason = "it is held")] SemaphorePermit<'a>);

/// Notes that a request waits, for as long as it does.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Answers {
    pub(super) fn new(bytes_max: usize, readers_max: usize) -> Self {
        Self {
            bytes_max,
            held: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            refused: AtomicU64::new(0),
            freed: Notify::new(),
            lists: Semaphore::new(readers_max.saturating_mul(LISTS_PER_READER)),
            batches: Semaphore::new(BATCHES_MAX),
        }
    }

    fn lane(&self, extent: Extent) -> &Semaphore {
        if extent == Extent::Batch { &self.batches } else { &self.lists }
    }

    fn has_room(&self) -> bool {
        self.held.load(Ordering::SeqCst) < self.bytes_max
    }

    /// The turn to make a large answer, where it comes at once.
    pub(super) fn turn_at_once(&self, extent: Extent) -> Option<Turn<'_>> {
        let permit = self.lane(extent).try_acquire().ok()?;
        self.has_room().then_some(Turn(permit))
    }

    /// The turn to make a large answer: in order of arrival, as soon as enough of the answers
    /// before was read.
    pub(super) async fn turn(&self, extent: Extent, time: Duration) -> Result<Turn<'_>, NoRoom> {
        let turn = async {
            let permit = self.lane(extent).acquire().await.ok()?;
            // The count goes up before `has_room`, so that `Held::drop` cannot miss a waiting
            // request.
            self.waiting.fetch_add(1, Ordering::SeqCst);
            let _waiting = Waiting(&self.waiting);
            loop {
                let mut freed = std::pin::pin!(self.freed.notified());
                freed.as_mut().enable();
                if self.has_room() {
                    return Some(Turn(permit));
                }
                freed.await;
            }
        };
        match tokio::time::timeout(time, turn).await {
            Ok(Some(turn)) => Ok(turn),
            Ok(None) | Err(_) => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                Err(NoRoom { held: self.held(), max: self.bytes_max })
            }
        }
    }

    /// Counts an answer until it is sent.
    fn hold(self: &Arc<Self>, bytes: usize) -> Held {
        self.held.fetch_add(bytes, Ordering::SeqCst);
        Held { answers: Arc::clone(self), bytes }
    }

    /// Bytes of answers that were made and not yet sent.
    pub(super) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Whether requests wait until answers were read.
    pub(super) fn are_awaited(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }

    /// Requests that were refused for want of room, since the start.
    pub(super) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

/// The bytes of an answer, counted until this is dropped.
#[derive(Debug)]
struct Held {
    answers: Arc<Answers>,
    bytes: usize,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.answers.held.fetch_sub(self.bytes, Ordering::SeqCst);
        if self.answers.are_awaited() {
            self.answers.freed.notify_waiters();
        }
    }
}

/// The body of an answer, counted until its last byte is handed to the operating system.
pub(super) struct AnswerBody {
    body: axum::body::Body,
    /// The count and the connection; `None` for small answers.
    held: Option<(Arc<Held>, Arc<Connection>)>,
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        if let Some((_, connection)) = &self.held {
            connection.body_ended();
        }
    }
}

impl AnswerBody {
    pub(super) fn new(
        body: axum::body::Body,
        answers: &Arc<Answers>,
        connection: &Arc<Connection>,
    ) -> Self {
        let bytes = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        let held =
            (bytes >= SMALL_BYTES).then(|| (Arc::new(answers.hold(bytes)), Arc::clone(connection)));
        Self { body, held }
    }

    /// Whether the answer is counted.
    pub(super) fn is_large(&self) -> bool {
        self.held.is_some()
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
            let held = self.held.as_ref().map(|(held, _)| Arc::clone(held));
            let counted = |bytes| CountedBytes { bytes, _held: held };
            frame.map(|frame| frame.map(|frame| frame.map_data(counted)))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A part of an answer, and the count that it belongs to.
pub(super) struct CountedBytes {
    bytes: Bytes,
    _held: Option<Arc<Held>>,
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

    /// Schemas whose arrays are never long: a command on stocks has a handful of events.
    const SHORT: [&str; 2] = ["StockDryRun", "TransferDryRun"];

    /// Whether a schema has an array, or names one that has.
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
    fn every_route_that_answers_with_a_list_waits_for_room() {
        let document: serde_json::Value =
            serde_json::from_str(&crate::http::document().unwrap()).unwrap();
        let mut lists = 0;
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let schema = operation.pointer("/responses/200/content/application~1json/schema");
                let large = schema.is_some_and(|schema| has_array(&document, schema, 12));
                // The lines of one reservation are 100 at most, the findings of health a handful;
                // operators know the token.
                let bounded = ["/v1/reservations/", "/v1/admin/", "/health/"]
                    .iter()
                    .any(|beginning| path.starts_with(beginning));
                let bounded =
                    bounded || (path.as_str(), method.as_str()) == ("/v1/reservations", "post");
                let method = method.to_uppercase().parse().unwrap();
                let extent = Extent::of(&method, path);
                if large && !bounded {
                    lists += 1;
                    assert_ne!(extent, Extent::Small, "{method} {path}");
                } else {
                    assert!(extent != Extent::List || method == Method::GET, "{method} {path}");
                }
            }
        }
        assert!(lists >= 7, "{lists} lists found");
    }

    #[tokio::test]
    async fn an_answer_counts_until_its_bytes_were_sent() {
        let answers = Arc::new(Answers::new(100_000, 1));
        let connection = Connection::new(1, false, Arc::new(CoarseClock::new()), None);
        let mut body = AnswerBody::new(vec![0; 100_000].into(), &answers, &Arc::new(connection));
        let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
        drop(body);
        let mut bytes = frame.unwrap().unwrap().into_data().ok().unwrap();
        bytes.advance(99_999);
        assert_eq!(answers.held(), 100_000);
        assert!(answers.turn_at_once(Extent::List).is_none());
        drop(bytes);
        assert_eq!(answers.held(), 0);
        assert!(answers.turn_at_once(Extent::List).is_some());
    }

    #[tokio::test]
    async fn whoever_waits_for_room_has_its_turn_when_an_answer_was_sent() {
        let answers = Arc::new(Answers::new(20_000, 1));
        let held = answers.hold(20_000);
        let waiting = tokio::spawn({
            let answers = Arc::clone(&answers);
            async move { answers.turn(Extent::List, Duration::from_secs(60)).await.is_ok() }
        });
        while !answers.are_awaited() {
            tokio::task::yield_now().await;
        }
        drop(held);
        assert!(waiting.await.unwrap());
    }

    #[tokio::test]
    async fn where_no_room_comes_the_refusal_has_the_numbers() {
        let answers = Arc::new(Answers::new(20_000, 1));
        let _held = answers.hold(30_000);
        let refused = answers.turn(Extent::Batch, Duration::ZERO).await.unwrap_err();
        assert_eq!((refused.held, refused.max, answers.refused()), (30_000, 20_000, 1));
    }
}

//! Receiving the bytes of a body within the limits on size, time, rate and memory.
//!
//! tower-http has a limit on the size and a timeout between two pieces. Its answers have no text or
//! a plain one instead of a problem with the numbers, and it has neither a lowest rate nor a budget
//! of memory that all bodies share. Without these two, a client could hold memory by sending
//! slowly.

use super::budget::{BodyBudget, BudgetExceeded, Share};
use crate::http::{
    body::{Part, Violations},
    problem::Problem,
};
use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Frame};
use std::{
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

/// The lowest average rate at which a body has to arrive, after its first `RATELESS_PART` of the
/// time.
const BYTES_PER_SECOND_MIN: usize = 4 * 1024;

/// A body may arrive at any rate within its time limit divided by this.
const RATELESS_PART: u32 = 6;

/// The smallest buffer for a body that arrives in pieces.
const PIECES_BYTES_MIN: usize = 1024;

/// The limits on receiving a body.
#[derive(Clone, Debug)]
pub(in crate::http) struct BodyLimits {
    /// The maximum size in bytes.
    pub(in crate::http) bytes_max: usize,
    /// The time limit for receiving the whole body.
    pub(in crate::http) time: Duration,
    /// The budget of memory that the body shares with all others; `None` for bodies of operators.
    pub(in crate::http) budget: Option<Arc<BodyBudget>>,
}

/// The next frame of a body; `None` at its end.
type Piece = Option<Result<Frame<Bytes>, axum::Error>>;

/// Receives the bytes of a body.
///
/// # Errors
/// The body exceeds a limit, or ends early.
pub(in crate::http) async fn receive(
    mut body: Body,
    limits: &BodyLimits,
) -> Result<Bytes, Problem> {
    // This is the content length, where the request has one: a body that is too large is refused
    // before any of it is read.
    let announced_bytes = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced_bytes > limits.bytes_max {
        return Err(too_large(limits.bytes_max));
    }
    // Most bodies arrive together with their head, in one piece: they need no timer and are not
    // copied.
    let first = at_once(&mut body).await;
    match first {
        Some(None) => Ok(Bytes::new()),
        Some(Some(Ok(frame))) if body.is_end_stream() => {
            let bytes = frame.into_data().unwrap_or_default();
            if bytes.len() > limits.bytes_max {
                Err(too_large(limits.bytes_max))
            } else {
                Ok(bytes)
            }
        }
        first => Pieces::new(limits).collect(body, first).await,
    }
}

/// Returns the first piece of a body; `None` where it has not arrived yet.
async fn at_once(body: &mut Body) -> Option<Piece> {
    let mut asked = false;
    std::future::poll_fn(|context| match Pin::new(&mut *body).poll_frame(context) {
        Poll::Ready(piece) => Poll::Ready(Some(piece)),
        Poll::Pending if asked => Poll::Ready(None),
        // hyper hands over received bytes only at the poll after the one that asked for them.
        Poll::Pending => {
            asked = true;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

/// A body that arrives in pieces, which are copied into one buffer. A piece that is kept would keep
/// the whole buffer that it was read into, so that a body sent byte by byte would take kilobytes
/// per byte.
struct Pieces<'a> {
    limits: &'a BodyLimits,
    /// The bytes that have arrived.
    bytes: Vec<u8>,
    /// The body's share in the budget of memory; `None` where it needs none.
    share: Option<Share>,
    began: Instant,
}

impl<'a> Pieces<'a> {
    fn new(limits: &'a BodyLimits) -> Self {
        let share = limits.budget.as_ref().map(|budget| Share::new(Arc::clone(budget)));
        Self { limits, bytes: Vec::new(), share, began: Instant::now() }
    }

    /// Receives the rest of the body, after its first piece where that has arrived.
    async fn collect(mut self, mut body: Body, first: Option<Piece>) -> Result<Bytes, Problem> {
        let mut next = first;
        loop {
            let piece = match next.take() {
                Some(piece) => piece,
                None => self.piece(&mut body).await?,
            };
            match piece {
                None => return Ok(self.bytes.into()),
                Some(Ok(frame)) => {
                    // A frame without data has trailers, which are ignored.
                    self.add(&frame.into_data().unwrap_or_default())?;
                }
                Some(Err(_)) => return Err(invalid("the body could not be received whole")),
            }
            if body.is_end_stream() {
                return Ok(self.bytes.into());
            }
        }
    }

    /// Waits for the next piece.
    ///
    /// # Errors
    /// The body is too late or too slow, or was evicted.
    async fn piece(&self, body: &mut Body) -> Result<Piece, Problem> {
        let whole = self.limits.time;
        let due = whole.min(self.due());
        let evicted = async {
            match &self.share {
                Some(share) => share.evicted().await,
                None => std::future::pending().await,
            }
        };
        let frame = tokio::time::timeout_at((self.began + due).into(), body.frame());
        tokio::select! {
            biased;
            exceeded = evicted => Err(overloaded(exceeded)),
            frame = frame => frame.map_err(|_| self.late(due < whole)),
        }
    }

    /// Returns the time from the beginning at which the body, without another byte, falls below the
    /// lowest rate.
    fn due(&self) -> Duration {
        let bytes = u64::try_from(self.bytes.len()).unwrap_or(u64::MAX);
        let rate = u64::try_from(BYTES_PER_SECOND_MIN).unwrap_or(u64::MAX);
        let earned = Duration::from_millis(bytes.saturating_mul(1_000) / rate);
        (self.limits.time / RATELESS_PART).saturating_add(earned)
    }

    /// Returns the problem of a body that is below the lowest rate, or else above the time limit.
    fn late(&self, by_rate: bool) -> Problem {
        let arrived = self.bytes.len();
        let detail = if by_rate {
            format!(
                "{arrived} bytes of the body arrived within {} ms: the lowest rate is \
                 {BYTES_PER_SECOND_MIN} bytes/s after the first {} ms",
                self.began.elapsed().as_millis(),
                (self.limits.time / RATELESS_PART).as_millis()
            )
        } else {
            let time = self.limits.time.as_millis();
            format!("the body did not arrive within {time} ms: {arrived} bytes of it did")
        };
        Problem::new("request-timeout", detail)
    }

    /// Appends a piece.
    ///
    /// # Errors
    /// The body is too large, or the budget has no bytes left for it.
    fn add(&mut self, piece: &[u8]) -> Result<(), Problem> {
        let size = self.bytes.len().saturating_add(piece.len());
        if size > self.limits.bytes_max {
            return Err(too_large(self.limits.bytes_max));
        }
        if size > self.bytes.capacity() {
            let doubled = self.bytes.capacity().saturating_mul(2).min(self.limits.bytes_max);
            let capacity = doubled.max(size).max(PIECES_BYTES_MIN);
            if let Some(share) = &mut self.share {
                share.grow(capacity).map_err(overloaded)?;
            }
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(piece);
        if let Some(share) = &mut self.share {
            share.arrived(size);
        }
        Ok(())
    }
}

fn too_large(limit: usize) -> Problem {
    Problem::new("body-too-large", format!("a body may have {limit} bytes")).with("limit", limit)
}

fn overloaded(BudgetExceeded { bytes_max }: BudgetExceeded) -> Problem {
    let detail = format!(
        "the bodies that are being received take {bytes_max} bytes together, which is the limit \
         (BODIES_BYTES_MAX): send it again, faster or in smaller parts"
    );
    Problem::new("overloaded", detail).with("limit", bytes_max)
}

/// Returns the problem of a body that is invalid as a whole.
fn invalid(detail: &str) -> Problem {
    Violations::one(Part::Body, "", detail)
}

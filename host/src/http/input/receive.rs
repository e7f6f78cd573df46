//! The bytes of a body, within the limits on size, time, rate and on all bodies together.

use super::bodies::{Bodies, Full, Share};
use crate::http::{
    body::{Part, Violations},
    problem::Problem,
};
use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Frame};
use std::{
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

/// The rate at which a body has to arrive, on average, once its time without a rate is over.
const BYTES_PER_SECOND_MIN: usize = 4 * 1024;

/// The part of the time for a body in which it may arrive at any rate.
const RATELESS_PART: u32 = 6;

/// The smallest buffer of a body that arrives in pieces.
const PIECES_BYTES_MIN: usize = 1024;

/// The limits on a body.
#[derive(Clone, Debug)]
pub(in crate::http) struct BodyLimits {
    /// The largest size.
    pub(in crate::http) bytes_max: usize,
    /// Time to receive it.
    pub(in crate::http) time: Duration,
    /// The bound that it shares with all others; `None` for those of operators.
    pub(in crate::http) bodies: Option<Arc<Bodies>>,
}

type Piece = Option<Result<Frame<Bytes>, axum::Error>>;

/// The bytes of any body.
pub(in crate::http) async fn receive(
    headers: &HeaderMap,
    mut body: Body,
    limits: &BodyLimits,
) -> Result<Bytes, Problem> {
    check_length(headers, limits.bytes_max)?;
    // Most bodies arrive with their head, in one piece: they need no timer and are not copied.
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

/// The first piece of a body, where it has arrived; `None` where it has not.
async fn at_once(body: &mut Body) -> Option<Piece> {
    let mut asked = false;
    std::future::poll_fn(|context| match Pin::new(&mut *body).poll_frame(context) {
        Poll::Ready(piece) => Poll::Ready(Some(piece)),
        Poll::Pending if asked => Poll::Ready(None),
        // hyper hands over what has arrived once it was asked for.
        Poll::Pending => {
            asked = true;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

/// A body that arrives in pieces, copied together: a piece keeps the whole buffer alive that it
/// was read into, so that a body sent byte by byte would take kilobytes for each.
struct Pieces<'a> {
    limits: &'a BodyLimits,
    bytes: Vec<u8>,
    share: Option<Share>,
    began: Instant,
}

impl<'a> Pieces<'a> {
    fn new(limits: &'a BodyLimits) -> Self {
        let share = limits.bodies.as_ref().map(|bodies| Share::new(Arc::clone(bodies)));
        Self { limits, bytes: Vec::new(), share, began: Instant::now() }
    }

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
                    // Trailers are of no interest.
                    self.add(&frame.into_data().unwrap_or_default())?;
                }
                Some(Err(_)) => return Err(invalid("the body could not be received whole")),
            }
            if body.is_end_stream() {
                return Ok(self.bytes.into());
            }
        }
    }

    /// The next piece, which has to arrive in time.
    async fn piece(&self, body: &mut Body) -> Result<Piece, Problem> {
        let whole = self.limits.time;
        let due = whole.min(self.due());
        let gives_way = async {
            match &self.share {
                Some(share) => share.gives_way().await,
                None => std::future::pending().await,
            }
        };
        let frame = tokio::time::timeout_at((self.began + due).into(), body.frame());
        tokio::select! {
            biased;
            full = gives_way => Err(overloaded(full)),
            frame = frame => frame.map_err(|_| self.late(due < whole)),
        }
    }

    /// Time from the beginning at which the body falls behind the least rate.
    fn due(&self) -> Duration {
        let bytes = u64::try_from(self.bytes.len()).unwrap_or(u64::MAX);
        let rate = u64::try_from(BYTES_PER_SECOND_MIN).unwrap_or(u64::MAX);
        let earned = Duration::from_millis(bytes.saturating_mul(1_000) / rate);
        (self.limits.time / RATELESS_PART).saturating_add(earned)
    }

    fn late(&self, by_rate: bool) -> Problem {
        let arrived = self.bytes.len();
        let detail = if by_rate {
            format!(
                "{arrived} bytes of the body arrived within {} ms: the least rate is \
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

/// Refuses a body that says it is too large before any of it is read.
fn check_length(headers: &HeaderMap, limit: usize) -> Result<(), Problem> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    match length.and_then(|length| length.parse::<u64>().ok()) {
        Some(length) if usize::try_from(length).is_ok_and(|length| length <= limit) => Ok(()),
        Some(_) => Err(too_large(limit)),
        None => Ok(()),
    }
}

fn too_large(limit: usize) -> Problem {
    Problem::new("body-too-large", format!("a body may have {limit} bytes")).with("limit", limit)
}

fn overloaded(Full { max }: Full) -> Problem {
    let detail = format!(
        "the bodies that are being received take {max} bytes together, which is the limit \
         (BODIES_BYTES_MAX): send it again, faster or in smaller parts"
    );
    Problem::new("overloaded", detail).with("limit", max)
}

/// A problem with the body as a whole.
fn invalid(detail: &str) -> Problem {
    Violations::one(Part::Body, "", detail)
}

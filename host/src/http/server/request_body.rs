//! The body of a request on its way in, as the connection sees it.

use super::connection::{Connection, Phase};
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// Polls without a frame after which the body counts as awaited: hyper hands over what has
/// arrived only when it was asked for, so that the first poll is always without.
const POLLS_UNTIL_AWAITED: u8 = 2;

/// A body that tells its connection when it is awaited, and stays with the connection where
/// the handler did not read it to the end.
pub(super) struct RequestBody {
    /// The body; `None` once its end was reached.
    incoming: Option<Incoming>,
    connection: Arc<Connection>,
    polls: u8,
}

impl RequestBody {
    pub(super) fn new(incoming: Incoming, connection: Arc<Connection>) -> Self {
        Self { incoming: Some(incoming), connection, polls: 0 }
    }

    fn is_awaited(&self) -> bool {
        self.polls >= POLLS_UNTIL_AWAITED
    }

    /// The body is no longer awaited. Returns false where the connection is being closed.
    fn settle(&mut self) -> bool {
        let awaited = self.is_awaited();
        self.polls = 0;
        !awaited || self.connection.enter(Phase::Busy)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        self.settle();
        if let Some(incoming) = self.incoming.take().filter(|it| !it.is_end_stream()) {
            self.connection.leave_unread(incoming);
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(incoming) = &mut self.incoming else { return Poll::Ready(None) };
        let polled = Pin::new(&mut *incoming).poll_frame(context);
        let more = !incoming.is_end_stream();
        match &polled {
            Poll::Pending => {
                self.polls = self.polls.saturating_add(1);
                if self.polls == POLLS_UNTIL_AWAITED {
                    // Where it is being closed, this future is dropped soon.
                    let _ = self.connection.enter(Phase::Receiving);
                }
                return Poll::Pending;
            }
            Poll::Ready(Some(Ok(frame))) if more => {
                if self.is_awaited() {
                    self.connection.moved(frame.data_ref().map_or(0, Bytes::len));
                }
                return polled;
            }
            Poll::Ready(_) => self.incoming = None,
        }
        // Whoever judged the connection slow and closes it was first: nothing may begin.
        if self.settle() { polled } else { Poll::Pending }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint)
    }
}

//! The body of a request that is being received. The body reports its progress to the connection.

use super::connection::{Connection, Phase};
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// The number of polls without a frame from which on the handler counts as waiting for the client.
/// hyper hands over received bytes only at the poll after the one that asked for them, so that the
/// first poll never returns a frame.
const POLLS_UNTIL_AWAITED: u8 = 2;

/// A body that sets its connection's phase to `Receiving` while a handler waits for it. A body that
/// the handler did not read to its end is left to the connection.
pub(super) struct RequestBody {
    /// The body; `None` once its end was reached.
    incoming: Option<Incoming>,
    connection: Arc<Connection>,
    /// The number of polls that returned no frame.
    polls: u8,
}

impl RequestBody {
    pub(super) fn new(incoming: Incoming, connection: Arc<Connection>) -> Self {
        Self { incoming: Some(incoming), connection, polls: 0 }
    }

    fn is_awaited(&self) -> bool {
        self.polls >= POLLS_UNTIL_AWAITED
    }

    /// Sets the phase back to `Busy` where the body was awaited. Returns false where the connection
    /// is being closed.
    fn end_waiting(&mut self) -> bool {
        let awaited = self.is_awaited();
        self.polls = 0;
        !awaited || self.connection.enter(Phase::Busy)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        self.end_waiting();
        if let Some(incoming) = self.incoming.take().filter(|body| !body.is_end_stream()) {
            self.connection.leave_body(incoming);
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
                    // Where the connection is being closed, this future is dropped soon.
                    let _ = self.connection.enter(Phase::Receiving);
                }
                return Poll::Pending;
            }
            Poll::Ready(Some(Ok(frame))) if more => {
                if self.is_awaited() {
                    self.connection.credit_progress(frame.data_ref().map_or(0, Bytes::len));
                }
                return polled;
            }
            Poll::Ready(_) => self.incoming = None,
        }
        // Where the reaper has closed the connection meanwhile, the handler must not go on.
        if self.end_waiting() { polled } else { Poll::Pending }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint)
    }
}

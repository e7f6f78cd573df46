//! The socket of a connection: notes when the client has to read before more can be sent and
//! when it has sent the end of its stream, and closes so that the last answer arrives.

use super::connection::{Connection, Phase};
use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use std::{
    io::{self, IoSlice},
    mem::MaybeUninit,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::net::TcpStream;

/// Bytes that a client may still send after the last answer, before the connection is closed
/// without waiting for it to stop.
const LINGER_BYTES_MAX: usize = 8 * 1024 * 1024;

const SCRATCH_BYTES: usize = 4096;

/// A socket that reports to its connection. On the usual way, where what is written is taken
/// at once, that costs a look at a flag.
pub(super) struct WatchedStream {
    io: TokioIo<TcpStream>,
    connection: Arc<Connection>,
    /// Whether the last write had to wait.
    blocked: bool,
    /// Whether the client was told that nothing follows.
    shut: bool,
    /// Whether the client sends nothing more, and then whether it has reset the connection.
    client_ended: Option<bool>,
    lingered_bytes: usize,
    /// Time in milliseconds after which the kernel gives up a client that does not read.
    unread_ms: u32,
}

impl Drop for WatchedStream {
    /// Bounds the time for which the kernel keeps what was not read: it keeps that as well when
    /// the socket has been closed.
    fn drop(&mut self) {
        let stream = self.io.inner();
        // A socket that has failed has nothing to keep.
        if self.connection.resets() {
            let _ = stream.set_zero_linger();
            return;
        }
        #[cfg(target_os = "linux")]
        let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, self.unread_ms);
    }
}

impl WatchedStream {
    pub(super) fn new(stream: TcpStream, connection: Arc<Connection>, unread_ms: u64) -> Self {
        Self {
            io: TokioIo::new(stream),
            connection,
            blocked: false,
            shut: false,
            client_ended: None,
            lingered_bytes: 0,
            unread_ms: u32::try_from(unread_ms).unwrap_or(u32::MAX),
        }
    }

    fn wrote(&mut self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &result {
            Poll::Pending if self.blocked && self.connection.phase() == Phase::Sending => {}
            Poll::Pending => {
                self.blocked = true;
                self.connection.blocked();
            }
            Poll::Ready(Ok(bytes)) => self.connection.wrote(*bytes, self.blocked),
            Poll::Ready(Err(_)) => {}
        }
        result
    }

    /// Looks for the end of the client's stream while a request is handled: hyper does not read
    /// then.
    fn watch_client(&mut self, context: &mut Context<'_>) {
        if !matches!(self.connection.phase(), Phase::Busy | Phase::AwaitingRoom) {
            return;
        }
        if self.client_ended.is_none() {
            let mut byte = [MaybeUninit::uninit()];
            let mut byte = tokio::io::ReadBuf::uninit(&mut byte);
            self.client_ended = match self.io.inner().poll_peek(context, &mut byte) {
                Poll::Ready(Ok(0)) => Some(false),
                Poll::Ready(Err(_)) => Some(true),
                Poll::Ready(Ok(_)) | Poll::Pending => None,
            };
        }
        if let Some(gone) = self.client_ended {
            self.connection.client_ended(gone);
        }
    }
}

impl Read for WatchedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl Write for WatchedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write(context, bytes);
        self.wrote(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write_vectored(context, slices);
        self.wrote(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    /// Is called when all was written, and whenever a request that is handled was looked at.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.blocked = false;
        self.connection.flushed();
        self.watch_client(context);
        Pin::new(&mut self.io).poll_flush(context)
    }

    /// Tells the client that nothing follows, then reads on until the client closes too: a
    /// socket closed with unread bytes in it is reset, and the reset can overtake the answer
    /// (RFC 9112, 9.6). A client that has closed before it has read everything keeps its
    /// connection until it has. The reaper bounds the time.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.shut {
            ready!(Pin::new(&mut self.io).poll_shutdown(context))?;
            self.shut = true;
            let _ = self.connection.enter(Phase::Lingering);
        }
        let mut scratch = [MaybeUninit::uninit(); SCRATCH_BYTES];
        while self.lingered_bytes < LINGER_BYTES_MAX {
            let mut buffer = ReadBuf::uninit(&mut scratch);
            // A client that has gone is no failure here.
            if ready!(Pin::new(&mut self.io).poll_read(context, buffer.unfilled())).is_err() {
                break;
            }
            let bytes = buffer.filled().len();
            if bytes == 0 {
                // Nothing tells when the rest is read: the reaper looks again.
                let unread = self.connection.unread().is_some_and(|bytes| bytes > 0);
                return if unread { Poll::Pending } else { Poll::Ready(Ok(())) };
            }
            self.lingered_bytes += bytes;
        }
        Poll::Ready(Ok(()))
    }
}

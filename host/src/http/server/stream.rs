//! The socket of a connection. It reports blocked writes and the end of the client's stream to the
//! connection, and closes in a way that lets the last answer arrive.

use super::connection::{Connection, InputEnd, Phase};
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

/// The number of bytes that a client may still send after the last answer. After more of them the
/// connection is closed at once.
const LINGER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The size of the buffer for bytes that are read and dropped.
const SCRATCH_BYTES: usize = 4096;

/// A socket that reports to its connection. While the operating system takes every write at once,
/// reporting costs a few atomic operations.
pub(super) struct WatchedStream {
    io: TokioIo<TcpStream>,
    connection: Arc<Connection>,
    /// Whether the last write had to wait.
    blocked: bool,
    /// Whether the server has ended its side of the stream.
    shut: bool,
    /// How the client has ended its side of the stream; `None` while the client has not.
    input_end: Option<InputEnd>,
    /// The number of bytes that were read and dropped after the last answer.
    lingered_bytes: usize,
    /// The time in milliseconds after which the kernel gives up sending to a client that does not
    /// read.
    unread_timeout_ms: u32,
}

impl Drop for WatchedStream {
    /// Bounds how long the kernel keeps unread bytes: it keeps them even after the socket is
    /// closed.
    fn drop(&mut self) {
        let stream = self.io.inner();
        // Both calls can fail only on a broken socket, for which the kernel keeps nothing.
        if self.connection.resets() {
            let _ = stream.set_zero_linger();
            return;
        }
        #[cfg(target_os = "linux")]
        let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, self.unread_timeout_ms);
    }
}

impl WatchedStream {
    pub(super) fn new(
        stream: TcpStream,
        connection: Arc<Connection>,
        unread_timeout_ms: u64,
    ) -> Self {
        Self {
            io: TokioIo::new(stream),
            connection,
            blocked: false,
            shut: false,
            input_end: None,
            lingered_bytes: 0,
            unread_timeout_ms: u32::try_from(unread_timeout_ms).unwrap_or(u32::MAX),
        }
    }

    /// Reports the result of a write to the connection.
    fn report_write(&mut self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &result {
            Poll::Pending if self.blocked && self.connection.phase() == Phase::Sending => {}
            Poll::Pending => {
                self.blocked = true;
                self.connection.write_blocked();
            }
            Poll::Ready(Ok(bytes)) => self.connection.wrote(*bytes, self.blocked),
            Poll::Ready(Err(_)) => {}
        }
        result
    }

    /// Looks for the end of the client's stream while a request is being handled: hyper does not
    /// read from the socket during that time.
    fn watch_input(&mut self, context: &mut Context<'_>) {
        if !matches!(self.connection.phase(), Phase::Busy | Phase::AwaitingAdmission) {
            return;
        }
        if self.input_end.is_none() {
            let mut byte = [MaybeUninit::uninit()];
            let mut byte = tokio::io::ReadBuf::uninit(&mut byte);
            self.input_end = match self.io.inner().poll_peek(context, &mut byte) {
                Poll::Ready(Ok(0)) => Some(InputEnd::Closed),
                Poll::Ready(Err(_)) => Some(InputEnd::Reset),
                Poll::Ready(Ok(_)) | Poll::Pending => None,
            };
        }
        if let Some(end) = self.input_end {
            self.connection.input_ended(end);
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
        self.report_write(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write_vectored(context, slices);
        self.report_write(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    /// hyper calls this when it has written everything, and after each poll of a request's handler.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.blocked = false;
        self.connection.flushed();
        self.watch_input(context);
        Pin::new(&mut self.io).poll_flush(context)
    }

    /// Ends the server's side of the stream, then reads until the client ends its side too. Closing
    /// a socket that has unread input resets the connection, and the reset can overtake the answer
    /// (RFC 9112, section 9.6). Where the client has ended its side before it has read everything,
    /// the connection stays open until it has. The reaper bounds the time.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.shut {
            ready!(Pin::new(&mut self.io).poll_shutdown(context))?;
            self.shut = true;
            let _ = self.connection.enter(Phase::Lingering);
        }
        let mut scratch = [MaybeUninit::uninit(); SCRATCH_BYTES];
        while self.lingered_bytes < LINGER_BYTES_MAX {
            let mut buffer = ReadBuf::uninit(&mut scratch);
            // An error means that the client has gone, so that there is nothing to wait for.
            if ready!(Pin::new(&mut self.io).poll_read(context, buffer.unfilled())).is_err() {
                break;
            }
            let bytes = buffer.filled().len();
            if bytes == 0 {
                // No wakeup tells when the client has read the rest: the reaper checks again.
                let unread = self.connection.unread_bytes().is_some_and(|bytes| bytes > 0);
                return if unread { Poll::Pending } else { Poll::Ready(Ok(())) };
            }
            self.lingered_bytes += bytes;
        }
        Poll::Ready(Ok(()))
    }
}

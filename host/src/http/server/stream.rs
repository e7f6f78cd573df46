//! The socket of a connection: notes when the client has to read before more can be sent, and
//! closes so that the last answer arrives.

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
    lingered_bytes: usize,
}

impl WatchedStream {
    pub(super) fn new(stream: TcpStream, connection: Arc<Connection>) -> Self {
        let io = TokioIo::new(stream);
        Self { io, connection, blocked: false, shut: false, lingered_bytes: 0 }
    }

    fn wrote(&mut self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &result {
            Poll::Pending => {
                self.blocked = true;
                // While a request is handled, the handler's time counts.
                if self.connection.phase() == Phase::Head {
                    let _ = self.connection.enter(Phase::Sending);
                }
            }
            Poll::Ready(Ok(bytes)) if self.blocked => {
                if self.connection.phase() == Phase::Sending {
                    self.connection.moved(*bytes);
                }
            }
            Poll::Ready(_) => {}
        }
        result
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

    /// Is called when all was written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.blocked {
            self.blocked = false;
            if self.connection.phase() == Phase::Sending {
                let _ = self.connection.enter(Phase::Head);
            }
        }
        Pin::new(&mut self.io).poll_flush(context)
    }

    /// Tells the client that nothing follows, then reads on until the client closes too: a
    /// socket closed with unread bytes in it is reset, and the reset can overtake the answer
    /// (RFC 9112, 9.6). The reaper bounds the time.
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
                break;
            }
            self.lingered_bytes += bytes;
        }
        Poll::Ready(Ok(()))
    }
}

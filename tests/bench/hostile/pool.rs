//! Many connections at once, which are opened again when the server closes them.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::TcpStream,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// The number of threads that serve the connections.
const THREADS: usize = 4;

/// A connection on which a write blocks for longer than this counts as closed.
const WRITE_PATIENCE: Duration = Duration::from_secs(2);

pub(crate) fn connect(port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(WRITE_PATIENCE))?;
    Ok(stream)
}

/// Opens a connection with a small receive buffer in the operating system.
pub(crate) fn connect_narrow(port: u16) -> io::Result<TcpStream> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4_096)?;
        socket.connect(([127, 0, 0, 1], port).into()).await?.into_std()
    })?;
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(WRITE_PATIENCE))?;
    Ok(stream)
}

/// The attacker's action on each connection in every round.
#[derive(Clone, Copy)]
pub(crate) enum Then {
    /// Keeps the connection open and reads nothing.
    Unread,
    /// Keeps the connection open and reads all that comes.
    Hold,
    /// Sends one byte.
    Trickle,
}

/// Keeps this number of connections open until the attack is over.
pub(crate) fn hold(
    connections: usize,
    over: &AtomicBool,
    then: Then,
    round: Duration,
    open: impl Fn() -> io::Result<TcpStream> + Sync,
) {
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut streams: Vec<TcpStream> = Vec::new();
                while !over.load(Ordering::Relaxed) {
                    streams.retain_mut(|stream| is_open(stream, then));
                    while streams.len() < connections.div_ceil(THREADS)
                        && !over.load(Ordering::Relaxed)
                    {
                        match open() {
                            Ok(stream) => streams.push(stream),
                            Err(_) => break,
                        }
                    }
                    std::thread::sleep(round);
                }
            });
        }
    });
}

fn is_open(stream: &mut TcpStream, then: Then) -> bool {
    let would_block = |error: &io::Error| error.kind() == ErrorKind::WouldBlock;
    if stream.set_nonblocking(true).is_err() {
        return false;
    }
    let open = match then {
        // A client that does not read learns of the end by writing. An empty line is no request.
        Then::Unread => stream.write(b"\r\n").map_or_else(|error| would_block(&error), |_| true),
        Then::Hold => match stream.read(&mut [0; 4_096]) {
            Ok(bytes) => bytes > 0,
            Err(error) => would_block(&error),
        },
        Then::Trickle => {
            let gone = stream.read(&mut [0; 4_096]).is_ok_and(|bytes| bytes == 0);
            !gone && stream.write(b"a").map_or_else(|error| would_block(&error), |_| true)
        }
    };
    open && stream.set_nonblocking(false).is_ok()
}

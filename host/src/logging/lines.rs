//! A bounded queue of lines, and the one thread that writes them.

use super::{Counters, long};
use std::{
    collections::VecDeque,
    io::{self, ErrorKind, Write},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tracing_subscriber::fmt::MakeWriter;

/// Bytes of lines that may wait to be written; more are lost.
const QUEUE_BYTES_MAX: usize = 1024 * 1024;

/// How long the end of the process may wait for the queue.
const FLUSH_MAX: Duration = Duration::from_secs(1);

/// Pause before a pipe is tried again that is full and does not let its writer wait.
const FULL_PIPE_PAUSE: Duration = Duration::from_millis(10);

/// How often the thread looks whether there is something to be told.
const TELL_INTERVAL: Duration = Duration::from_secs(1);

/// Standard error without the lock and without the buffer of the standard library: whoever waits
/// for it keeps nobody else from it.
pub(super) struct StandardError;

impl Write for StandardError {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(rustix::stdio::stderr(), bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Default)]
struct State {
    lines: VecDeque<Vec<u8>>,
    /// Bytes in them, and in the line that is being written.
    bytes: usize,
    /// Whether nobody adds lines any more.
    closed: bool,
    /// Whether the thread has ended.
    ended: bool,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    counters: &'static Counters,
    /// How many lost lines the log has told of.
    told: AtomicU64,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic happens under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line, or loses it: this never waits for the log.
    fn push(&self, line: Vec<u8>) {
        let mut state = self.lock();
        if state.closed || state.bytes + line.len() > QUEUE_BYTES_MAX {
            self.counters.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        state.bytes += line.len();
        state.lines.push_back(line);
        drop(state);
        self.changed.notify_all();
    }

    fn newly_lost(&self) -> u64 {
        let lost = self.counters.lost.load(Ordering::Relaxed);
        lost.saturating_sub(self.told.swap(lost, Ordering::Relaxed))
    }

    /// Takes the next line; waits for one, but not for longer than [`TELL_INTERVAL`].
    fn take(&self) -> Next {
        let state = self.lock();
        let nothing = |state: &mut State| state.lines.is_empty() && !state.closed;
        let waited = self.changed.wait_timeout_while(state, TELL_INTERVAL, nothing);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        match state.lines.pop_front() {
            Some(line) => Next::Line(line),
            None if state.closed => Next::End,
            None => Next::Nothing,
        }
    }
}

enum Next {
    Line(Vec<u8>),
    Nothing,
    End,
}

/// Lines on their way to a file. When it is dropped, it waits until they are written, for a bounded
/// time.
pub(super) struct Lines(Arc<Shared>);

impl Lines {
    /// Starts the thread that writes. Between two lines, and when there are none, it calls `tell`
    /// with the number of lines that were lost since the last time.
    pub(super) fn start(
        file: impl Write + Send + 'static,
        counters: &'static Counters,
        tell: impl Fn(u64) + Send + 'static,
    ) -> io::Result<Self> {
        let (state, changed, told) = (Mutex::default(), Condvar::new(), AtomicU64::new(0));
        let shared = Arc::new(Shared { state, changed, counters, told });
        let thread = std::thread::Builder::new().name("log".into());
        thread.spawn({
            let shared = Arc::clone(&shared);
            move || {
                Output { file, torn: false }.work(&shared, &tell);
                shared.lock().ended = true;
                shared.changed.notify_all();
            }
        })?;
        Ok(Self(shared))
    }

    pub(super) fn push(&self, line: Vec<u8>) {
        self.0.push(line);
    }

    /// How many lines were lost since the last time that this was asked or told.
    pub(super) fn newly_lost(&self) -> u64 {
        self.0.newly_lost()
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = true;
        self.0.changed.notify_all();
        let _ = self.0.changed.wait_timeout_while(state, FLUSH_MAX, |state| !state.ended);
        // A thread that waits for a stalled pipe is left behind: the process ends without it.
    }
}

struct Output<W> {
    file: W,
    /// Whether the last line was written in part.
    torn: bool,
}

impl<W: Write> Output<W> {
    fn work(mut self, shared: &Shared, tell: &impl Fn(u64)) {
        let counters = shared.counters;
        let mut told_at = Instant::now();
        let mut works = true;
        loop {
            match shared.take() {
                Next::End => return,
                Next::Nothing => {}
                Next::Line(line) => {
                    works = self.write(&line).is_ok();
                    let counter = if works { &counters.written } else { &counters.lost };
                    counter.fetch_add(1, Ordering::Relaxed);
                    let mut state = shared.lock();
                    state.bytes = state.bytes.saturating_sub(line.len());
                }
            }
            // A log that cannot be written need not be told about it.
            if works && told_at.elapsed() >= TELL_INTERVAL {
                tell(shared.newly_lost());
                told_at = Instant::now();
            }
        }
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.torn {
            self.write_all(b"\n")?;
        }
        self.write_all(line)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => {
                    rest = rest.get(written..).unwrap_or_default();
                    self.torn = !rest.is_empty();
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    std::thread::sleep(FULL_PIPE_PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Gives `tracing` a place for its lines, and bounds each of them.
pub(super) struct LinesWriter {
    shared: Arc<Shared>,
    json: bool,
}

impl LinesWriter {
    pub(super) fn new(lines: &Lines, json: bool) -> Self {
        Self { shared: Arc::clone(&lines.0), json }
    }
}

impl<'a> MakeWriter<'a> for LinesWriter {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

impl Write for &LinesWriter {
    /// Takes a whole line: `tracing-subscriber` writes each with one call.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.shared.push(long::bounded(line, self.json).into_owned());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;

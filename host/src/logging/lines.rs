//! A bounded queue of lines, and the one thread that writes them to a file.

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

/// Bytes that the queued lines may have together. A line that exceeds it is lost.
const QUEUE_BYTES_MAX: usize = 1024 * 1024;

/// The longest time that dropping a [`LineQueue`] waits until its lines are written.
const FLUSH_MAX: Duration = Duration::from_secs(1);

/// Pause before the next attempt to write to a full pipe that is in non-blocking mode.
const FULL_PIPE_PAUSE: Duration = Duration::from_millis(10);

/// Time between two reports of lines that were lost or held back.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Standard error without the standard library's lock, so that a blocked write blocks no other
/// thread.
pub(super) struct StandardError;

impl Write for StandardError {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(rustix::stdio::stderr(), bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The queued lines and the state of the thread that writes them.
#[derive(Default)]
struct QueueState {
    lines: VecDeque<Vec<u8>>,
    /// Bytes of the queued lines and of the line that is being written.
    bytes: usize,
    /// Whether the [`LineQueue`] was dropped. No lines are added after that.
    closed: bool,
    /// Whether the thread has ended.
    ended: bool,
}

/// The queue that the threads that log share with the thread that writes.
struct SharedQueue {
    queue: Mutex<QueueState>,
    changed: Condvar,
    counters: &'static Counters,
    /// Number of lost lines that were reported in the log.
    reported: AtomicU64,
}

impl SharedQueue {
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        // No code that can panic runs under this lock, so it is never poisoned.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a line, or counts it as lost when the queue is full. Never waits for a write.
    fn push(&self, line: Vec<u8>) {
        let mut queue = self.lock();
        if queue.closed || queue.bytes + line.len() > QUEUE_BYTES_MAX {
            self.counters.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        queue.bytes += line.len();
        queue.lines.push_back(line);
        drop(queue);
        self.changed.notify_all();
    }

    /// Returns how many lines were lost since the last call.
    fn newly_lost(&self) -> u64 {
        let lost = self.counters.lost.load(Ordering::Relaxed);
        lost.saturating_sub(self.reported.swap(lost, Ordering::Relaxed))
    }

    /// Takes the next line. Waits for one, at most for [`REPORT_INTERVAL`].
    fn take(&self) -> Next {
        let queue = self.lock();
        let idle = |queue: &mut QueueState| queue.lines.is_empty() && !queue.closed;
        let waited = self.changed.wait_timeout_while(queue, REPORT_INTERVAL, idle);
        let mut queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        match queue.lines.pop_front() {
            Some(line) => Next::Line(line),
            None if queue.closed => Next::End,
            None => Next::Wait,
        }
    }
}

/// What the thread does next.
enum Next {
    /// Write this line.
    Line(Vec<u8>),
    /// Wait again: no line came in time.
    Wait,
    /// End: the queue is closed and empty.
    End,
}

/// The queue of lines on their way to a file. Dropping it waits until the lines are written, at
/// most for [`FLUSH_MAX`].
pub(super) struct LineQueue(Arc<SharedQueue>);

impl LineQueue {
    /// Starts the thread that writes to `file`. About once each [`REPORT_INTERVAL`], while the file
    /// can be written, the thread calls `report` with the number of lines that were lost since the
    /// call before.
    ///
    /// # Errors
    /// The operating system cannot start a thread.
    pub(super) fn start(
        file: impl Write + Send + 'static,
        counters: &'static Counters,
        report: impl Fn(u64) + Send + 'static,
    ) -> io::Result<Self> {
        let (queue, changed, reported) = (Mutex::default(), Condvar::new(), AtomicU64::new(0));
        let shared = Arc::new(SharedQueue { queue, changed, counters, reported });
        let thread = std::thread::Builder::new().name("log".into());
        thread.spawn({
            let shared = Arc::clone(&shared);
            move || {
                Output { file, torn: false }.work(&shared, &report);
                shared.lock().ended = true;
                shared.changed.notify_all();
            }
        })?;
        Ok(Self(shared))
    }

    /// Queues a line that ends with a newline. When the queue is full the line is lost, and
    /// counted.
    pub(super) fn push(&self, line: Vec<u8>) {
        self.0.push(line);
    }

    /// Returns how many lines were lost since the last call or report.
    pub(super) fn newly_lost(&self) -> u64 {
        self.0.newly_lost()
    }
}

impl Drop for LineQueue {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.closed = true;
        self.0.changed.notify_all();
        let _ = self.0.changed.wait_timeout_while(queue, FLUSH_MAX, |queue| !queue.ended);
        // A thread that is blocked by a full pipe is left behind: the process ends without it.
    }
}

/// The file that the thread writes to.
struct Output<W> {
    file: W,
    /// Whether only a part of the last line was written.
    torn: bool,
}

impl<W: Write> Output<W> {
    fn work(mut self, shared: &SharedQueue, report: &impl Fn(u64)) {
        let counters = shared.counters;
        let mut reported_at = Instant::now();
        let mut writable = true;
        loop {
            match shared.take() {
                Next::End => return,
                Next::Wait => {}
                Next::Line(line) => {
                    writable = self.write(&line).is_ok();
                    let counter = if writable { &counters.written } else { &counters.lost };
                    counter.fetch_add(1, Ordering::Relaxed);
                    let mut queue = shared.lock();
                    queue.bytes = queue.bytes.saturating_sub(line.len());
                }
            }
            // A report would be lost too while the file cannot be written.
            if writable && reported_at.elapsed() >= REPORT_INTERVAL {
                report(shared.newly_lost());
                reported_at = Instant::now();
            }
        }
    }

    /// Writes a line. Ends the line before it first if only a part of that was written.
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

/// Receives the lines of `tracing-subscriber`, bounds their length and queues them.
pub(super) struct QueueWriter {
    shared: Arc<SharedQueue>,
    json: bool,
}

impl QueueWriter {
    pub(super) fn new(lines: &LineQueue, json: bool) -> Self {
        Self { shared: Arc::clone(&lines.0), json }
    }
}

impl<'a> MakeWriter<'a> for QueueWriter {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

impl Write for &QueueWriter {
    /// Queues a whole line: `tracing-subscriber` writes each line with one call.
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

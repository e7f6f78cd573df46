//! The log: bounded lines on standard error, for which no other thread ever waits.
//!
//! - **Logging does not block.** A thread that logs puts its line in a queue in memory, and one
//!   thread writes the queue (`lines`). When the log cannot be written (the disk is full, its
//!   reader has exited) or is not read (the pipe is full), lines are lost and counted; the next
//!   line that can be written says how many. At its end the process waits a bounded time for the
//!   queue.
//! - **The length of a line is bounded** (`long`): a longer value is cut, and a mark says how much
//!   is missing.
//! - **Repetition is bounded** (`repeats`): of each kind of line a few are written in each period,
//!   and one more line says how many others there were.
//!
//! While the log is on, nothing else in this program writes to standard error: such a write can
//! block for ever, and the print macros of the standard library panic when it fails. A panic is
//! therefore a line of the log too (`panics`).
//!
//! The queue is written by hand because `tracing_appender::non_blocking` does less. That writer
//! drops a line on an I/O error without counting it, bounds its queue by the number of lines and
//! not by bytes, and reports a failed shutdown with `println!`, which can block and panic. For the
//! rotation of files, which this program leaves to others, its crate brings `time` and
//! `crossbeam-channel`.
//!
//! This room registers its counters with the room `metrics`, and knows no other room.

mod lines;
mod long;
mod panics;
mod repeats;

use crate::metrics::{self, Counter};
use lines::{LineQueue, QueueWriter};
use repeats::{RepeatFilter, Repeats};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tracing_subscriber::{
    EnvFilter, Layer, Registry, layer::SubscriberExt, util::SubscriberInitExt,
};

/// The `tracing` target of this room's own lines.
const ROOM: &str = module_path!();

const WRITTEN: Counter = Counter::new("log_lines_written", "Lines of the log that were written.");
const LOST: Counter = Counter::new(
    "log_lines_lost",
    "Lines of the log that were lost because it could not be written, or not fast enough.",
);
const HELD_BACK: Counter = Counter::new(
    "log_lines_held_back",
    "Lines of the log that were held back because there were many like them.",
);

/// The style of the lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// Text for people to read.
    Text {
        /// Whether the text has ANSI colours.
        colours: bool,
    },
    /// One JSON object per line, for programs to read.
    Json,
}

/// The reason why the log could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The operating system cannot start the thread that writes.
    #[error("the thread that writes the log cannot be started: {0}")]
    Thread(#[from] io::Error),
    /// The process has another `tracing` subscriber already.
    #[error("the log cannot be started: {0}")]
    Installed(#[from] tracing_subscriber::util::TryInitError),
}

/// Counts of lines since the start of the process.
#[derive(Default)]
struct Counters {
    written: AtomicU64,
    lost: AtomicU64,
    held_back: AtomicU64,
}

/// The counters of the log, static because a process has one log.
static COUNTERS: Counters =
    Counters { written: AtomicU64::new(0), lost: AtomicU64::new(0), held_back: AtomicU64::new(0) };

/// Registers how many lines of the log of this process were written, lost and held back.
pub fn register_metrics(registry: &mut metrics::Registry) {
    registry.register(|encoder| {
        WRITTEN.encode(encoder, COUNTERS.written.load(Ordering::Relaxed))?;
        LOST.encode(encoder, COUNTERS.lost.load(Ordering::Relaxed))?;
        HELD_BACK.encode(encoder, COUNTERS.held_back.load(Ordering::Relaxed))
    });
}

/// The guard of this process's log. Dropping it ends the log: the queued lines are still written,
/// unless that takes longer than a second.
#[must_use]
pub struct LogGuard {
    repeats: Arc<Repeats>,
    lines: LineQueue,
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        panics::restore_hook();
        self.repeats.report_all();
        report_lost(self.lines.newly_lost());
    }
}

/// Logs the number of lines that were lost since the last report, unless it is 0.
fn report_lost(lines: u64) {
    if lines > 0 {
        tracing::warn!(
            lines,
            "lines of the log were lost: it could not be written, or not fast enough"
        );
    }
}

/// Starts the log of this process on standard error.
///
/// # Errors
/// [`LogError`].
pub fn start(filter: EnvFilter, style: Style) -> Result<LogGuard, LogError> {
    let repeats = Arc::new(Repeats::new(&COUNTERS));
    let reported = Arc::clone(&repeats);
    let lines = LineQueue::start(lines::StandardError, &COUNTERS, move |lost| {
        reported.report();
        report_lost(lost);
    })?;
    let json = style == Style::Json;
    let writer = QueueWriter::new(&lines, json);
    // `lines` counts failed writes. By default `tracing-subscriber` prints them to standard error.
    let layer = tracing_subscriber::fmt::layer().with_writer(writer).log_internal_errors(false);
    let layer: Box<dyn Layer<_> + Send + Sync> = match style {
        Style::Text { colours } => layer.with_ansi(colours).with_target(false).boxed(),
        Style::Json => layer.json().flatten_event(true).boxed(),
    };
    Registry::default()
        .with(filter)
        .with(layer)
        .with(RepeatFilter(Arc::clone(&repeats)))
        .try_init()?;
    panics::install_hook();
    Ok(LogGuard { repeats, lines })
}

/// Writes a text to standard error while there is no log. The call returns after a second at the
/// latest, whether or not the text could be written.
pub fn print_to_stderr(text: &str) {
    static UNCOUNTED: Counters = Counters {
        written: AtomicU64::new(0),
        lost: AtomicU64::new(0),
        held_back: AtomicU64::new(0),
    };
    if let Ok(lines) = LineQueue::start(lines::StandardError, &UNCOUNTED, |_| {}) {
        lines.push(format!("{text}\n").into_bytes());
    }
}

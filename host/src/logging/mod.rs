//! The log: lines on standard error, for which nothing ever waits, and which has bounds.
//!
//! - **Nothing waits.** A line is put in a queue in memory; one thread writes what is there
//!   (`lines`). Where the log cannot be written (a full disk, a reader that has gone) or is not
//!   read (a stalled pipe), lines are lost and counted, and as soon as a line can be written again
//!   the log says how many were. At its end the process waits for the queue for a bounded time.
//! - **A line has a bound** (`long`): longer values are cut, and say so.
//! - **What repeats has a bound** (`repeats`): of each kind of line a few are written per period;
//!   of the others the log says how many there were.
//!
//! Nothing else in this program writes to standard error while the log is on: a write there can
//! wait for ever, and the macros of the standard library panic where it fails. Panics are lines of
//! the log too (`panics`).
//!
//! `tracing-appender` has a writer that does not block, too. It loses lines on an I/O error without
//! counting them, bounds its queue in lines and not in bytes, says by `println!`, which panics and
//! waits, that it could not be stopped, and brings `time` and `crossbeam-channel` for the rotation
//! of files, which is not this program's business.
//!
//! This room knows none of the others.

mod lines;
mod long;
mod panics;
mod repeats;

use crate::metrics::{self, Counter};
use lines::{Lines, LinesWriter};
use repeats::{HoldBack, Repeats};
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

/// The target of what this room itself has to say.
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

/// How lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// For people; with colours or without.
    Text {
        /// Whether the terminal shows colours.
        colours: bool,
    },
    /// One JSON object per line, for programs.
    Json,
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// No thread can be had.
    #[error("the thread that writes the log cannot be started: {0}")]
    Thread(#[from] io::Error),
    /// The process has a log already.
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

/// Counts of the log of this process: a process has one log.
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

/// The log of this process. When it is dropped, what is queued is written, if that takes no longer
/// than a bound.
#[must_use]
pub struct Log {
    repeats: Arc<Repeats>,
    lines: Lines,
}

impl Drop for Log {
    fn drop(&mut self) {
        panics::leave();
        self.repeats.tell_all();
        tell_lost(self.lines.newly_lost());
    }
}

fn tell_lost(lines: u64) {
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
pub fn start(filter: EnvFilter, style: Style) -> Result<Log, LogError> {
    let repeats = Arc::new(Repeats::new(&COUNTERS));
    let told = Arc::clone(&repeats);
    let lines = Lines::start(lines::StandardError, &COUNTERS, move |lost| {
        told.tell();
        tell_lost(lost);
    })?;
    let json = style == Style::Json;
    let writer = LinesWriter::new(&lines, json);
    // A failure to write is counted; by default it would be said on standard error.
    let layer = tracing_subscriber::fmt::layer().with_writer(writer).log_internal_errors(false);
    let layer: Box<dyn Layer<_> + Send + Sync> = match style {
        Style::Text { colours } => layer.with_ansi(colours).with_target(false).boxed(),
        Style::Json => layer.json().flatten_event(true).boxed(),
    };
    Registry::default().with(filter).with(layer).with(HoldBack(Arc::clone(&repeats))).try_init()?;
    panics::log();
    Ok(Log { repeats, lines })
}

/// Says something on standard error, before there is a log or when there is none any more. It
/// waits for a bounded time; where it cannot be said, nothing happens.
pub fn say(text: &str) {
    static UNCOUNTED: Counters = Counters {
        written: AtomicU64::new(0),
        lost: AtomicU64::new(0),
        held_back: AtomicU64::new(0),
    };
    if let Ok(lines) = Lines::start(lines::StandardError, &UNCOUNTED, |_| {}) {
        lines.push(format!("{text}\n").into_bytes());
    }
}

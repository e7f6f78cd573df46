//! The bound of what repeats. Lines of one kind come from one place in the program and have the
//! same `code`, where they have one: a flood of refused requests does not hide a fault, which is
//! logged at the same place. Lines of the levels debug and trace have no such bound: somebody has
//! asked for them, and the queue bounds them.

use super::Counters;
use std::{
    collections::HashMap,
    fmt::{Debug, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};
use tracing::{
    Event, Level, Subscriber,
    callsite::Identifier,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

/// Lines of one kind that are written in one period.
const LINES_PER_PERIOD_MAX: u32 = 20;

/// A period, which begins with a line.
const PERIOD: Duration = Duration::from_secs(10);

/// Kinds that are told apart; all others are one kind.
const KINDS_MAX: usize = 256;

/// The longest name of a kind, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// By what kinds are told apart; `None`: one of too many.
type Key = Option<(Identifier, String)>;

struct Kind {
    level: Level,
    /// How the log calls it: the message, and the code where there is one.
    name: String,
    begun: Instant,
    /// Lines in this period, held back or not.
    lines: u32,
    /// Lines that were held back, and of which the log has not told yet.
    untold: u64,
}

/// The kinds of lines, and how many there were lately.
pub(super) struct Repeats {
    kinds: Mutex<HashMap<Key, Kind>>,
    counters: &'static Counters,
}

impl Repeats {
    pub(super) fn new(counters: &'static Counters) -> Self {
        Self { kinds: Mutex::default(), counters }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Kind>> {
        // Nothing that can panic happens under the lock.
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a line is to be written.
    fn admits(&self, place: Identifier, line: Line, level: Level, now: Instant) -> bool {
        let mut kinds = self.lock();
        let mut key = Some((place, line.code));
        let mut name = line.name;
        if kinds.len() >= KINDS_MAX && !kinds.contains_key(&key) {
            (key, name) = (None, "lines of other kinds".to_owned());
        }
        let new = Kind { level, name, begun: now, lines: 0, untold: 0 };
        let kind = kinds.entry(key).or_insert(new);
        if now.saturating_duration_since(kind.begun) >= PERIOD {
            (kind.begun, kind.lines) = (now, 0);
        }
        kind.lines = kind.lines.saturating_add(1);
        if kind.lines <= LINES_PER_PERIOD_MAX {
            return true;
        }
        kind.untold += 1;
        self.counters.held_back.fetch_add(1, Ordering::Relaxed);
        false
    }

    /// Takes what was held back in periods that are over, or in all.
    fn untold(&self, now: Instant, all: bool) -> Vec<(Level, String, u64)> {
        let mut kinds = self.lock();
        let over = kinds.values_mut().filter(|kind| {
            // A period that goes on again has fewer lines than its bound.
            let over = now.saturating_duration_since(kind.begun) >= PERIOD;
            kind.untold > 0 && (all || over || kind.lines <= LINES_PER_PERIOD_MAX)
        });
        over.map(|kind| (kind.level, kind.name.clone(), std::mem::take(&mut kind.untold))).collect()
    }

    /// Tells of lines that were held back in periods that are over.
    pub(super) fn tell(&self) {
        tell(self.untold(Instant::now(), false));
    }

    /// Tells of all lines that were held back.
    pub(super) fn tell_all(&self) {
        tell(self.untold(Instant::now(), true));
    }
}

fn tell(untold: Vec<(Level, String, u64)>) {
    for (level, like, lines) in untold {
        const MESSAGE: &str = "more lines like this were not logged";
        match level {
            Level::ERROR => tracing::error!(lines, like, "{MESSAGE}"),
            Level::WARN => tracing::warn!(lines, like, "{MESSAGE}"),
            _ => tracing::info!(lines, like, "{MESSAGE}"),
        }
    }
}

/// What a line says of its kind.
#[derive(Default)]
struct Line {
    name: String,
    code: String,
}

impl Line {
    fn of(event: &Event<'_>) -> Self {
        let mut line = Self::default();
        event.record(&mut line);
        line.code.truncate(line.code.floor_char_boundary(NAME_BYTES_MAX));
        if !line.code.is_empty() {
            line.name.push_str(": ");
            line.name.push_str(&line.code);
        }
        line.name.truncate(line.name.floor_char_boundary(NAME_BYTES_MAX));
        line
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "code" {
            self.code = value.to_owned();
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            // Writing to a text does not fail.
            let _ = write!(self.name, "{value:?}");
        }
    }
}

/// Keeps lines from the log that repeat too often.
pub(super) struct HoldBack(pub(super) Arc<Repeats>);

impl<S: Subscriber> Layer<S> for HoldBack {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        let level = *metadata.level();
        // What this room has to say has a bound of its own.
        if level > Level::INFO || metadata.target().starts_with(super::ROOM) {
            return true;
        }
        self.0.admits(metadata.callsite(), Line::of(event), level, Instant::now())
    }
}

#[cfg(test)]
#[path = "repeats_tests.rs"]
mod tests;

//! The bound on repeated lines. Two lines are of the same kind when they come from the same place
//! in the program and have the same field `code`. The code is part of it because all refused
//! requests are logged at one place: a flood of one refusal must not hide another.
//!
//! Lines of the levels debug and trace are not bounded here: an operator has asked for them, and
//! the queue still bounds their bytes.

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

/// Number of lines of one kind that are written in one period.
const LINES_PER_PERIOD_MAX: u32 = 20;

/// Length of a period. A kind's period begins with its first line after the period before.
const PERIOD: Duration = Duration::from_secs(10);

/// Number of kinds that are counted separately. All further kinds share one count.
const KINDS_MAX: usize = 256;

/// The longest name of a kind, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// The place and the code of a kind; `None` for the kinds beyond [`KINDS_MAX`].
type Key = Option<(Identifier, String)>;

struct LineKind {
    level: Level,
    /// The message and, if there is one, the code: the kind's name in reports.
    name: String,
    /// Beginning of the current period.
    begun: Instant,
    /// Lines in the current period, including those that were held back.
    lines: u32,
    /// Lines that were held back and not reported yet.
    unreported: u64,
}

/// The counts of recent lines, by kind.
pub(super) struct Repeats {
    kinds: Mutex<HashMap<Key, LineKind>>,
    counters: &'static Counters,
}

impl Repeats {
    pub(super) fn new(counters: &'static Counters) -> Self {
        Self { kinds: Mutex::default(), counters }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, LineKind>> {
        // No code that can panic runs under this lock, so it is never poisoned.
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a line and returns whether to write it.
    fn admits(&self, place: Identifier, line: KindFields, level: Level, now: Instant) -> bool {
        let mut kinds = self.lock();
        let mut key = Some((place, line.code));
        let mut name = line.name;
        if kinds.len() >= KINDS_MAX && !kinds.contains_key(&key) {
            (key, name) = (None, "lines of other kinds".to_owned());
        }
        let new = LineKind { level, name, begun: now, lines: 0, unreported: 0 };
        let kind = kinds.entry(key).or_insert(new);
        if now.saturating_duration_since(kind.begun) >= PERIOD {
            (kind.begun, kind.lines) = (now, 0);
        }
        kind.lines = kind.lines.saturating_add(1);
        if kind.lines <= LINES_PER_PERIOD_MAX {
            return true;
        }
        kind.unreported += 1;
        self.counters.held_back.fetch_add(1, Ordering::Relaxed);
        false
    }

    /// Takes the counts of lines that were held back: those of periods that are over or, with
    /// `all`, of all periods.
    fn take_unreported(&self, now: Instant, all: bool) -> Vec<(Level, String, u64)> {
        let mut kinds = self.lock();
        let over = kinds.values_mut().filter(|kind| {
            // After held back lines, a count within the bound means that a new period has begun.
            let over = now.saturating_duration_since(kind.begun) >= PERIOD;
            kind.unreported > 0 && (all || over || kind.lines <= LINES_PER_PERIOD_MAX)
        });
        over.map(|kind| (kind.level, kind.name.clone(), std::mem::take(&mut kind.unreported)))
            .collect()
    }

    /// Logs how many lines were held back in periods that are over.
    pub(super) fn report(&self) {
        report(self.take_unreported(Instant::now(), false));
    }

    /// Logs how many lines were held back in all periods.
    pub(super) fn report_all(&self) {
        report(self.take_unreported(Instant::now(), true));
    }
}

fn report(unreported: Vec<(Level, String, u64)>) {
    for (level, like, lines) in unreported {
        const MESSAGE: &str = "more lines like this were not logged";
        match level {
            Level::ERROR => tracing::error!(lines, like, "{MESSAGE}"),
            Level::WARN => tracing::warn!(lines, like, "{MESSAGE}"),
            _ => tracing::info!(lines, like, "{MESSAGE}"),
        }
    }
}

/// The fields of a line that determine its kind.
#[derive(Default)]
struct KindFields {
    name: String,
    code: String,
}

impl KindFields {
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

impl Visit for KindFields {
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

/// The layer that holds back lines that repeat too often.
pub(super) struct RepeatFilter(pub(super) Arc<Repeats>);

impl<S: Subscriber> Layer<S> for RepeatFilter {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        let level = *metadata.level();
        // The lines of this room are bounded already: one each second for each kind.
        if level > Level::INFO || metadata.target().starts_with(super::ROOM) {
            return true;
        }
        self.0.admits(metadata.callsite(), KindFields::of(event), level, Instant::now())
    }
}

#[cfg(test)]
#[path = "repeats_tests.rs"]
mod tests;

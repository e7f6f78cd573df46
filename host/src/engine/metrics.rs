//! The metrics of the engine: the writer's batches and the time of its stages, the queue, the
//! component that decides, and the clock.
//!
//! The hot path counts in relaxed atomics: a few additions for each batch, and none for each
//! command. A scrape reads these counters.

use super::{
    clock::{Clock, ClockStatus},
    queue::Queue,
    switch::Control,
};
use crate::{
    metrics::{Counter, Encoder, Gauge, Info, Registry},
    model::Timestamp,
    store::LargeRecords,
};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

const BATCHES: Counter = Counter::new(
    "batches",
    "Batches of commands that the writer has finished, whether or not their commit succeeded.",
);
const COMMANDS: Counter = Counter::new("commands", "Commands in those batches.");
const OVERLOADED: Counter =
    Counter::new("overloaded", "Requests that were refused because the writer's queue was full.");
const WAITING: Gauge = Gauge::new("waiting_commands", "Commands that wait in the writer's queue.");
const WRITER: Counter = Counter::of_seconds(
    "writer",
    "Time of the writer's thread by stage: waiting for commands, deciding, committing, replying.",
);
const LARGE_ANSWERS: Gauge = Gauge::of_bytes(
    "idempotency_large",
    "Size of all idempotency records that have 16 KiB or more each.",
);
const FORGOTTEN_EARLY: Counter = Counter::new(
    "idempotency_forgotten_early",
    "Idempotency records of 16 KiB or more that were deleted before they expired, to keep within \
     the bounds.",
);
const FAULTS: Counter =
    Counter::new("domain_faults", "Calls that ended with a fault of the component.");
const ROLLED_BACK: Gauge = Gauge::new(
    "domain_rolled_back",
    "Whether the current component was installed by a rollback: 1 for yes.",
);
const DOMAIN: Info = Info::new("domain", "SHA-256 of the current component.");
const CLOCK_FOLLOWING: Gauge = Gauge::new(
    "clock_following",
    "Whether the time of decisions follows the wall clock: 1 for yes.",
);
const CLOCK_AHEAD: Gauge = Gauge::of_seconds(
    "clock_wall_ahead",
    "How far the wall clock is ahead of the time of decisions; negative when it is behind.",
);

/// The shortest time between two warnings that the queue is full, in milliseconds.
const WARNING_INTERVAL_MS: u64 = 1_000;

/// A stage of the writer's work on a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// The writer waits for commands.
    Wait,
    /// The component decides the commands.
    Decide,
    /// The store makes the batch durable.
    Commit,
    /// The writer sends the replies.
    Reply,
}

impl Stage {
    /// All stages in the order in which a batch goes through them.
    const ALL: [Self; 4] = [Self::Wait, Self::Decide, Self::Commit, Self::Reply];

    /// The value of the label `stage`.
    fn label(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Decide => "decide",
            Self::Commit => "commit",
            Self::Reply => "reply",
        }
    }
}

/// The numbers that the engine counts since the start of the process.
#[derive(Default)]
pub(super) struct EngineMetrics {
    batches: AtomicU64,
    commands: AtomicU64,
    overloaded: AtomicU64,
    /// Time of the latest warning that the queue is full, in milliseconds since the epoch.
    warned_at: AtomicU64,
    /// Time spent in each stage, in the order of [`Stage::ALL`].
    nanoseconds: [AtomicU64; 4],
    large_answers_bytes: AtomicU64,
    answers_forgotten_early: AtomicU64,
}

impl EngineMetrics {
    /// Counts a request that was refused because the queue is full, and logs a warning, at most one
    /// each second.
    pub(super) fn count_overload(&self, waiting: usize, now: Timestamp) {
        let refused = self.overloaded.fetch_add(1, Ordering::Relaxed) + 1;
        let warned_at = self.warned_at.load(Ordering::Relaxed);
        let due = now.saturating_sub(warned_at) >= WARNING_INTERVAL_MS;
        // Of several threads that find a warning due, the one that moves the time logs it.
        let first = due
            && self
                .warned_at
                .compare_exchange(warned_at, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if first {
            tracing::warn!(
                waiting,
                refused,
                "overloaded: the queue is full; `refused` counts since the start"
            );
        }
    }

    /// Sets the metrics of the idempotency records of large answers: their size in bytes, and the
    /// number of records that were deleted early.
    pub(super) fn set_large_answers(&self, answers: LargeRecords) {
        self.large_answers_bytes.store(answers.bytes, Ordering::Relaxed);
        self.answers_forgotten_early.store(answers.forgotten_early, Ordering::Relaxed);
    }

    fn count_batch(&self, commands: usize) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.commands.fetch_add(u64::try_from(commands).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn add_time(&self, stage: Stage, time: Duration) {
        if let Some(counter) = self.nanoseconds.get(stage as usize) {
            let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            counter.fetch_add(nanoseconds, Ordering::Relaxed);
        }
    }

    fn encode(&self, encoder: &mut Encoder<'_>) -> fmt::Result {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        BATCHES.encode(encoder, load(&self.batches))?;
        COMMANDS.encode(encoder, load(&self.commands))?;
        OVERLOADED.encode(encoder, load(&self.overloaded))?;
        let times = self.nanoseconds.iter().map(|counter| Duration::from_nanos(load(counter)));
        WRITER.encode_durations(
            encoder,
            "stage",
            Stage::ALL.map(Stage::label).into_iter().zip(times),
        )?;
        LARGE_ANSWERS.encode(encoder, load(&self.large_answers_bytes))?;
        FORGOTTEN_EARLY.encode(encoder, load(&self.answers_forgotten_early))
    }
}

/// Measures how long the stages of the writer's work take.
pub(super) struct StageTimer<'m> {
    metrics: &'m EngineMetrics,
    begun: Instant,
}

impl<'m> StageTimer<'m> {
    /// Begins the first stage.
    pub(super) fn start(metrics: &'m EngineMetrics) -> Self {
        Self { metrics, begun: Instant::now() }
    }

    /// Ends `stage`: adds the time since the previous stage ended to its counter.
    pub(super) fn end(&mut self, stage: Stage) {
        let now = Instant::now();
        self.metrics.add_time(stage, now - self.begun);
        self.begun = now;
    }

    /// Counts a batch of this many commands.
    pub(super) fn count_batch(&self, commands: usize) {
        self.metrics.count_batch(commands);
    }
}

/// Registers all metrics of the engine.
pub(super) fn register(
    registry: &mut Registry,
    metrics: Arc<EngineMetrics>,
    queue: Arc<Queue>,
    control: Arc<dyn Control>,
    clock: Arc<Clock>,
) {
    registry.register(move |encoder| {
        metrics.encode(encoder)?;
        WAITING.encode(encoder, u64::try_from(queue.waiting()).unwrap_or(u64::MAX))
    });
    registry.register({
        let clock = Arc::clone(&clock);
        move |encoder| {
            let domain = control.status(clock.now());
            FAULTS.encode(encoder, domain.faults)?;
            ROLLED_BACK.encode_flag(encoder, domain.installed.rolled_back)?;
            DOMAIN.encode(encoder, "component", &domain.installed.current.to_string())
        }
    });
    registry.register(move |encoder| {
        let reading = clock.read();
        CLOCK_FOLLOWING.encode_flag(encoder, reading.status == ClockStatus::Following)?;
        CLOCK_AHEAD.encode(encoder, seconds(reading.wall_ahead_ms))
    });
}

#[allow(clippy::cast_precision_loss, reason = "milliseconds of 285,000 years are exact")]
fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Format;

    fn scrape(metrics: EngineMetrics) -> String {
        let mut registry = Registry::default();
        registry.register(move |encoder| metrics.encode(encoder));
        registry.encode(Format::Prometheus).unwrap()
    }

    #[test]
    fn time_goes_to_the_stage_that_ends() {
        let metrics = EngineMetrics::default();
        metrics.add_time(Stage::Commit, Duration::from_millis(1_500));
        metrics.add_time(Stage::Commit, Duration::from_millis(1));
        metrics.add_time(Stage::Reply, Duration::from_micros(1));
        let text = scrape(metrics);
        for (stage, seconds) in
            [("wait", "0.0"), ("decide", "0.0"), ("commit", "1.501"), ("reply", "0.000001")]
        {
            let line = format!("\nholdfast_writer_seconds_total{{stage=\"{stage}\"}} {seconds}\n");
            assert!(text.contains(&line), "{line} in {text}");
        }
    }

    #[test]
    fn batches_refusals_and_forgotten_answers_are_counted() {
        let metrics = EngineMetrics::default();
        StageTimer::start(&metrics).count_batch(3);
        StageTimer::start(&metrics).count_batch(6);
        metrics.count_overload(5, 1_000_000);
        metrics.count_overload(5, 1_000_001);
        metrics.set_large_answers(LargeRecords { bytes: 4, forgotten_early: 5 });
        assert_eq!(metrics.warned_at.load(Ordering::Relaxed), 1_000_000, "one warning each second");
        let text = scrape(metrics);
        for line in [
            "holdfast_batches_total 2",
            "holdfast_commands_total 9",
            "holdfast_overloaded_total 2",
            "holdfast_idempotency_large_bytes 4",
            "holdfast_idempotency_forgotten_early_total 5",
        ] {
            assert!(text.contains(&format!("\n{line}\n")), "{line} in {text}");
        }
    }

    #[test]
    fn a_clock_behind_is_a_negative_number_of_seconds() {
        assert!((seconds(-1_500) + 1.5).abs() < f64::EPSILON);
    }
}

//! What the writer has done so far, and where its time went.

use crate::{model::Timestamp, store::LargeAnswers};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// Between two warnings of the same overload.
const WARNING_INTERVAL_MS: u64 = 1_000;

/// What the writer spends its time on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Nothing: no command is waiting.
    Wait,
    /// The component decides.
    Decide,
    /// The store makes a batch durable.
    Commit,
    /// The answers go out.
    Reply,
}

impl Stage {
    /// All of them, in the order of a batch.
    pub const ALL: [Self; 4] = [Self::Wait, Self::Decide, Self::Commit, Self::Reply];
}

/// What was counted since the start.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Reading {
    /// Batches that were committed, or failed to be.
    pub batches: u64,
    /// Commands in them.
    pub commands: u64,
    /// Requests that were refused because the queue was full.
    pub overloaded: u64,
    /// Time spent, by [`Stage::ALL`].
    pub spent: [Duration; 4],
    /// The idempotency records of large answers.
    pub answers: LargeAnswers,
}

/// Counts: the writer its work, whoever is refused the refusal; anybody reads.
#[derive(Default)]
pub(super) struct Meter {
    batches: AtomicU64,
    commands: AtomicU64,
    overloaded: AtomicU64,
    /// When somebody was last told of an overload.
    warned_at: AtomicU64,
    nanoseconds: [AtomicU64; 4],
    answers_bytes: AtomicU64,
    answers_forgotten_early: AtomicU64,
}

impl Meter {
    pub(super) fn read(&self) -> Reading {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Reading {
            batches: load(&self.batches),
            commands: load(&self.commands),
            overloaded: load(&self.overloaded),
            spent: self.nanoseconds.each_ref().map(|it| Duration::from_nanos(load(it))),
            answers: LargeAnswers {
                bytes: load(&self.answers_bytes),
                forgotten_early: load(&self.answers_forgotten_early),
            },
        }
    }

    /// Counts a refusal, and warns of it, though not of each.
    pub(super) fn overloaded(&self, waiting: usize, now: Timestamp) {
        let refused = self.overloaded.fetch_add(1, Ordering::Relaxed) + 1;
        let warned_at = self.warned_at.load(Ordering::Relaxed);
        let due = now.saturating_sub(warned_at) >= WARNING_INTERVAL_MS;
        // Of several who find it due, one warns.
        let mine = due
            && self
                .warned_at
                .compare_exchange(warned_at, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if mine {
            tracing::warn!(
                waiting,
                refused,
                "overloaded: the queue is full; refused since the start"
            );
        }
    }

    /// Notes what is kept of large answers.
    pub(super) fn answers(&self, answers: LargeAnswers) {
        self.answers_bytes.store(answers.bytes, Ordering::Relaxed);
        self.answers_forgotten_early.store(answers.forgotten_early, Ordering::Relaxed);
    }

    fn batch(&self, commands: usize) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.commands.fetch_add(u64::try_from(commands).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn spend(&self, stage: Stage, time: Duration) {
        if let Some(counter) = self.nanoseconds.get(stage as usize) {
            let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            counter.fetch_add(nanoseconds, Ordering::Relaxed);
        }
    }
}

/// The writer's watch: time goes to the stage that ends.
pub(super) struct Watch<'m> {
    meter: &'m Meter,
    since: Instant,
}

impl<'m> Watch<'m> {
    pub(super) fn start(meter: &'m Meter) -> Self {
        Self { meter, since: Instant::now() }
    }

    pub(super) fn ended(&mut self, stage: Stage) {
        let now = Instant::now();
        self.meter.spend(stage, now - self.since);
        self.since = now;
    }

    pub(super) fn batch(&self, commands: usize) {
        self.meter.batch(commands);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_to_the_stage_that_ends() {
        let meter = Meter::default();
        let mut watch = Watch::start(&meter);
        std::thread::sleep(Duration::from_millis(2));
        watch.ended(Stage::Commit);
        watch.batch(3);
        let reading = meter.read();
        assert!(reading.spent[2] >= Duration::from_millis(2));
        assert_eq!(reading.spent[0], Duration::ZERO);
        assert_eq!((reading.batches, reading.commands), (1, 3));
    }
}

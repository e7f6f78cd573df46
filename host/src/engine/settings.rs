use crate::store::IdempotencyBounds;
use std::time::Duration;

/// The bounds and intervals of the engine.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The most commands that may wait for the writer. Further commands are refused at once.
    pub queue_commands_max: usize,
    /// The most lines of commands that may wait for the writer.
    pub queue_lines_max: usize,
    /// The most commands in one batch.
    pub batch_commands_max: usize,
    /// The most lines in one batch, unless one request alone has more.
    pub batch_lines_max: usize,
    /// The most lines that the commands of one request may have together.
    pub request_lines_max: usize,
    /// The deadline of a request, from its arrival in the queue to its reply.
    pub answer_within: Duration,
    /// The most queries that run at once. Further queries wait.
    pub readers_max: usize,
    /// The deadline of a query, from its beginning.
    pub query_within: Duration,
    /// Pause between two sweeps of due holds, in milliseconds; 0 turns sweeps off.
    pub sweep_interval_ms: u64,
    /// The time for which idempotency records are kept, in milliseconds.
    pub answers_kept_ms: u64,
    /// The bounds on idempotency records of large answers.
    pub idempotency_bounds: IdempotencyBounds,
    /// The most decided commands that are recorded for replays; 0 records none.
    pub recorded_commands_max: u64,
    /// Faults of a component within a minute that cause a rollback; 0 turns rollbacks off.
    pub faults_per_minute_max: u32,
    /// The longest step forward of the wall clock within a day that is followed, in milliseconds.
    pub clock_step_ms_max: u64,
    /// Whether the wall clock is accepted where it is behind the recorded time at the start.
    pub accept_clock: bool,
}

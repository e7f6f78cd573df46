use crate::store::IdempotencyBounds;
use std::time::Duration;

/// The bounds of the engine.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Commands that may wait for the writer; more are refused at once.
    pub queue_commands_max: usize,
    /// Lines of commands that may wait for the writer.
    pub queue_lines_max: usize,
    /// Commands in one batch.
    pub batch_commands_max: usize,
    /// Lines in one batch, unless one request alone has more.
    pub batch_lines_max: usize,
    /// Lines that the commands of one request may have together.
    pub request_lines_max: usize,
    /// How long a request may wait for its turn and its decision.
    pub answer_within: Duration,
    /// Queries that run at once; more wait.
    pub readers_max: usize,
    /// How long a query may run.
    pub query_within: Duration,
    /// Pause between two sweeps of due holds, in milliseconds; 0: no sweeps.
    pub sweep_interval_ms: u64,
    /// How long the answers to requests with a key are kept, in milliseconds.
    pub answers_kept_ms: u64,
    /// Bounds on what is kept of large answers to such requests.
    pub idempotency_bounds: IdempotencyBounds,
    /// Decided commands that are recorded for replays; 0: none.
    pub recorded_commands_max: u64,
    /// Faults within a minute at which a component gives way to the one before; 0: never.
    pub faults_per_minute_max: u32,
    /// How far the wall clock may be set forward within a day to be followed, in milliseconds.
    pub clock_step_ms_max: u64,
    /// Whether the wall clock is right where a start finds it behind the recorded time.
    pub accept_clock: bool,
}

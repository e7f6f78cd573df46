/// What a component may use, per call unless said otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Linear memory of one instance, in bytes.
    pub memory_bytes_max: usize,
    /// Fuel: about one unit per executed instruction, the same on every run.
    pub fuel_per_call: u64,
    /// Wall-clock time, host imports included, in milliseconds.
    pub deadline_ms: u64,
    /// Instances alive at once, over all callers.
    pub instances_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes_max: 64 * 1024 * 1024,
            fuel_per_call: 50_000_000,
            deadline_ms: 1_000,
            instances_max: 64,
        }
    }
}

/// How often the clock for deadlines ticks.
pub(super) const TICK_MS: u64 = 10;

impl Limits {
    /// The deadline in ticks, rounded up, plus the tick that is under way.
    pub(super) fn deadline_ticks(&self) -> u64 {
        self.deadline_ms.div_ceil(TICK_MS) + 1
    }
}

/// What a component may use, per call unless said otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Each linear memory of an instance, in bytes.
    pub memory_bytes_max: usize,
    /// Fuel: about one unit per executed instruction, the same on every run.
    pub fuel_per_call: u64,
    /// Wall-clock time, host imports included, in milliseconds.
    pub deadline_ms: u64,
    /// Calls of `storage` and `event-sink`.
    pub host_calls_max: u32,
    /// Items that its scans may ask for, together.
    pub scanned_items_max: u32,
    /// Bytes that it hands to the host at once, as arguments of an import or as a result.
    pub transfer_bytes_max: usize,
    /// Instances alive at once, over all callers.
    pub instances_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes_max: 64 * 1024 * 1024,
            fuel_per_call: 20_000_000,
            deadline_ms: 1_000,
            host_calls_max: 65_536,
            scanned_items_max: 65_536,
            transfer_bytes_max: 8 * 1024 * 1024,
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

/// What of the limits on the host's work is left in a call.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Allowance {
    host_calls: u32,
    scanned_items: u32,
}

impl Allowance {
    pub(super) fn of(limits: &Limits) -> Self {
        Self { host_calls: limits.host_calls_max, scanned_items: limits.scanned_items_max }
    }

    /// Counts a call of an import; false: it was one too many.
    pub(super) fn call(&mut self) -> bool {
        let left = self.host_calls.checked_sub(1);
        self.host_calls = left.unwrap_or(0);
        left.is_some()
    }

    /// Counts items that a scan asks for; false: they were too many.
    pub(super) fn scan(&mut self, items: u32) -> bool {
        let left = self.scanned_items.checked_sub(items);
        self.scanned_items = left.unwrap_or(0);
        left.is_some()
    }
}

//! The limits of a component.

/// The limits of a component; each applies to one call unless its text says otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The size of each linear memory of an instance, in bytes.
    pub memory_bytes_max: usize,
    /// Fuel, about one unit for each executed instruction. The same call uses the same fuel on
    /// every run.
    pub fuel_per_call: u64,
    /// Elapsed time, host imports included, in milliseconds.
    pub deadline_ms: u64,
    /// The number of calls of the imports `storage` and `event-sink`.
    pub host_calls_max: u32,
    /// The number of items that all scans of a call may ask for together.
    pub scanned_items_max: u32,
    /// The number of bytes that the component may pass to the host at once, as arguments of an
    /// import or as a result.
    pub transfer_bytes_max: usize,
    /// The number of live instances of all components together.
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

/// The tick of the clock for deadlines, in milliseconds.
pub(super) const TICK_MS: u64 = 10;

impl Limits {
    /// The deadline in ticks, rounded up, plus the current tick, which may be almost over.
    pub(super) fn deadline_ticks(&self) -> u64 {
        self.deadline_ms.div_ceil(TICK_MS) + 1
    }
}

/// The work of the host that a call may still cause.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Allowance {
    host_calls: u32,
    scanned_items: u32,
}

impl Allowance {
    pub(super) fn of(limits: &Limits) -> Self {
        Self { host_calls: limits.host_calls_max, scanned_items: limits.scanned_items_max }
    }

    /// Counts a call of an import. Returns `false` where the call is one too many.
    pub(super) fn call(&mut self) -> bool {
        let left = self.host_calls.checked_sub(1);
        self.host_calls = left.unwrap_or(0);
        left.is_some()
    }

    /// Counts the items that a scan asks for. Returns `false` where they are too many.
    pub(super) fn scan(&mut self, items: u32) -> bool {
        let left = self.scanned_items.checked_sub(items);
        self.scanned_items = left.unwrap_or(0);
        left.is_some()
    }
}

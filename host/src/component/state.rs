//! The host's state for one guest.

use super::{
    limits::{Allowance, Limits},
    sandbox::Sandbox,
};
use crate::model::{Fault, Timestamp};
use wasmtime::{StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::{WasiCtxView, WasiView};

/// The most items that one scan may ask for.
const SCAN_ITEMS_MAX: u32 = 1_001;

/// The host's state for one guest: its world, its limits and its sandbox.
pub(super) struct GuestState<W> {
    pub(super) world: W,
    /// The bound on the size of the guest's memories, which wasmtime enforces.
    pub(super) memory: StoreLimits,
    /// The limits of each call.
    limits: Limits,
    /// The work of the host that the current call may still cause.
    allowance: Allowance,
    /// `None` for a guest that imports nothing of WASI.
    sandbox: Option<Box<Sandbox>>,
}

impl<W> GuestState<W> {
    /// The state of a new guest. A guest that uses WASI gets a sandbox at once, because each call
    /// sets the sandbox's clock.
    pub(super) fn new(world: W, limits: Limits, uses_wasi: bool) -> Self {
        Self {
            world,
            memory: StoreLimitsBuilder::new().memory_size(limits.memory_bytes_max).build(),
            limits,
            allowance: Allowance::of(&limits),
            sandbox: uses_wasi.then(|| Box::new(Sandbox::new())),
        }
    }

    /// Prepares a call as of `now`: a full allowance, and for WASI a clock and a seed of
    /// randomness.
    pub(super) fn begin_call(&mut self, now: Timestamp, seed: &[u8]) {
        self.allowance = Allowance::of(&self.limits);
        if let Some(sandbox) = &mut self.sandbox {
            sandbox.begin_call(now, seed);
        }
    }

    /// The text of the guest's standard error; `None` where the guest wrote nothing.
    pub(super) fn stderr_text(&self) -> Option<String> {
        self.sandbox.as_ref().and_then(|sandbox| sandbox.stderr_text())
    }

    /// Counts a call of an import.
    ///
    /// # Errors
    /// [`Fault`]: the call is one too many.
    pub(super) fn count_call(&mut self) -> Result<(), Fault> {
        if self.allowance.call() {
            return Ok(());
        }
        let most = self.limits.host_calls_max;
        Err(Fault(format!("it called the host more than {most} times in one call")))
    }

    /// Counts a call of an import that scans up to `limit` items.
    ///
    /// # Errors
    /// [`Fault`]: the call is one too many, or the items are.
    pub(super) fn count_scan(&mut self, limit: u32) -> Result<(), Fault> {
        self.count_call()?;
        if limit > SCAN_ITEMS_MAX {
            let text =
                format!("it asked to scan {limit} items at once, allowed are {SCAN_ITEMS_MAX}");
            return Err(Fault(text));
        }
        if self.allowance.scan(limit) {
            return Ok(());
        }
        let most = self.limits.scanned_items_max;
        Err(Fault(format!("it scanned more than {most} items in one call")))
    }
}

impl<W: Send> WasiView for GuestState<W> {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.sandbox.get_or_insert_with(|| Box::new(Sandbox::new())).view()
    }
}

//! The WASI state of one guest: a clock, randomness and standard error, and nothing else. The
//! clock shows the time of the call and the randomness is derived from the command's id, so that a
//! component decides in the same way on every machine. Where a call fails, the host's log shows the
//! guest's standard error.

use rand_core::TryRng;
use sha2::{Digest, Sha256};
use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{
    HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, p2::pipe::MemoryOutputPipe,
};

/// The answer of `wasi:random/insecure-seed`: a seed without meaning, the same for every guest.
const NO_RANDOM_SEED: u128 = u128::from_le_bytes(*b"holdfast-domain.");

/// The most random bytes that a guest may request at once.
const RANDOM_BYTES_MAX: u64 = 64 * 1024;

/// The most bytes that a guest can write to its standard error.
const STDERR_BYTES_MAX: usize = 16 * 1024;

/// The most characters of standard error that the host's log shows.
const STDERR_CHARACTERS_SHOWN_MAX: usize = 2_000;

/// The WASI state of one instance.
pub(super) struct Sandbox {
    ctx: WasiCtx,
    table: ResourceTable,
    now_ms: Arc<AtomicU64>,
    random: Arc<Mutex<SeededRandom>>,
    stderr: MemoryOutputPipe,
}

impl Sandbox {
    pub(super) fn new() -> Self {
        let now_ms = Arc::new(AtomicU64::new(0));
        let random = Arc::new(Mutex::new(SeededRandom::seeded(&[])));
        let stderr = MemoryOutputPipe::new(STDERR_BYTES_MAX);
        let ctx = WasiCtx::builder()
            .wall_clock(CommandClock(Arc::clone(&now_ms)))
            .monotonic_clock(CommandClock(Arc::clone(&now_ms)))
            .secure_random(CommandRandomness(Arc::clone(&random)))
            .insecure_random(CommandRandomness(Arc::clone(&random)))
            .insecure_random_seed(NO_RANDOM_SEED)
            .max_random_size(RANDOM_BYTES_MAX)
            .stderr(stderr.clone())
            .allow_tcp(false)
            .allow_udp(false)
            .build();
        Self { ctx, table: ResourceTable::new(), now_ms, random, stderr }
    }

    /// Prepares a call: sets the clock to `now_ms`, in milliseconds since the epoch, and seeds the
    /// randomness.
    pub(super) fn begin_call(&mut self, now_ms: u64, seed: &[u8]) {
        self.now_ms.store(now_ms, Ordering::Relaxed);
        *self.random.lock().unwrap_or_else(PoisonError::into_inner) = SeededRandom::seeded(seed);
    }

    /// The state as the WASI host functions take it.
    pub(super) fn view(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.ctx, table: &mut self.table }
    }

    /// The guest's standard error as one line of a log; `None` where the guest wrote nothing.
    pub(super) fn stderr_text(&self) -> Option<String> {
        let bytes = self.stderr.contents();
        let text = String::from_utf8_lossy(&bytes);
        let shown: String = text.trim_end().chars().take(STDERR_CHARACTERS_SHOWN_MAX).collect();
        (!shown.is_empty()).then(|| shown.escape_debug().to_string())
    }
}

/// A source of random bytes: SHA-256 of a seed and a counter, so that every machine draws the
/// same bytes.
struct SeededRandom {
    seed: [u8; 32],
    count: u64,
    /// The bytes of the latest block that were not drawn yet.
    unused: Vec<u8>,
}

impl SeededRandom {
    fn seeded(seed: &[u8]) -> Self {
        Self { seed: Sha256::digest(seed).into(), count: 0, unused: Vec::new() }
    }

    fn byte(&mut self) -> u8 {
        if let Some(byte) = self.unused.pop() {
            return byte;
        }
        self.count += 1;
        let block = Sha256::new().chain_update(self.seed).chain_update(self.count.to_le_bytes());
        self.unused = block.finalize().to_vec();
        self.unused.pop().unwrap_or(0)
    }
}

struct CommandRandomness(Arc<Mutex<SeededRandom>>);

impl TryRng for CommandRandomness {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        let mut random = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.fill_with(|| random.byte());
        Ok(())
    }
}

struct CommandClock(Arc<AtomicU64>);

impl HostWallClock for CommandClock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

impl HostMonotonicClock for CommandClock {
    fn resolution(&self) -> u64 {
        1_000_000
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed).saturating_mul(1_000_000)
    }
}

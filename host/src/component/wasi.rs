//! WASI for foreign components, interface by interface and with nothing granted: no
//! files, no network, no environment, no arguments. Their clock is the time of the command
//! and their randomness is made of its id, so that they decide alike everywhere. What they
//! write to standard error is kept for the log, should they fail. The shipped component
//! names none of these.

use super::{World, guest::State};
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
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::{
    HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView,
    cli::{WasiCli, WasiCliView},
    clocks::{WasiClocks, WasiClocksView},
    filesystem::{WasiFilesystem, WasiFilesystemView},
    p2::{
        bindings::{cli, clocks, filesystem::preopens, random, sync},
        pipe::MemoryOutputPipe,
    },
    random::{WasiRandom, WasiRandomView},
};

/// What `wasi:random/insecure-seed` answers: a seed without meaning, the same for everybody.
const NO_RANDOM_SEED: u128 = u128::from_le_bytes(*b"holdfast-domain.");

/// The most random bytes that a guest may ask for at once.
const RANDOM_BYTES_MAX: u64 = 64 * 1024;

/// What is kept of a guest's standard error; more than that it cannot write.
const STDERR_BYTES_MAX: usize = 16 * 1024;

/// What of it is told.
const SAID_CHARACTERS_MAX: usize = 2_000;

/// The state of WASI for one instance.
pub(super) struct Sandbox {
    ctx: WasiCtx,
    table: ResourceTable,
    now_ms: Arc<AtomicU64>,
    dice: Arc<Mutex<Dice>>,
    stderr: MemoryOutputPipe,
}

impl Sandbox {
    pub(super) fn new() -> Self {
        let now_ms = Arc::new(AtomicU64::new(0));
        let dice = Arc::new(Mutex::new(Dice::seeded(&[])));
        let stderr = MemoryOutputPipe::new(STDERR_BYTES_MAX);
        let ctx = WasiCtx::builder()
            .wall_clock(CommandClock(Arc::clone(&now_ms)))
            .monotonic_clock(CommandClock(Arc::clone(&now_ms)))
            .secure_random(CommandRandomness(Arc::clone(&dice)))
            .insecure_random(CommandRandomness(Arc::clone(&dice)))
            .insecure_random_seed(NO_RANDOM_SEED)
            .max_random_size(RANDOM_BYTES_MAX)
            .stderr(stderr.clone())
            .allow_tcp(false)
            .allow_udp(false)
            .build();
        Self { ctx, table: ResourceTable::new(), now_ms, dice, stderr }
    }

    /// Sets the clock, and what randomness is made of.
    pub(super) fn begin_call(&mut self, now_ms: u64, seed: &[u8]) {
        self.now_ms.store(now_ms, Ordering::Relaxed);
        *self.dice.lock().unwrap_or_else(PoisonError::into_inner) = Dice::seeded(seed);
    }

    /// What the guest wrote to standard error, fit for one line of a log.
    pub(super) fn said(&self) -> Option<String> {
        let bytes = self.stderr.contents();
        let text = String::from_utf8_lossy(&bytes);
        let shown: String = text.trim_end().chars().take(SAID_CHARACTERS_MAX).collect();
        (!shown.is_empty()).then(|| shown.escape_debug().to_string())
    }
}

/// SHA-256 of a seed and a count: the same bytes on every machine, today and in ten years.
struct Dice {
    seed: [u8; 32],
    count: u64,
    left: Vec<u8>,
}

impl Dice {
    fn seeded(seed: &[u8]) -> Self {
        Self { seed: Sha256::digest(seed).into(), count: 0, left: Vec::new() }
    }

    fn byte(&mut self) -> u8 {
        if let Some(byte) = self.left.pop() {
            return byte;
        }
        self.count += 1;
        let block = Sha256::new().chain_update(self.seed).chain_update(self.count.to_le_bytes());
        self.left = block.finalize().to_vec();
        self.left.pop().unwrap_or(0)
    }
}

struct CommandRandomness(Arc<Mutex<Dice>>);

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
        let mut dice = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.fill_with(|| dice.byte());
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

impl<W: World> WasiView for State<W> {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let sandbox = self.sandbox();
        WasiCtxView { ctx: &mut sandbox.ctx, table: &mut sandbox.table }
    }
}

struct Io;

impl HasData for Io {
    type Data<'a> = &'a mut ResourceTable;
}

/// Links the interface of this name; false where it is none that the host grants.
pub(super) fn link<W: World>(linker: &mut Linker<State<W>>, name: &str) -> wasmtime::Result<bool> {
    type S<W> = State<W>;
    let l = linker;
    let interface = name.split_once('@').map_or(name, |(interface, _)| interface);
    match interface {
        "wasi:io/error" => {
            wasmtime_wasi::p2::bindings::io::error::add_to_linker::<S<W>, Io>(l, |s| {
                s.ctx().table
            })?;
        }
        "wasi:io/poll" => sync::io::poll::add_to_linker::<S<W>, Io>(l, |s| s.ctx().table)?,
        "wasi:io/streams" => sync::io::streams::add_to_linker::<S<W>, Io>(l, |s| s.ctx().table)?,
        "wasi:clocks/wall-clock" => {
            clocks::wall_clock::add_to_linker::<S<W>, WasiClocks>(l, S::clocks)?;
        }
        "wasi:clocks/monotonic-clock" => {
            clocks::monotonic_clock::add_to_linker::<S<W>, WasiClocks>(l, S::clocks)?;
        }
        "wasi:random/random" => {
            random::random::add_to_linker::<S<W>, WasiRandom>(l, S::random)?;
        }
        "wasi:random/insecure" => {
            random::insecure::add_to_linker::<S<W>, WasiRandom>(l, S::random)?;
        }
        "wasi:random/insecure-seed" => {
            random::insecure_seed::add_to_linker::<S<W>, WasiRandom>(l, S::random)?;
        }
        "wasi:filesystem/types" => {
            sync::filesystem::types::add_to_linker::<S<W>, WasiFilesystem>(l, S::filesystem)?;
        }
        "wasi:filesystem/preopens" => {
            preopens::add_to_linker::<S<W>, WasiFilesystem>(l, S::filesystem)?;
        }
        "wasi:cli/environment" => {
            cli::environment::add_to_linker::<S<W>, WasiCli>(l, S::cli)?;
        }
        "wasi:cli/exit" => cli::exit::add_to_linker::<S<W>, WasiCli>(l, S::cli)?,
        "wasi:cli/stdin" => cli::stdin::add_to_linker::<S<W>, WasiCli>(l, S::cli)?,
        "wasi:cli/stdout" => cli::stdout::add_to_linker::<S<W>, WasiCli>(l, S::cli)?,
        "wasi:cli/stderr" => cli::stderr::add_to_linker::<S<W>, WasiCli>(l, S::cli)?,
        "wasi:cli/terminal-input" => {
            cli::terminal_input::add_to_linker::<S<W>, WasiCli>(l, S::cli)?;
        }
        "wasi:cli/terminal-output" => {
            cli::terminal_output::add_to_linker::<S<W>, WasiCli>(l, S::cli)?;
        }
        "wasi:cli/terminal-stdin" => {
            cli::terminal_stdin::add_to_linker::<S<W>, WasiCli>(l, S::cli)?;
        }
        "wasi:cli/terminal-stdout" => {
            cli::terminal_stdout::add_to_linker::<S<W>, WasiCli>(l, S::cli)?;
        }
        "wasi:cli/terminal-stderr" => {
            cli::terminal_stderr::add_to_linker::<S<W>, WasiCli>(l, S::cli)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

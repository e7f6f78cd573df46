//! WASI for foreign components, interface by interface and with nothing granted: no
//! files, no network, no environment, no arguments. Their clock is the time of the command
//! and their randomness a fixed sequence, so that they decide alike everywhere. The
//! shipped component names none of these.

use super::{World, guest::State};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::{
    Deterministic, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView,
    cli::{WasiCli, WasiCliView},
    clocks::{WasiClocks, WasiClocksView},
    filesystem::{WasiFilesystem, WasiFilesystemView},
    p2::bindings::{cli, clocks, filesystem::preopens, random, sync},
    random::{WasiRandom, WasiRandomView},
};

/// What `wasi:random` answers: bytes without meaning, the same at every call.
const NO_RANDOMNESS: [u8; 16] = *b"holdfast-domain.";
const NO_RANDOM_SEED: u128 = u128::from_le_bytes(NO_RANDOMNESS);

/// The state of WASI for one instance.
pub(super) struct Sandbox {
    ctx: WasiCtx,
    table: ResourceTable,
    now_ms: Arc<AtomicU64>,
}

impl Sandbox {
    pub(super) fn new() -> Self {
        let now_ms = Arc::new(AtomicU64::new(0));
        let ctx = WasiCtx::builder()
            .wall_clock(CommandClock(Arc::clone(&now_ms)))
            .monotonic_clock(CommandClock(Arc::clone(&now_ms)))
            .secure_random(Deterministic::new(NO_RANDOMNESS.to_vec()))
            .insecure_random(Deterministic::new(NO_RANDOMNESS.to_vec()))
            .insecure_random_seed(NO_RANDOM_SEED)
            .allow_tcp(false)
            .allow_udp(false)
            .build();
        Self { ctx, table: ResourceTable::new(), now_ms }
    }

    pub(super) fn set_time(&self, now_ms: u64) {
        self.now_ms.store(now_ms, Ordering::Relaxed);
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

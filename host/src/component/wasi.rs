//! WASI for foreign components, linked interface by interface. No interface grants files, a
//! network, an environment or arguments. The standard component imports none of them.

use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::{
    WasiView,
    cli::{WasiCli, WasiCliView},
    clocks::{WasiClocks, WasiClocksView},
    filesystem::{WasiFilesystem, WasiFilesystemView},
    p2::bindings::{cli, clocks, filesystem::preopens, random, sync},
    random::{WasiRandom, WasiRandomView},
};

struct Io;

impl HasData for Io {
    type Data<'a> = &'a mut ResourceTable;
}

/// Links the interface of this name, with or without a version. Returns `false` for an interface
/// that the host does not grant.
pub(super) fn link<S: WasiView + 'static>(
    linker: &mut Linker<S>,
    name: &str,
) -> wasmtime::Result<bool> {
    let l = linker;
    let interface = name.split_once('@').map_or(name, |(interface, _)| interface);
    match interface {
        "wasi:io/error" => {
            wasmtime_wasi::p2::bindings::io::error::add_to_linker::<S, Io>(l, |s| s.ctx().table)?;
        }
        "wasi:io/poll" => sync::io::poll::add_to_linker::<S, Io>(l, |s| s.ctx().table)?,
        "wasi:io/streams" => sync::io::streams::add_to_linker::<S, Io>(l, |s| s.ctx().table)?,
        "wasi:clocks/wall-clock" => {
            clocks::wall_clock::add_to_linker::<S, WasiClocks>(l, S::clocks)?;
        }
        "wasi:clocks/monotonic-clock" => {
            clocks::monotonic_clock::add_to_linker::<S, WasiClocks>(l, S::clocks)?;
        }
        "wasi:random/random" => {
            random::random::add_to_linker::<S, WasiRandom>(l, S::random)?;
        }
        "wasi:random/insecure" => {
            random::insecure::add_to_linker::<S, WasiRandom>(l, S::random)?;
        }
        "wasi:random/insecure-seed" => {
            random::insecure_seed::add_to_linker::<S, WasiRandom>(l, S::random)?;
        }
        "wasi:filesystem/types" => {
            sync::filesystem::types::add_to_linker::<S, WasiFilesystem>(l, S::filesystem)?;
        }
        "wasi:filesystem/preopens" => {
            preopens::add_to_linker::<S, WasiFilesystem>(l, S::filesystem)?;
        }
        "wasi:cli/environment" => {
            cli::environment::add_to_linker::<S, WasiCli>(l, S::cli)?;
        }
        "wasi:cli/exit" => cli::exit::add_to_linker::<S, WasiCli>(l, S::cli)?,
        "wasi:cli/stdin" => cli::stdin::add_to_linker::<S, WasiCli>(l, S::cli)?,
        "wasi:cli/stdout" => cli::stdout::add_to_linker::<S, WasiCli>(l, S::cli)?,
        "wasi:cli/stderr" => cli::stderr::add_to_linker::<S, WasiCli>(l, S::cli)?,
        "wasi:cli/terminal-input" => {
            cli::terminal_input::add_to_linker::<S, WasiCli>(l, S::cli)?;
        }
        "wasi:cli/terminal-output" => {
            cli::terminal_output::add_to_linker::<S, WasiCli>(l, S::cli)?;
        }
        "wasi:cli/terminal-stdin" => {
            cli::terminal_stdin::add_to_linker::<S, WasiCli>(l, S::cli)?;
        }
        "wasi:cli/terminal-stdout" => {
            cli::terminal_stdout::add_to_linker::<S, WasiCli>(l, S::cli)?;
        }
        "wasi:cli/terminal-stderr" => {
            cli::terminal_stderr::add_to_linker::<S, WasiCli>(l, S::cli)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

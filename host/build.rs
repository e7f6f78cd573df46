//! Builds the domain component for wasm32-wasip2, so that `cargo run` just works, and
//! tells the crate where it is. Where the target is missing, it is added through rustup.
//!
//! `HOLDFAST_COMPONENT_FILE` names a ready `.wasm` and skips all that, for packagers.

use std::{
    env,
    error::Error,
    path::{Path, PathBuf},
    process::Command,
};

const TARGET: &str = "wasm32-wasip2";
const READY_COMPONENT: &str = "HOLDFAST_COMPONENT_FILE";

/// What the outer cargo sets for its own build and must not leak into the inner one.
const FOREIGN: [&str; 11] = [
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_TARGET_DIR",
    "RUSTC",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_MAKEFLAGS",
    "MAKEFLAGS",
    "CARGO_INCREMENTAL",
];
const FOREIGN_PREFIXES: [&str; 3] = ["CARGO_CFG_", "CARGO_FEATURE_", "CARGO_PROFILE_"];

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    println!("cargo::rerun-if-env-changed={READY_COMPONENT}");
    let component = match env::var_os(READY_COMPONENT) {
        Some(file) => ready(PathBuf::from(file))?,
        None => build()?,
    };
    println!("cargo::rustc-env=HOLDFAST_COMPONENT={}", component.display());
    Ok(())
}

fn ready(file: PathBuf) -> Result<PathBuf, Failure> {
    println!("cargo::rerun-if-changed={}", file.display());
    let absolute = file
        .canonicalize()
        .map_err(|error| format!("{READY_COMPONENT}={}: {error}", file.display()))?;
    Ok(absolute)
}

fn build() -> Result<PathBuf, Failure> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("..").canonicalize()?;
    for source in ["wit", "domain-component", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
    require_target(&root)?;
    let target_dir = PathBuf::from(env::var("OUT_DIR")?).join("component");
    let mut cargo = clean(Command::new(env::var("CARGO")?));
    let status = cargo
        .current_dir(&root)
        .args(["build", "--locked", "--package", "domain-component"])
        .args(["--profile", "component", "--target", TARGET, "--target-dir"])
        .arg(&target_dir)
        .status()?;
    if !status.success() {
        return Err(format!("building the domain component for {TARGET} failed: {status}").into());
    }
    Ok(target_dir.join(TARGET).join("component").join("domain_component.wasm"))
}

/// Adds the target where it is missing: the toolchain file alone does not, where rustup's
/// automatic installation is off.
fn require_target(root: &Path) -> Result<(), Failure> {
    let sysroot = clean(Command::new(env::var("RUSTC")?))
        .current_dir(root)
        .args(["--print", "sysroot"])
        .output()?;
    let sysroot = PathBuf::from(String::from_utf8(sysroot.stdout)?.trim());
    if sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir() {
        return Ok(());
    }
    println!("cargo::warning=adding the Rust target {TARGET} with rustup (once)");
    match clean(Command::new("rustup")).current_dir(root).args(["target", "add", TARGET]).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!(
            "`rustup target add {TARGET}` failed ({status}): run it by hand, then build again"
        )
        .into()),
        Err(error) => Err(format!(
            "the Rust target {TARGET} is missing and rustup cannot be run ({error}): install the \
             target's standard library for this compiler with your package manager, or set \
             {READY_COMPONENT} to a compiled component"
        )
        .into()),
    }
}

fn clean(mut command: Command) -> Command {
    for (name, _) in env::vars_os() {
        let foreign = name.to_str().is_some_and(|name| {
            FOREIGN.contains(&name)
                || FOREIGN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        });
        if foreign {
            command.env_remove(name);
        }
    }
    command
}

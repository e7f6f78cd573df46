//! Programs of other languages, where they are on the machine.

use std::{
    ffi::OsStr,
    path::Path,
    process::{Command, Stdio},
};

/// By which the scripts say that a program is missing.
const MISSING: i32 = 77;

/// Runs a script of the project with one argument, as `run_with` does.
pub fn run(script: &str, argument: &Path) -> Option<String> {
    run_with(script, &[argument.as_os_str()])
}

/// Runs a script of the project and returns what it prints. None where a program that the script
/// needs is missing: this is said on standard error, and in CI it is a failure.
pub fn run_with(script: &str, arguments: &[&OsStr]) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(root.join(script))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{script}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(MISSING) {
        assert!(std::env::var_os("CI").is_none(), "{script} cannot run in CI: {errors}");
        #[allow(clippy::print_stderr, reason = "that something was skipped is to be seen")]
        {
            eprintln!("skipped: {script}: {errors}");
        }
        return None;
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{script}: {}\n{printed}\n{errors}", output.status);
    Some(String::from_utf8(output.stdout).expect("text"))
}

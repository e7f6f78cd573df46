//! Runs scripts that need programs of other languages.

use std::{
    ffi::OsStr,
    path::Path,
    process::{Command, Stdio},
};

/// The exit code of a script when a program that it needs is missing.
const MISSING: i32 = 77;

/// Runs a script of the project with one argument, like [`run_with`].
pub fn run(script: &str, argument: &Path) -> Option<String> {
    run_with(script, &[argument.as_os_str()])
}

/// Runs a script of the project and returns its output. Returns `None`, and says so on standard
/// error, where a program that the script needs is missing; in CI that is a failure.
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
        #[allow(clippy::print_stderr, reason = "a skipped test must be visible")]
        {
            eprintln!("skipped: {script}: {errors}");
        }
        return None;
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{script}: {}\n{printed}\n{errors}", output.status);
    Some(String::from_utf8(output.stdout).expect("text"))
}

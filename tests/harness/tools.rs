//! Programs of other languages, where they are on the machine.

use std::{
    path::Path,
    process::{Command, Stdio},
};

/// By which the scripts say that a program is missing.
const MISSING: i32 = 77;

/// Runs a script of the project; what it prints. None where a program that it needs is missing,
/// which is said, and in CI is a failure.
pub fn run(script: &str, argument: &Path) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(root.join(script))
        .arg(argument)
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
    assert!(output.status.success(), "{script}: {}\n{errors}", output.status);
    Some(String::from_utf8(output.stdout).expect("text"))
}

//! The `holdfast` server: see the library of the same name.

use std::process::ExitCode;

fn main() -> ExitCode {
    holdfast::cli::run()
}

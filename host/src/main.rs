//! The program `holdfast`. The library of the same name has everything behind it.

use std::process::ExitCode;

fn main() -> ExitCode {
    holdfast::cli::run()
}

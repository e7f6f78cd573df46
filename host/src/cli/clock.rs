//! `holdfast clock`: the clock of a running server.

use super::{print, remote};
use crate::config::Config;
use clap::Subcommand;
use hyper::Method;

const CLOCK: &str = "/v1/admin/clock";
const ACCEPT: &str = "/v1/admin/clock/accept";

/// The subcommands of `holdfast clock`.
#[derive(Subcommand, Clone, Debug)]
pub(super) enum ClockCommand {
    /// Print the server's time, the wall clock, and how far they are apart
    Status,
    /// Confirm that the wall clock is right: the server follows a large step forward at once; if the wall clock is behind, the server's time passes slower by a tenth until both meet
    Accept,
}

pub(super) fn run(command: &ClockCommand, config: &Config) -> anyhow::Result<()> {
    let (method, path) = match command {
        ClockCommand::Status => (Method::GET, CLOCK),
        ClockCommand::Accept => (Method::POST, ACCEPT),
    };
    let answer = remote::ask(config, method, path, &[], Vec::new())?;
    print(&serde_json::to_string_pretty(&answer)?)
}

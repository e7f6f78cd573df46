use super::{print, remote};
use crate::config::Config;
use clap::Subcommand;
use hyper::Method;

const CLOCK: &str = "/v1/admin/clock";
const ACCEPT: &str = "/v1/admin/clock/accept";

/// The subcommands of `holdfast clock`.
#[derive(Subcommand, Clone, Debug)]
pub(super) enum ClockCommand {
    /// How the server's time and the wall clock stand to each other
    Status,
    /// Say that the wall clock is right: a step forward that waited is followed; where the wall clock is behind, time passes slower by a tenth until they meet
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

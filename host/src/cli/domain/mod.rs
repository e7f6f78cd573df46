//! `holdfast domain`: components, offline and on a running server.

mod check;

use crate::config::Config;
use clap::Subcommand;
use std::{path::PathBuf, process::ExitCode};

/// What to do with components.
#[derive(Subcommand, Clone, Debug)]
pub(super) enum DomainCommand {
    /// Whether a component is a domain: scenarios and random commands, as a table
    Check {
        /// The component (.wasm); where absent, the one that this program embeds
        file: Option<PathBuf>,
    },
}

pub(super) fn run(command: &DomainCommand, config: &Config) -> anyhow::Result<ExitCode> {
    match command {
        DomainCommand::Check { file } => check::run(file.as_deref(), config),
    }
}

/// The bytes of a component file, or of the embedded component.
fn component(file: Option<&std::path::Path>) -> anyhow::Result<std::borrow::Cow<'static, [u8]>> {
    use anyhow::Context;
    match file {
        None => Ok(crate::component::EMBEDDED.into()),
        Some(file) => Ok(std::fs::read(file)
            .with_context(|| format!("reading the component {}", file.display()))?
            .into()),
    }
}

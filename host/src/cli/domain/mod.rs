//! `holdfast domain`: checks components, and manages those of a running server.

mod check;
mod replay;

use super::{print, remote};
use crate::{component::EMBEDDED, config::Config, model::Digest};
use anyhow::Context;
use clap::Subcommand;
use hyper::Method;
use std::{
    borrow::Cow,
    path::{Path, PathBuf},
    process::ExitCode,
};

const DOMAIN: &str = "/v1/admin/domain";
const ROLLBACK: &str = "/v1/admin/domain/rollback";
const SHADOW: &str = "/v1/admin/domain/shadow";
const PROMOTE: &str = "/v1/admin/domain/shadow/promote";

type Parameters = Vec<(&'static str, String)>;

/// The subcommands of `holdfast domain`.
#[derive(Subcommand, Clone, Debug)]
pub(super) enum DomainCommand {
    /// Test a component against the promises of every domain and print a table
    Check {
        /// The component (.wasm); if absent, the embedded one
        file: Option<PathBuf>,
    },
    /// Print which component decides on the running server
    Status,
    /// Make another component the current one on the running server
    Swap {
        /// The component (.wasm); if absent, the embedded one
        file: Option<PathBuf>,
        /// Reason that is stored with the event
        #[arg(long)]
        reason: Option<String>,
        /// Skip the self-check, for a component that breaks a promise of every domain on purpose
        #[arg(long)]
        without_self_check: bool,
    },
    /// Go back to the previous component on the running server
    Rollback {
        /// Reason that is stored with the event
        #[arg(long)]
        reason: Option<String>,
    },
    /// Let a candidate decide live commands beside the current component, without effect
    Shadow {
        /// The candidate (.wasm); if absent, print the report on the latest shadow
        file: Option<PathBuf>,
        /// Let the candidate decide one in this many commands
        #[arg(long, default_value_t = 1)]
        every: u64,
        /// End the shadow and print its report
        #[arg(long, conflicts_with = "file")]
        end: bool,
    },
    /// Make the shadow's candidate the current component
    Promote {
        /// Reason that is stored with the event
        #[arg(long)]
        reason: Option<String>,
    },
    /// Replay recorded commands on the component of --component; the exit code is 1 if any decision differs
    Replay {
        /// Sequence number of the first event whose command is replayed
        #[arg(long)]
        from: Option<u64>,
        /// Sequence number of the last event whose command is replayed
        #[arg(long)]
        to: Option<u64>,
    },
}

pub(super) fn run(command: &DomainCommand, config: &Config) -> anyhow::Result<ExitCode> {
    let because = |reason: &Option<String>| -> Parameters {
        reason.iter().map(|reason| ("reason", reason.clone())).collect()
    };
    let answer = match command {
        DomainCommand::Check { file } => return check::run(file.as_deref(), config),
        DomainCommand::Replay { from, to } => return replay::run(*from, *to, config),
        DomainCommand::Status => remote::ask(config, Method::GET, DOMAIN, &[], Vec::new())?,
        DomainCommand::Swap { file, reason, without_self_check } => {
            let (bytes, mut parameters) = upload(file.as_deref())?;
            parameters.extend(because(reason));
            if *without_self_check {
                parameters.push(("self_check", "false".to_owned()));
            }
            remote::ask(config, Method::PUT, DOMAIN, &parameters, bytes)?
        }
        DomainCommand::Rollback { reason } => {
            remote::ask(config, Method::POST, ROLLBACK, &because(reason), Vec::new())?
        }
        DomainCommand::Shadow { end: true, .. } => {
            remote::ask(config, Method::DELETE, SHADOW, &[], Vec::new())?
        }
        DomainCommand::Shadow { file: None, .. } => {
            remote::ask(config, Method::GET, SHADOW, &[], Vec::new())?
        }
        DomainCommand::Shadow { file, every, .. } => {
            let (bytes, mut parameters) = upload(file.as_deref())?;
            parameters.push(("every", every.to_string()));
            remote::ask(config, Method::PUT, SHADOW, &parameters, bytes)?
        }
        DomainCommand::Promote { reason } => {
            remote::ask(config, Method::POST, PROMOTE, &because(reason), Vec::new())?
        }
    };
    print(&serde_json::to_string_pretty(&answer)?)?;
    Ok(ExitCode::SUCCESS)
}

/// The bytes of a component to send, and its digest as a query parameter. The server compares the
/// digest with the bytes that arrive.
fn upload(file: Option<&Path>) -> anyhow::Result<(Vec<u8>, Parameters)> {
    let bytes = component(file)?.into_owned();
    let digest = Digest::of(&bytes).to_string();
    Ok((bytes, vec![("digest", digest)]))
}

/// Reads a component file. Without a file, returns the embedded component.
fn component(file: Option<&Path>) -> anyhow::Result<Cow<'static, [u8]>> {
    let Some(file) = file else { return Ok(EMBEDDED.into()) };
    let bytes = std::fs::read(file);
    Ok(bytes.with_context(|| format!("reading the component {}", file.display()))?.into())
}

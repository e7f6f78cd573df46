//! `holdfast domain`: components, on their own and on a running server.

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

/// What to do with components.
#[derive(Subcommand, Clone, Debug)]
pub(super) enum DomainCommand {
    /// Whether a component is a domain: scenarios and random commands, as a table
    Check {
        /// The component (.wasm); where absent, the one that this program embeds
        file: Option<PathBuf>,
    },
    /// Which component decides on the running server
    Status,
    /// Let another component decide on the running server
    Swap {
        /// The component (.wasm); where absent, the one that this program embeds
        file: Option<PathBuf>,
        /// Kept with the event
        #[arg(long)]
        reason: Option<String>,
        /// For a domain that differs on purpose where every domain is the same
        #[arg(long)]
        without_self_check: bool,
    },
    /// Go back to the component before, on the running server
    Rollback {
        /// Kept with the event
        #[arg(long)]
        reason: Option<String>,
    },
    /// Let a candidate decide live commands, too; nothing of it counts
    Shadow {
        /// The candidate (.wasm); where absent, the report on the one that is there
        file: Option<PathBuf>,
        /// It decides one in so many commands
        #[arg(long, default_value_t = 1)]
        every: u64,
        /// End it
        #[arg(long, conflicts_with = "file")]
        end: bool,
    },
    /// Let the shadow decide
    Promote {
        /// Kept with the event
        #[arg(long)]
        reason: Option<String>,
    },
    /// Replay recorded commands on the component of --component; exits with 1 where some differ
    Replay {
        /// The first event whose command is replayed
        #[arg(long)]
        from: Option<u64>,
        /// The last
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
            let (bytes, mut parameters) = sent(file.as_deref())?;
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
            let (bytes, mut parameters) = sent(file.as_deref())?;
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

/// A component to be sent, and what it must be when it arrives.
fn sent(file: Option<&Path>) -> anyhow::Result<(Vec<u8>, Parameters)> {
    let bytes = component(file)?.into_owned();
    let digest = Digest::of(&bytes).to_string();
    Ok((bytes, vec![("digest", digest)]))
}

/// The bytes of a component file, or of the embedded component.
fn component(file: Option<&Path>) -> anyhow::Result<Cow<'static, [u8]>> {
    let Some(file) = file else { return Ok(EMBEDDED.into()) };
    let bytes = std::fs::read(file);
    Ok(bytes.with_context(|| format!("reading the component {}", file.display()))?.into())
}

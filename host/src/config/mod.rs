//! One typed, validated configuration from four sources; the later wins: defaults, a TOML
//! file, environment variables, flags.

mod secret;
mod settings;
mod trusted_caller;

pub use secret::Secret;
pub use settings::Settings;
pub use trusted_caller::{Proxies, TrustedCaller};

use crate::{component, engine};
use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// How log lines are written.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The effective configuration. A `Config` that exists is valid.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the settings say it, where users read it")]
pub struct Config {
    pub host: IpAddr,
    pub port: u16,
    pub database_path: PathBuf,
    pub component: Option<PathBuf>,
    pub watch: bool,
    pub component_folder: PathBuf,
    pub component_bytes_max: usize,
    pub admin_token: Option<Secret>,
    pub trusted_caller: Option<TrustedCaller>,
    pub log_level: String,
    pub log_format: LogFormat,
    pub worker_threads: usize,
    pub connections_max: usize,
    pub body_bytes_max: usize,
    pub bodies_bytes_max: usize,
    pub answers_bytes_max: usize,
    pub header_timeout: Duration,
    pub request_timeout: Duration,
    pub write_timeout: Duration,
    pub drain_timeout: Duration,
    pub put_needs_condition: bool,
    pub engine: engine::Settings,
    pub limits: component::Limits,
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration file {file} cannot be read: {cause}")]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("the configuration file {file} is not valid: {cause}")]
    Syntax {
        /// The file.
        file: PathBuf,
        /// Where and why.
        cause: toml::de::Error,
    },
    /// A value is not allowed.
    #[error("{name} = {value}: allowed is {allowed}")]
    Value {
        /// The setting's name, as in the file; in capitals it is the environment variable.
        name: &'static str,
        /// What was given.
        value: String,
        /// What may be given.
        allowed: String,
    },
    /// A setting is given without another that it needs.
    #[error("{given} is set and {missing} is not: {why}; set both or neither")]
    Incomplete {
        /// The name of the setting that is given.
        given: &'static str,
        /// The name of the setting that is missing.
        missing: &'static str,
        /// What goes wrong without the missing one.
        why: &'static str,
    },
}

/// The settings of a file.
///
/// # Errors
/// [`ConfigError`]: it cannot be read, or has unknown names or wrong types.
pub fn read_file(file: &Path) -> Result<Settings, ConfigError> {
    let text = std::fs::read_to_string(file)
        .map_err(|cause| ConfigError::File { file: file.to_owned(), cause })?;
    toml::from_str(&text).map_err(|cause| ConfigError::Syntax { file: file.to_owned(), cause })
}

/// Refuses a value outside its range.
fn within<T: PartialOrd + Copy + std::fmt::Display>(
    name: &'static str,
    value: T,
    least: T,
    most: T,
) -> Result<T, ConfigError> {
    if value >= least && value <= most {
        return Ok(value);
    }
    let allowed = format!("{least} to {most}");
    Err(ConfigError::Value { name, value: value.to_string(), allowed })
}

#[cfg(test)]
mod tests;

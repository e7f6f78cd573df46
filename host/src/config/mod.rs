//! The configuration: settings from four sources, resolved to one typed and valid [`Config`].
//!
//! The sources are the defaults, a TOML file, environment variables and flags. For each setting
//! the later source in this order wins.
//!
//! A library for layers of configuration, such as figment or config, would merge the sources by
//! name at run time. Here clap reads flags and environment already, serde reads the file, and
//! merging is one generated line for each setting. One declaration in `settings` is also the help
//! line and the range, which these libraries do not have; a mistyped name in code does not compile.

mod resolve;
mod secret;
mod settings;
mod trusted_caller;

pub use secret::Secret;
pub use settings::{SettingDescription, Settings};
pub use trusted_caller::{Proxies, TrustedCaller};

use crate::{component, engine};
use std::{
    fmt::Display,
    net::IpAddr,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

/// The format of log lines.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text when standard error is a terminal, JSON otherwise.
    Auto,
    /// Lines for people to read.
    Text,
    /// One JSON object per line, for programs to read.
    Json,
}

/// The effective configuration. A `Config` that exists is valid: only [`Settings::resolve`] makes
/// one from outside values.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "each field is described at the setting of the same name")]
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
        /// The error of the operating system.
        cause: std::io::Error,
    },
    /// The file is not TOML, or has an unknown name or a value of the wrong type.
    #[error("the configuration file {file} is not valid: {cause}")]
    Syntax {
        /// The file.
        file: PathBuf,
        /// The place in the file and what is wrong there.
        cause: toml::de::Error,
    },
    /// A value is not allowed.
    #[error("{name} = {value}: allowed is {allowed}")]
    Value {
        /// The setting's name, as in the file; in capitals it is the environment variable.
        name: &'static str,
        /// The value that was given.
        value: String,
        /// The values that are allowed.
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

/// Reads the settings of a TOML file.
///
/// # Errors
/// [`ConfigError::File`] when the file cannot be read; [`ConfigError::Syntax`] when it is not TOML,
/// or has an unknown name or a value of the wrong type.
pub fn read_file(file: &Path) -> Result<Settings, ConfigError> {
    let text = std::fs::read_to_string(file)
        .map_err(|cause| ConfigError::File { file: file.to_owned(), cause })?;
    toml::from_str(&text).map_err(|cause| ConfigError::Syntax { file: file.to_owned(), cause })
}

/// Refuses a value outside its range. An absent value is in every range.
fn in_range<T: PartialOrd + Display>(
    name: &'static str,
    value: Option<T>,
    range: &RangeInclusive<T>,
) -> Result<(), ConfigError> {
    match value {
        Some(value) if !range.contains(&value) => {
            let allowed = format!("{} to {}", range.start(), range.end());
            Err(ConfigError::Value { name, value: value.to_string(), allowed })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;

//! `holdfast config`.

use super::print;
use crate::config::{Config, SettingDescription, Settings};
use anyhow::Context;
use std::fmt::Write;

/// Prints the effective configuration as a TOML file that `--config` accepts.
pub(super) fn run(given: &Settings, config: &Config) -> anyhow::Result<()> {
    let mut effective = given.clone().or(Settings::defaults());
    effective.worker_threads = Some(config.worker_threads);
    let table = toml::Table::try_from(&effective).context("writing the configuration as TOML")?;
    let mut text = String::new();
    for SettingDescription { name, variable, help } in Settings::descriptions() {
        writeln!(text, "# {help} [env: {variable}]")?;
        match table.get(name) {
            Some(value) => writeln!(text, "{name} = {value}\n")?,
            None if name == "admin_token" && effective.admin_token.is_some() => {
                writeln!(text, "# {name} = (set, not shown)\n")?;
            }
            None => writeln!(text, "# {name} = (not set)\n")?,
        }
    }
    print(text.trim_end())
}

//! The command line: one file per subcommand.

mod config;
mod domain;
mod explain;
mod migrate;
mod openapi;
mod remote;
mod serve;

use crate::{
    config::{Config, Settings, read_file},
    store::sqlite::{OpenError, SqliteStore},
};
use clap::{Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

/// Inventory reservations, decided by a WebAssembly component.
///
/// Settings come from defaults, the configuration file, environment variables and flags; the
/// later wins.
#[derive(Parser, Debug)]
#[command(version, about, arg_required_else_help = false)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// A TOML file with settings by name
    #[arg(long, env = "HOLDFAST_CONFIG", global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Subcommand, Clone, Debug)]
enum Command {
    /// Serve the REST interface (the default)
    Serve,
    /// Print the effective configuration as TOML
    Config,
    /// Print the OpenAPI document
    Openapi,
    /// Bring the database's schema up to date, without serving
    Migrate,
    /// Look at domain components, swap them, replay commands on them
    #[command(subcommand)]
    Domain(domain::DomainCommand),
    /// Make the decision behind an event again, and show what the component saw, wrote and said
    Explain {
        /// The number of the event
        sequence: u64,
    },
}

/// Runs the program with the arguments and the environment of the process.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match execute(cli) {
        Ok(code) => code,
        Err(error) => {
            #[allow(clippy::print_stderr, reason = "what a command line says when it fails")]
            {
                eprintln!("holdfast: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

fn execute(cli: Cli) -> anyhow::Result<ExitCode> {
    let file = cli.config.as_deref().map(read_file).transpose()?.unwrap_or_default();
    let settings = cli.settings.or(file);
    let config = settings.clone().resolve()?;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(&config),
        Command::Config => config::run(&settings, &config),
        Command::Openapi => openapi::run(),
        Command::Migrate => migrate::run(&config),
        Command::Domain(command) => return domain::run(&command, &config),
        Command::Explain { sequence } => explain::run(sequence, &config),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// Writes to standard output; a reader that has gone is no error.
fn print(text: &str) -> anyhow::Result<()> {
    use std::io::{ErrorKind, Write};
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}

fn open(config: &Config) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(&config.database_path)
}

/// Where the database is.
enum Opened {
    /// Here.
    Here(SqliteStore),
    /// A server has it.
    OnServer,
}

/// Opens a database that is there, unless a server has it.
fn opened(config: &Config) -> anyhow::Result<Opened> {
    let file = &config.database_path;
    anyhow::ensure!(
        file.exists(),
        "there is no database {}: say which with --database-path",
        file.display()
    );
    match open(config) {
        Ok(store) => Ok(Opened::Here(store)),
        Err(OpenError::InUse(_)) => Ok(Opened::OnServer),
        Err(error) => Err(error.into()),
    }
}

//! The command line: one file per subcommand.

mod clock;
mod config;
mod domain;
mod explain;
mod migrate;
mod openapi;
mod process;
mod remote;
mod serve;

use crate::{
    app::{self, Database, OpenError},
    config::{Config, Settings, read_file},
    logging,
};
use anyhow::Context;
use clap::{Parser, Subcommand};
use std::{io::IsTerminal, path::PathBuf, process::ExitCode};

/// Inventory reservations, decided by a WebAssembly component.
///
/// A setting comes from the first of these that has it: its flag, its environment variable, the
/// configuration file, its default.
#[derive(Parser, Debug)]
#[command(version, about, arg_required_else_help = false)]
struct Cli {
    #[command(subcommand)]
    command: Option<CliCommand>,
    /// TOML file with settings; `holdfast config` prints one
    #[arg(long, env = "HOLDFAST_CONFIG", global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Subcommand, Clone, Debug)]
enum CliCommand {
    /// Serve the REST API (the default command)
    Serve,
    /// Print the effective configuration as TOML
    Config,
    /// Print the OpenAPI document of the REST API
    Openapi,
    /// Bring the database's schema up to date without serving
    Migrate,
    /// Check domain components, swap them on a running server, replay commands on them
    #[command(subcommand)]
    Domain(domain::DomainCommand),
    /// Show or accept the clock of the running server
    #[command(subcommand)]
    Clock(clock::ClockCommand),
    /// Make the decision behind an event again and print what the component saw, wrote and answered
    Explain {
        /// The event's sequence number
        sequence: u64,
    },
}

/// Runs the program with the arguments and the environment of the process. Returns its exit code.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return print_usage(&error),
    };
    match execute(cli) {
        Ok(code) => code,
        Err(error) => {
            logging::print_to_stderr(&format!("holdfast: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints what clap returned instead of arguments: the help that was asked for, or what is wrong
/// with the arguments.
fn print_usage(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && !std::io::stderr().is_terminal() {
        logging::print_to_stderr(error.render().to_string().trim_end());
    } else {
        // The exit code says enough when the text cannot be written.
        let _ = error.print();
    }
    u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

fn execute(cli: Cli) -> anyhow::Result<ExitCode> {
    process::survive_file_size_limit().context("ignoring the signal SIGXFSZ")?;
    let file = cli.config.as_deref().map(read_file).transpose()?.unwrap_or_default();
    let settings = cli.settings.or(file);
    let config = settings.clone().resolve()?;
    match cli.command.unwrap_or(CliCommand::Serve) {
        CliCommand::Serve => serve::run(&config),
        CliCommand::Config => config::run(&settings, &config),
        CliCommand::Openapi => openapi::run(),
        CliCommand::Migrate => migrate::run(&config),
        CliCommand::Domain(command) => return domain::run(&command, &config),
        CliCommand::Clock(command) => clock::run(&command, &config),
        CliCommand::Explain { sequence } => explain::run(sequence, &config),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a line to standard output. A reader that has closed the pipe is no error.
fn print(text: &str) -> anyhow::Result<()> {
    use std::io::{ErrorKind, Write};
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done.context("writing to standard output"),
    }
}

/// The way to reach the database: opened by this process, or through the server that has it open.
enum DatabaseAccess {
    /// This process has opened the database.
    Here(Database),
    /// A running server has the database open, so it has to do the work.
    OnServer,
}

/// Opens an existing database, unless a running server has it open.
///
/// # Errors
/// The file does not exist or cannot be opened.
fn open_database(config: &Config) -> anyhow::Result<DatabaseAccess> {
    let file = &config.database_path;
    anyhow::ensure!(
        file.exists(),
        "there is no database {}: name another with --database-path",
        file.display()
    );
    match app::open(config) {
        Ok(store) => Ok(DatabaseAccess::Here(store)),
        Err(OpenError::InUse(_)) => Ok(DatabaseAccess::OnServer),
        Err(error) => Err(error.into()),
    }
}

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
    /// Look at the clock of the running server, and accept it
    #[command(subcommand)]
    Clock(clock::ClockCommand),
    /// Make the decision behind an event again, and show what the component saw, wrote and said
    Explain {
        /// The number of the event
        sequence: u64,
    },
}

/// Runs the program with the arguments and the environment of the process.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return explain_usage(&error),
    };
    match execute(cli) {
        Ok(code) => code,
        Err(error) => {
            logging::say(&format!("holdfast: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// What clap has to say: help, or what is wrong with the arguments.
fn explain_usage(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && !std::io::stderr().is_terminal() {
        logging::say(error.render().to_string().trim_end());
    } else {
        // A failure to write is no reason to fail in another way.
        let _ = error.print();
    }
    u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

fn execute(cli: Cli) -> anyhow::Result<ExitCode> {
    process::survive_file_size_limit().context("ignoring the signal SIGXFSZ")?;
    let file = cli.config.as_deref().map(read_file).transpose()?.unwrap_or_default();
    let settings = cli.settings.or(file);
    let config = settings.clone().resolve()?;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(&config),
        Command::Config => config::run(&settings, &config),
        Command::Openapi => openapi::run(),
        Command::Migrate => migrate::run(&config),
        Command::Domain(command) => return domain::run(&command, &config),
        Command::Clock(command) => clock::run(&command, &config),
        Command::Explain { sequence } => explain::run(sequence, &config),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// Writes to standard output; a reader that has gone is no error.
fn print(text: &str) -> anyhow::Result<()> {
    use std::io::{ErrorKind, Write};
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done.context("writing to standard output"),
    }
}

/// Who has the database open.
enum Opened {
    /// This process.
    Here(Database),
    /// A server that runs.
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
    match app::open(config) {
        Ok(store) => Ok(Opened::Here(store)),
        Err(OpenError::InUse(_)) => Ok(Opened::OnServer),
        Err(error) => Err(error.into()),
    }
}

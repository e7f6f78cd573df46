//! `holdfast serve`.

use super::process;
use crate::{
    app::{self, Application},
    config::{Config, LogFormat},
    logging::{self, LogGuard, Style},
};
use anyhow::Context;
use std::{io::IsTerminal, time::Duration};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Time for the runtime's other threads to end after all requests were answered or given up.
const SHUTDOWN_TIME: Duration = Duration::from_millis(500);

/// Serves until SIGTERM or SIGINT, then carries out the commands that are queued.
pub(super) fn run(config: &Config) -> anyhow::Result<()> {
    // Dropped last, so that every line until the end of this function is written.
    let _log = log_as(config)?;
    let connections_max = process::room_for_connections(config)?;
    let config = &Config { connections_max, ..config.clone() };
    let store = app::open(config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.worker_threads)
        .enable_all()
        .build()
        .context("starting the threads that serve HTTP")?;
    let served = runtime.block_on(async {
        // Handlers come before the line that says the server is ready: a supervisor may send a
        // signal as soon as it reads that line.
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let application = Application::build(config, &store).await?;
        tracing::info!(
            address = %application.address(),
            database = %config.database_path.display(),
            component = %application.digest(),
            version = env!("CARGO_PKG_VERSION"),
            "serving http://{}",
            application.address()
        );
        application
            .run(async move {
                let signal = tokio::select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                };
                tracing::info!(signal, "stopping");
            })
            .await
    });
    // No client waits any more for a query that is still running.
    runtime.shutdown_timeout(SHUTDOWN_TIME);
    served?;
    tracing::info!("stopped");
    Ok(())
}

fn log_as(config: &Config) -> anyhow::Result<LogGuard> {
    let filter = EnvFilter::try_new(&config.log_level)?;
    let terminal = std::io::stderr().is_terminal();
    let text = match config.log_format {
        LogFormat::Text => true,
        LogFormat::Json => false,
        LogFormat::Auto => terminal,
    };
    let style = if text { Style::Text { colours: terminal } } else { Style::Json };
    Ok(logging::start(filter, style)?)
}

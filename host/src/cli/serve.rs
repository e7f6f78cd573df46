use super::open;
use crate::{
    app::Application,
    config::{Config, LogFormat},
};
use anyhow::Context;
use std::{io::IsTerminal, time::Duration};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Time for work on other threads to end once all requests were answered or given up.
const SHUTDOWN_TIME: Duration = Duration::from_millis(500);

/// Serves until SIGTERM or SIGINT, then finishes what is queued.
pub(super) fn run(config: &Config) -> anyhow::Result<()> {
    log_as(config)?;
    let store = open(config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.worker_threads)
        .enable_all()
        .build()
        .context("starting the threads that serve HTTP")?;
    let served = runtime.block_on(async {
        // Before anything is said to be ready: a signal then is not lost.
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
    // A query that has not ended by now is of no use to anybody.
    runtime.shutdown_timeout(SHUTDOWN_TIME);
    served?;
    tracing::info!("stopped");
    Ok(())
}

fn log_as(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.log_level)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let terminal = std::io::stderr().is_terminal();
    let text = match config.log_format {
        LogFormat::Text => true,
        LogFormat::Json => false,
        LogFormat::Auto => terminal,
    };
    let installed = if text {
        builder.with_ansi(terminal).with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
    installed.map_err(|error| anyhow::anyhow!("starting the log: {error}"))
}

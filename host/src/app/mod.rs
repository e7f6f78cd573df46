//! The application: one function builds it for the program and for the tests.

mod component_watcher;
mod components;
mod database;

pub use database::{Database, IntegrityCheck, OpenError, open};

use crate::{
    admin::Admin,
    component::{Library, Runtime},
    config::Config,
    engine::{self, Engine, WriterHandle},
    http, logging,
    metrics::Registry,
    model::Digest,
    store::{Cache, Cached, Lane, Store},
};
use anyhow::Context;
use std::{future::Future, net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, task::JoinHandle};

/// A server with its engine and its store, whose socket listens already.
pub struct Application {
    listener: TcpListener,
    address: SocketAddr,
    engine: Arc<Engine>,
    writer: WriterHandle,
    router: axum::Router,
    traffic: Arc<http::Traffic>,
    watcher: Option<JoinHandle<()>>,
    /// Checks the database for damage in the background.
    check: IntegrityCheck,
    /// Kept alive because it ticks the deadlines of components.
    _runtime: Arc<Runtime>,
}

impl Application {
    /// Builds the application from the configuration and an open store, up to a bound socket.
    ///
    /// # Errors
    /// A part cannot be started: the text names the part and the cause.
    pub async fn build(config: &Config, store: &Database) -> anyhow::Result<Self> {
        let runtime = Runtime::new(config.limits).context("starting the component runtime")?;
        let runtime = Arc::new(runtime);
        let library = Library::open(config.component_folder.clone())?;
        let mut lane = store.lane()?;
        let start = components::start(config, &runtime, &library, lane.installed()?)?;
        let cache = Arc::new(Cache::default());
        let (engine, writer) = engine::start(
            config.engine,
            start,
            Cached::new(lane, Arc::clone(&cache)),
            || Ok(Cached::new(store.snapshot()?, Arc::clone(&cache))),
            || store.log(),
        )?;
        let check = store.check()?;
        let engine = Arc::new(engine);
        let admin = Arc::new(Admin::new(
            Arc::clone(&engine),
            Arc::clone(&runtime),
            library,
            Arc::new(store.clone()),
            config.component_bytes_max,
        ));
        let watched = config.component.clone().filter(|_| config.watch);
        let watcher =
            watched.map(|file| tokio::spawn(component_watcher::watch(file, Arc::clone(&admin))));
        let mut metrics = Registry::default();
        engine.register_metrics(&mut metrics);
        admin.register_metrics(&mut metrics);
        logging::register_metrics(&mut metrics);
        let app = http::App::new(Arc::clone(&engine), admin, metrics, config);
        let wanted = SocketAddr::new(config.host, config.port);
        let listener = http::listen(wanted)
            .with_context(|| format!("listening on {wanted} (choose another with --port)"))?;
        let address = listener.local_addr()?;
        let traffic = app.traffic();
        let router = http::router(app);
        Ok(Self {
            listener,
            address,
            engine,
            writer,
            router,
            traffic,
            watcher,
            check,
            _runtime: runtime,
        })
    }

    /// The address that the server listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The digest of the component that decides.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.engine.digest()
    }

    /// Serves until `stop` resolves. Then the server accepts no more connections, lets open
    /// requests finish, and commits the requests in the queue.
    ///
    /// # Errors
    /// The writer ended without being stopped, which is a defect.
    pub async fn run(self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Self {
            listener, engine, mut writer, router, traffic, watcher, check, _runtime, ..
        } = self;
        http::serve(listener, router, &traffic, async {
            tokio::select! {
                () = stop => {}
                () = writer.ended() => tracing::error!("the writer has ended by itself"),
            }
            engine.begin_stop();
        })
        .await;
        if let Some(watcher) = watcher {
            watcher.abort();
        }
        let healthy = engine.status() != engine::Status::Stopped;
        tokio::task::spawn_blocking(move || {
            // A check that still reads would keep the write-ahead log from being emptied.
            drop(check);
            writer.stop();
        })
        .await?;
        anyhow::ensure!(healthy, "the writer had ended before the server was told to stop");
        Ok(())
    }
}

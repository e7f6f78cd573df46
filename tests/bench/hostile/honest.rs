//! Honest clients: they send one request at a time, read the answer, and pause.

use crate::client::{Client, Reply};
use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{Scope, ScopedJoinHandle},
    time::{Duration, Instant},
};

const PAUSE: Duration = Duration::from_millis(10);
const LIST_PAUSE: Duration = Duration::from_millis(100);

/// The number of requests after which a client opens a new connection, so that new connections are
/// measured too.
const REQUESTS_PER_CONNECTION: usize = 20;

/// An answer that takes longer than this counts as an error.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Creates the stocks of the honest clients.
pub(crate) fn seed(port: u16) {
    let mut client = Client::connect(port);
    for i in 0..20 {
        client.stock(&format!("honest-{i}"), 1_000_000_000, 0);
    }
}

/// The results of the requests of one kind.
#[derive(Default)]
pub(crate) struct Waited {
    /// The times of the requests that were answered 200, in milliseconds.
    pub(crate) times: Vec<f64>,
    /// How often each other status or connection error came instead of a 200.
    pub(crate) errors: BTreeMap<String, usize>,
    /// The number of 5xx among the errors.
    pub(crate) failed_by_server: usize,
}

impl Waited {
    pub(crate) fn error_count(&self) -> usize {
        self.errors.values().sum()
    }

    /// The time in milliseconds that `part` percent of the requests did not exceed.
    pub(crate) fn percentile(&self, part: usize) -> f64 {
        let place = (self.times.len() * part / 100).min(self.times.len().saturating_sub(1));
        self.times.get(place).copied().unwrap_or(f64::NAN)
    }

    fn sorted(mut self) -> Self {
        self.times.sort_unstable_by(f64::total_cmp);
        self
    }
}

/// Honest clients at work.
pub(crate) struct Honest<'scope> {
    over: Arc<AtomicBool>,
    single: ScopedJoinHandle<'scope, Waited>,
    lists: ScopedJoinHandle<'scope, Waited>,
}

impl<'scope> Honest<'scope> {
    pub(crate) fn start<'env>(scope: &'scope Scope<'scope, 'env>, port: u16) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let single = scope.spawn({
            let over = Arc::clone(&over);
            move || work(port, &over, (PAUSE, PATIENCE), single)
        });
        let lists = scope.spawn({
            let over = Arc::clone(&over);
            move || work(port, &over, (LIST_PAUSE, PATIENCE), list)
        });
        Self { over, single, lists }
    }

    /// Ends the work. Returns the results of single requests and of lists.
    pub(crate) fn finish(self) -> [Waited; 2] {
        self.over.store(true, Ordering::Relaxed);
        [self.single, self.lists].map(|worker| worker.join().expect("an honest client"))
    }
}

fn single(client: &mut Client, i: usize) -> io::Result<Reply> {
    let stock = format!("/v1/inventory/honest-{}", i % 20);
    if i.is_multiple_of(2) {
        client.try_call("GET", &stock, &[], b"")
    } else {
        client.try_call("POST", &format!("{stock}/reserve"), &[], br#"{"quantity": 1}"#)
    }
}

fn list(client: &mut Client, _: usize) -> io::Result<Reply> {
    client.try_call("GET", "/v1/inventory?prefix=honest&limit=20", &[], b"")
}

/// Makes one call after the other until `over` is true. Each call gets its number.
pub(crate) fn work(
    port: u16,
    over: &AtomicBool,
    (pause, patience): (Duration, Duration),
    call: impl Fn(&mut Client, usize) -> io::Result<Reply>,
) -> Waited {
    let mut waited = Waited::default();
    let mut client = None;
    let mut i = 0;
    while !over.load(Ordering::Relaxed) {
        let begin = Instant::now();
        if i % REQUESTS_PER_CONNECTION == 0 {
            client = None;
        }
        if client.is_none() {
            client = Client::try_connect(port);
        }
        let Some(open) = &mut client else {
            *waited.errors.entry("not connected".to_owned()).or_default() += 1;
            std::thread::sleep(pause);
            continue;
        };
        open.set_read_timeout(patience);
        match call(open, i) {
            Ok(reply) if reply.status == 200 => {
                waited.times.push(begin.elapsed().as_secs_f64() * 1e3);
            }
            Ok(reply) => {
                waited.failed_by_server += usize::from(reply.status >= 500);
                *waited.errors.entry(reply.status.to_string()).or_default() += 1;
            }
            Err(error) => {
                *waited.errors.entry(error.kind().to_string()).or_default() += 1;
                client = None;
            }
        }
        i += 1;
        std::thread::sleep(pause);
    }
    waited.sorted()
}

//! How long honest clients wait during attacks: `cargo bench --bench hostile`.
//!
//! Each attack runs against a server of its own, while honest clients read, reserve and list at a
//! quiet pace. Then the server is told to stop while the attack goes on. The exit status is 1 where
//! an honest request got a 5xx, or no honest request was answered, or the server did not stop.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking"
)]

mod attacks;
#[allow(dead_code, reason = "shared with the tests")]
#[path = "../../harness/client.rs"]
mod client;
mod commands;
#[allow(dead_code, reason = "shared with other benchmarks")]
#[path = "../common.rs"]
mod common;
mod honest;
mod pool;
mod queries;
mod server;
mod target;

use attacks::{ATTACKS, Attack};
use common::{argument, number};
use honest::{Honest, Waited};
use server::Server;
use std::{
    path::PathBuf,
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use target::Target;

/// Options: `--seconds N` for each attack, `--connections N` for each attack, `--only TEXT` for
/// attacks with this text in their names, `--server FILE` to attack another build. Cargo adds
/// `--bench`.
fn main() -> ExitCode {
    raise_descriptors();
    let seconds = number("--seconds", 15);
    let connections = number("--connections", 4_500);
    let program = argument("--server")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_holdfast")), PathBuf::from);
    let only = argument("--only").unwrap_or_default();
    println!("{seconds} s per attack, up to {connections} connections; times in ms\n");
    println!(
        "| attack | honest requests | errors | p50 | p99 | slowest | lists | errors | p50 | slowest \
         | peak memory, MB | stopped in, s |"
    );
    println!(
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    );
    let mut sound = true;
    for attack in ATTACKS.iter().filter(|attack| attack.name.contains(&only)) {
        let length = Duration::from_secs(seconds as u64);
        let outcome = run(attack, &program, length, connections);
        print_row(attack, &outcome);
        sound &= outcome.is_sound();
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Outcome {
    single: Waited,
    lists: Waited,
    peak_mb: u64,
    stopped: Option<Duration>,
}

impl Outcome {
    fn is_sound(&self) -> bool {
        let answered = |waited: &Waited| waited.failed_by_server == 0 && !waited.times.is_empty();
        answered(&self.single) && answered(&self.lists) && self.stopped.is_some()
    }
}

fn run(
    attack: &Attack,
    program: &std::path::Path,
    length: Duration,
    connections: usize,
) -> Outcome {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut server = Server::start(program, folder.path());
    honest::seed(server.port);
    let prepared = (attack.prepare)(server.port);
    let over = AtomicBool::new(false);
    let statuses = Mutex::default();
    let target = Target { port: server.port, connections, over: &over, prepared, statuses };
    let (honest_waited, peak_mb, stopped) = std::thread::scope(|scope| {
        let attacking = scope.spawn(|| (attack.run)(&target));
        let honest = Honest::start(scope, server.port);
        let until = Instant::now() + length;
        let mut peak_mb = 0;
        while Instant::now() < until {
            peak_mb = peak_mb.max(server.resident_mb());
            std::thread::sleep(Duration::from_millis(50));
        }
        let waited = honest.finish();
        let stopped = server.stop();
        over.store(true, Ordering::Relaxed);
        attacking.join().expect("the attack");
        (waited, peak_mb, stopped)
    });
    // The statuses show whether the attack did what was intended.
    let statuses = target.statuses.lock().unwrap();
    if !statuses.is_empty() {
        eprintln!("{}: the attacker got the statuses {statuses:?}", attack.name);
    }
    let [single, lists] = honest_waited;
    for (what, waited) in [("requests", &single), ("lists", &lists)] {
        if !waited.errors.is_empty() {
            eprintln!("{}: honest {what}: {:?}", attack.name, waited.errors);
        }
    }
    Outcome { single, lists, peak_mb, stopped }
}

fn print_row(attack: &Attack, outcome: &Outcome) {
    let Outcome { single, lists, peak_mb, stopped } = outcome;
    let stopped =
        stopped.map_or("not".to_owned(), |stopped| format!("{:.1}", stopped.as_secs_f64()));
    println!(
        "| {} | {} | {} | {:.1} | {:.1} | {:.0} | {} | {} | {:.1} | {:.0} | {peak_mb} | {stopped} |",
        attack.name,
        single.times.len(),
        single.error_count(),
        single.percentile(50),
        single.percentile(99),
        single.percentile(100),
        lists.times.len(),
        lists.error_count(),
        lists.percentile(50),
        lists.percentile(100),
    );
}

/// Raises the limit of open files as far as the system allows. The server inherits the limit.
fn raise_descriptors() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}

//! How fast holds that came due while the server was down expire, and how long honest clients wait
//! meanwhile: `cargo bench --bench due`.
//!
//! Options: `--holds N` makes N holds of one line, and in a further run N / 50 holds of 100 lines;
//! `--server FILE` measures another build. The holds are made through HTTP, at `--rate N` lines a
//! second or faster, and come due after all of them are made: a slow machine needs a lower rate.
//! The exit status is 1 where an honest request got a 5xx, no honest request was answered, or a
//! hold did not expire.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking"
)]

#[allow(dead_code, reason = "shared with the tests")]
#[path = "../../harness/client.rs"]
mod client;
#[allow(dead_code, reason = "shared with other benchmarks")]
#[path = "../common.rs"]
mod common;
mod holds;
#[allow(dead_code, reason = "shared with another benchmark")]
#[path = "../hostile/honest.rs"]
mod honest;
#[allow(dead_code, reason = "shared with another benchmark")]
#[path = "../hostile/server.rs"]
mod server;

use client::{Client, Reply};
use common::{argument, number};
use holds::{Holds, LAST};
use honest::{Waited, work};
use server::Server;
use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

const PAUSE: Duration = Duration::from_millis(5);
/// The benchmark gives up where the server expires fewer lines a second than this.
const LINES_PER_SECOND_MIN: usize = 1_000;

fn main() -> ExitCode {
    let count = number("--holds", 100_000);
    let rate = number("--rate", 10_000);
    let program = argument("--server")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_holdfast")), PathBuf::from);
    println!("| holds | lines of each | products | started in, s | expired in, s | lines/s |");
    println!("| ---: | ---: | ---: | ---: | ---: | ---: |");
    let scenarios = [
        Holds { count, lines: 1, products: 1_000 },
        Holds { count, lines: 1, products: 1 },
        Holds { count: count.div_ceil(50), lines: 100, products: 100 },
    ];
    let outcomes: Vec<_> = scenarios.map(|holds| (holds, run(holds, &program, rate))).into();
    println!("\nHonest requests meanwhile, one at a time of each kind; times in ms\n");
    println!(
        "| holds | lines | products | requests | answered | errors | 5xx | p50 | p99 | slowest |"
    );
    println!("| ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let mut sound = true;
    for (holds, outcome) in &outcomes {
        sound &= outcome.expired.is_some();
        for (kind, waited) in &outcome.waited {
            print_row(*holds, kind, waited);
            sound &= waited.failed_by_server == 0 && !waited.times.is_empty();
        }
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Outcome {
    /// The time from the start of the server until the last hold is recorded as expired.
    expired: Option<Duration>,
    waited: Vec<(&'static str, Waited)>,
}

fn run(holds: Holds, program: &Path, rate: usize) -> Outcome {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut server = Server::start(program, folder.path());
    let due = holds.make(server.port, rate);
    assert!(server.stop().is_some(), "the server does not stop");
    std::thread::sleep(due.saturating_duration_since(Instant::now()));

    let begin = Instant::now();
    let server = Server::start(program, folder.path());
    let started = begin.elapsed();
    let patience = Duration::from_secs((30 + holds.all_lines() / LINES_PER_SECOND_MIN) as u64);
    let (over, port) = (AtomicBool::new(false), server.port);
    let (expired, waited) = std::thread::scope(|scope| {
        let (over, times) = (&over, (PAUSE, patience));
        let workers = [
            ("queries", scope.spawn(move || work(port, over, times, |c, i| query(c, holds, i)))),
            (
                "reserve, stock without holds",
                scope.spawn(move || work(port, over, times, elsewhere)),
            ),
            (
                "reserve, stock with holds",
                scope.spawn(move || work(port, over, times, |c, i| reserve(c, holds, i))),
            ),
        ];
        let expired = until_expired(port, begin + patience);
        over.store(true, Ordering::Relaxed);
        let waited = workers.map(|(kind, worker)| (kind, worker.join().expect("a client")));
        (expired.then(|| begin.elapsed()), waited.into())
    });
    let Holds { count, lines, products } = holds;
    let (took, speed) = expired.map_or(("not".to_owned(), "-".to_owned()), |expired| {
        let expired = expired.saturating_sub(started).as_secs_f64();
        (format!("{expired:.2}"), format!("{:.0}", holds.all_lines() as f64 / expired))
    });
    let started = started.as_secs_f64();
    println!("| {count} | {lines} | {products} | {started:.2} | {took} | {speed} |");
    Outcome { expired, waited }
}

/// Waits until the hold that comes due last is recorded as expired. The version of the reservation
/// shows that; the state does not, because a due hold is shown as expired before the record.
fn until_expired(port: u16, until: Instant) -> bool {
    let mut client = Client::connect(port);
    while Instant::now() < until {
        let reply = client.get(&format!("/v1/reservations/{LAST}"));
        if reply.json()["version"] == 2 {
            return true;
        }
        if reply.status != 200 {
            eprintln!("asked for the last hold: {}", reply.status);
        }
        std::thread::sleep(PAUSE);
    }
    false
}

fn query(client: &mut Client, holds: Holds, i: usize) -> io::Result<Reply> {
    let product = i % holds.products;
    let path = match i % 4 {
        0 => format!("/v1/inventory/due-{product}"),
        1 => "/v1/inventory?prefix=due&limit=100".to_owned(),
        2 => format!("/v1/reservations?product_id=due-{product}&limit=20"),
        _ => format!("/v1/inventory/due-{product}/events?limit=20"),
    };
    client.try_call("GET", &path, &[], b"")
}

fn elsewhere(client: &mut Client, _: usize) -> io::Result<Reply> {
    client.try_call("POST", "/v1/inventory/other/reserve", &[], br#"{"quantity": 1}"#)
}

/// Reserves units of a stock on which holds are due.
fn reserve(client: &mut Client, holds: Holds, i: usize) -> io::Result<Reply> {
    // The stocks are taken from both ends, because the holds of the first ones expire first.
    let near = i / 2 % holds.products;
    let product = if i.is_multiple_of(2) { near } else { holds.products - 1 - near };
    let path = format!("/v1/inventory/due-{product}/reserve");
    client.try_call("POST", &path, &[], br#"{"quantity": 1}"#)
}

fn print_row(holds: Holds, kind: &str, waited: &Waited) {
    if !waited.errors.is_empty() {
        eprintln!("{kind}: {:?}", waited.errors);
    }
    println!(
        "| {} | {} | {} | {kind} | {} | {} | {} | {:.1} | {:.1} | {:.0} |",
        holds.count,
        holds.lines,
        holds.products,
        waited.times.len(),
        waited.error_count(),
        waited.failed_by_server,
        waited.percentile(50),
        waited.percentile(99),
        waited.percentile(100),
    );
}

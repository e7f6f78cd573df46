//! The server's speed, compared with a bare axum route that parses and answers the same JSON on the
//! same machine in the same run: `cargo bench --bench http`. Needs wrk on the PATH.
//!
//! Each scenario is run several times, on the server and on the bare route in turn. The medians are
//! printed. On a shared machine only the ratios mean much.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking"
)]

mod bare;
#[allow(dead_code, reason = "shared with the tests")]
#[path = "../../harness/client.rs"]
mod client;
#[path = "../common.rs"]
mod common;
mod grow;
mod overload;
mod pages;
mod scenario;
mod server;

use common::{argument, number};
use scenario::{Measured, Scenario};
use server::Server;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

const PRODUCTS: u32 = 10_000;
const CONNECTIONS: u32 = 64;

/// The number of connections that send batches, few enough that their commands fit the queue.
const BATCH_CONNECTIONS: u32 = 16;
const LARGE_BATCH_CONNECTIONS: u32 = 3;

/// The size of a database after a few years.
const GROWN: grow::Size = grow::Size { stocks: 1_000_000, holds: 1_000_000, events: 20_000_000 };

struct Options {
    seconds: u32,
    rounds: usize,
    grown: Option<PathBuf>,
}

/// Options: `--seconds N` for each measurement, `--rounds N` measurements, `--grown FOLDER` for the
/// comparison with a large database in that folder. Where the folder has none, it is made there,
/// which takes some minutes and gigabytes. Cargo adds `--bench`.
fn options() -> Options {
    Options {
        seconds: number("--seconds", 5) as u32,
        rounds: number("--rounds", 5),
        grown: argument("--grown").map(PathBuf::from),
    }
}

fn main() {
    if std::env::args().nth(1).as_deref() == Some("bare") {
        return bare::serve();
    }
    let options = options();
    println!(
        "{CONNECTIONS} connections, {PRODUCTS} products, medians of {} x {} s; times in ms\n",
        options.rounds, options.seconds
    );
    match &options.grown {
        Some(folder) => grown(folder, &options),
        None => usual(&options),
    }
}

/// Measures two servers in turn, so that other load on the machine affects both alike.
fn in_turn(scenario: Scenario, servers: [&Server; 2], options: &Options) -> [Measured; 2] {
    let mut runs = [Vec::new(), Vec::new()];
    for _ in 0..options.rounds {
        for (server, runs) in servers.iter().zip(&mut runs) {
            runs.push(scenario.run(server, options.seconds));
        }
    }
    runs.map(Measured::median)
}

fn print_head(ours: &str, other: &str) {
    println!("| scenario | {ours} | p50 | p99 | errors | {other} | p50 | p99 | ratio |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
}

fn print_row(scenario: Scenario, ours: &Measured, other: &Measured) {
    println!(
        "| {} | {:.0} | {:.2} | {:.2} | {} | {:.0} | {:.2} | {:.2} | {:.0} % |",
        scenario.title(),
        ours.rate,
        ours.p50_ms,
        ours.p99_ms,
        ours.errors,
        other.rate,
        other.p50_ms,
        other.p99_ms,
        100.0 * ours.rate / other.rate
    );
}

fn usual(options: &Options) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ours = Server::holdfast(folder.path());
    let bare = Server::bare();
    let idle_mb = ours.resident_mb();
    server::seed(&ours, PRODUCTS);
    print_head("requests/s", "bare axum route");
    let mut rates = Vec::new();
    for scenario in Scenario::SINGLE {
        let (batches, commands) = ours.batches();
        let [bare_runs, our_runs] = in_turn(scenario, [&bare, &ours], options);
        print_row(scenario, &our_runs, &bare_runs);
        let (batches, commands) = (ours.batches().0 - batches, ours.batches().1 - commands);
        rates.push((our_runs.rate, commands / batches.max(1.0)));
    }
    if let [(_, hot), (spread_rate, spread), (hold, _), ..] = rates[..] {
        println!("\nhold and confirm: {:.0} % of the rate of reserve", 100.0 * hold / spread_rate);
        println!("commands per batch: {hot:.0} on the hot product, {spread:.0} on all");
    }
    batches(&ours, options);
    overloaded(&ours);
    println!("\nstart to first answer: {:.0} ms", ours.started.as_secs_f64() * 1e3);
    println!("resident memory: {idle_mb} MB idle, {} MB now", ours.resident_mb());
    println!("{}", disk(folder.path(), &ours));
}

fn batches(ours: &Server, options: &Options) {
    println!("\n| few connections | commands/s | p50 | p99 | errors |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for size in [100, 1_000] {
        let scenario = Scenario::Batch(size);
        let runs = (0..options.rounds).map(|_| scenario.run(ours, options.seconds)).collect();
        let Measured { rate, p50_ms, p99_ms, errors } = Measured::median(runs);
        let rate = rate * f64::from(size);
        println!("| {} | {rate:.0} | {p50_ms:.1} | {p99_ms:.1} | {errors} |", scenario.title());
    }
}

fn overloaded(ours: &Server) {
    let length = Duration::from_secs(5);
    println!(
        "\n| requests of {} commands | accepted/s | refused/s | p50 | p99 | p99 refused | other |",
        overload::COMMANDS
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let closed = f64::INFINITY;
    let mut peak = overload::offer(ours, PRODUCTS, overload::SENDERS_AT_PEAK, closed, length);
    peak.print("as fast as it answers", length);
    let twice = 2.0 * peak.accepted_rate(length) / f64::from(overload::COMMANDS);
    let mut over = overload::offer(ours, PRODUCTS, overload::SENDERS, twice, length);
    over.print("twice as many", length);
}

fn grown(folder: &Path, options: &Options) {
    let small_folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.join("inventory.db");
    if !file.exists() {
        grow::grow(&file, GROWN);
    }
    let bytes = std::fs::metadata(&file).expect("the database").len();
    println!(
        "{} stocks, {} holds, {} events: {bytes} bytes\n",
        GROWN.stocks, GROWN.holds, GROWN.events
    );
    let small = Server::holdfast(small_folder.path());
    server::seed(&small, PRODUCTS);
    let mut large = Server::holdfast(folder);
    // The distance is odd, so that one in ten of these stocks is low, as of all stocks.
    large.step = GROWN.stocks as u32 / PRODUCTS - 1;
    println!("start to first answer: {:.0} ms", large.started.as_secs_f64() * 1e3);
    println!("resident memory at the start: {} MB\n", large.resident_mb());
    print_head("large", "small");
    for scenario in Scenario::SINGLE.into_iter().chain([Scenario::Batch(100)]) {
        let [small, large] = in_turn(scenario, [&small, &large], options);
        print_row(scenario, &large, &small);
    }
    pages::print(&large);
    println!("\nresident memory at the end: {} MB", large.resident_mb());
}

fn disk(folder: &Path, ours: &Server) -> String {
    let events = server::last_sequence(ours);
    let bytes = std::fs::metadata(folder.join("inventory.db")).map_or(0, |file| file.len());
    format!("database: {bytes} bytes after {events} events, {} each", bytes / events)
}

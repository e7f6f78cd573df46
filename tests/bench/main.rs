//! How fast the server is, against a bare axum route that parses and answers the same JSON
//! on the same machine in the same run: `cargo bench`. Needs wrk on the PATH.
//!
//! Each scenario is run several times, ours and the bare one in turn, and medians are
//! printed: on a shared machine only the ratios mean much.

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
#[path = "../harness/client.rs"]
mod client;
mod scenario;
mod server;

use scenario::{Measured, Scenario};
use server::Server;
use std::path::Path;

const PRODUCTS: u32 = 10_000;
const CONNECTIONS: u32 = 64;

struct Options {
    seconds: u32,
    rounds: usize,
}

/// `--seconds N` per measurement, `--rounds N` measurements; cargo adds `--bench`.
fn options() -> Options {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str, default: usize| {
        let place = arguments.iter().position(|argument| argument == name);
        let given = place.and_then(|place| arguments.get(place + 1));
        given.map_or(default, |text| text.parse().expect("a number"))
    };
    Options { seconds: value("--seconds", 5) as u32, rounds: value("--rounds", 5) }
}

fn main() {
    if std::env::args().nth(1).as_deref() == Some("bare") {
        return bare::serve();
    }
    let options = options();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ours = Server::holdfast(folder.path());
    let bare = Server::bare();
    server::seed(&ours, PRODUCTS);
    println!(
        "{CONNECTIONS} connections, {PRODUCTS} products, medians of {} x {} s; times in ms\n",
        options.rounds, options.seconds
    );
    println!(
        "| scenario | requests/s | p50 | p99 | errors | bare axum route | p50 | p99 | ratio |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let mut rates = Vec::new();
    for scenario in Scenario::ALL {
        let (mut our_runs, mut bare_runs) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds {
            bare_runs.push(scenario.run(&bare, options.seconds));
            our_runs.push(scenario.run(&ours, options.seconds));
        }
        let ours = Measured::median(our_runs);
        rates.push(ours.rate);
        print_row(scenario, &ours, &Measured::median(bare_runs));
    }
    if let [_, spread, hold, ..] = rates[..] {
        println!("\nhold and confirm: {:.0} % of the rate of reserve", 100.0 * hold / spread);
    }
    println!("resident memory: {}", ours.resident());
    println!("{}", disk(folder.path(), &ours));
}

fn print_row(scenario: Scenario, ours: &Measured, bare: &Measured) {
    println!(
        "| {} | {:.0} | {:.2} | {:.2} | {} | {:.0} | {:.2} | {:.2} | {:.0} % |",
        scenario.title(),
        ours.rate,
        ours.p50_ms,
        ours.p99_ms,
        ours.errors,
        bare.rate,
        bare.p50_ms,
        bare.p99_ms,
        100.0 * ours.rate / bare.rate
    );
}

fn disk(folder: &Path, ours: &Server) -> String {
    let events = server::last_sequence(ours);
    let bytes = std::fs::metadata(folder.join("inventory.db")).map_or(0, |file| file.len());
    format!("database: {bytes} bytes after {events} events")
}

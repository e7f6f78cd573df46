//! The effect of swaps and of a hostile component on 64 connections that reserve, each with one
//! request under way. Quiet and disturbed rounds take turns in one run. `cargo bench --bench swap
//! [-- --seconds 5] [-- --rounds 5]`

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark ends at the first surprise"
)]

#[path = "../../harness/client.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod client;
#[path = "../../harness/guests.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod guests;
mod load;

use client::Client;
use holdfast::component::EMBEDDED;
use load::{Load, Measured};
use std::{
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

const TOKEN: &str = "a-token-for-benchmarks";
const SWAPS: u32 = 100;

/// Attacks a second. The breaker rolls the component back after ten faults.
const ATTACKS_PER_SECOND: u32 = 20;

const ATTACKS: [&str; 13] = [
    "endless-loop",
    "memory-bomb",
    "panic",
    "stack-overflow",
    "deep-recursion",
    "giant-strings",
    "copied-strings",
    "giant-refusal",
    "flood-of-events",
    "flood-of-calls",
    "flood-of-scans",
    "negative-available",
    "other-stock",
];

struct Server {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let free = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = free.local_addr().expect("its address").port();
        drop(free);
        let process = Command::new(env!("CARGO_BIN_EXE_holdfast"))
            .current_dir(folder.path())
            .args(["--port", &port.to_string(), "--admin-token", TOKEN, "--log-level", "off"])
            .stdout(Stdio::null())
            .spawn()
            .expect("a server");
        let patience = Instant::now() + Duration::from_secs(10);
        while Client::try_connect(port).is_none() {
            assert!(Instant::now() < patience, "the server does not answer");
            std::thread::sleep(Duration::from_millis(5));
        }
        let server = Self { process, port, _folder: folder };
        let mut client = Client::connect(port);
        client.stock("a", 900_000_000_000, 0);
        client.stock("b", 5, 0);
        server
    }

    fn swap(&self, component: &[u8]) {
        let authorization = format!("Bearer {TOKEN}");
        let headers = [("authorization", authorization.as_str())];
        let mut client = Client::connect(self.port);
        let reply = client.try_call("PUT", "/v1/admin/domain", &headers, component);
        let reply = reply.expect("an answer");
        assert_eq!(reply.status, 200, "{}", reply.text);
    }

    /// Measures the load while `other` runs until the load ends.
    fn beside(&self, seconds: u32, other: impl FnOnce(&AtomicBool) + Send) -> Measured {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| other(&over));
            let measured = Load { port: self.port, seconds }.run();
            over.store(true, Ordering::Relaxed);
            measured
        })
    }
}

fn number(name: &str, default: u32) -> u32 {
    let given = std::env::args().skip_while(|argument| argument != name).nth(1);
    given.map_or(default, |text| text.parse().expect("a number"))
}

fn main() {
    let (seconds, rounds) = (number("--seconds", 5), number("--rounds", 3));
    let server = Server::start();
    println!("64 connections reserve of one product; medians of {rounds} x {seconds} s, in ms\n");
    println!("| beside them | requests/s | p50 | p99 | slowest | errors |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    let other = guests::twin(EMBEDDED, "other");
    let (mut quiet, mut swapping) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        quiet.push(server.beside(seconds, |_| {}));
        swapping.push(server.beside(seconds, |_| {
            let begun = Instant::now();
            for round in 0..SWAPS {
                server.swap(if round % 2 == 0 { &other } else { EMBEDDED });
                // The swaps are spread over the whole run.
                let due = Duration::from_secs(seconds.into()) * round / (SWAPS + 10);
                std::thread::sleep(due.saturating_sub(begun.elapsed()));
            }
        }));
    }
    println!("{}", Measured::median(quiet).row("nothing"));
    println!("{}", Measured::median(swapping).row(&format!("{SWAPS} swaps back and forth")));

    let hostile = guests::hostile();
    for attack in ATTACKS {
        let (mut quiet, mut attacked, mut faults) = (Vec::new(), Vec::new(), 0);
        for _ in 0..rounds {
            quiet.push(server.beside(seconds, |_| {}));
            server.swap(&hostile);
            let faults = &mut faults;
            attacked.push(server.beside(seconds, |over| {
                let mut client = Client::connect(server.port);
                let body = format!(r#"{{"quantity": 1, "reference": "{attack}"}}"#);
                while !over.load(Ordering::Relaxed) {
                    let reply = client.post("/v1/inventory/a/reserve", &body);
                    *faults += u32::from(reply.status == 500);
                    std::thread::sleep(Duration::from_secs(1) / ATTACKS_PER_SECOND);
                }
            }));
        }
        println!("{}", Measured::median(quiet).row(&format!("nothing, before {attack}")));
        let title = format!("{attack}, {} faults a run", faults / rounds);
        println!("{}", Measured::median(attacked).row(&title));
    }
}

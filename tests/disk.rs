//! A disk that is full or fails: every acknowledged command is in the log once, and no refused one
//! is.

use crate::{
    harness::{Client, Disk, Server, eventually},
    swap::log,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// How many entries of the log carry each reference.
fn by_reference(client: &mut Client) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (expected, entry) in (1_u64..).zip(log(client)) {
        assert_eq!(entry["sequence"], expected, "the log has no gap");
        if let Some(reference) = entry["reference"].as_str() {
            *counts.entry(reference.to_owned()).or_default() += 1;
        }
    }
    counts
}

/// The answers to a client's commands, which are named by their references.
#[derive(Default)]
struct Answers {
    acknowledged: Vec<String>,
    refused: Vec<String>,
    /// The number of commands whose outcome is unknown.
    unknown: usize,
}

impl Answers {
    /// Sends six commands, or fewer where one fails.
    fn send(&mut self, client: &mut Client, round: usize) {
        for number in 0..6 {
            let reference = format!("{round}-{number}");
            let (path, body) = match number % 3 {
                0 => ("/v1/inventory/a/reserve", r#"{"quantity": 1, "reference": "REF"}"#),
                1 => ("/v1/inventory/b/adjust", r#"{"delta": 1, "reference": "REF"}"#),
                _ => (
                    "/v1/reservations",
                    r#"{"lines": [{"product_id": "a", "quantity": 1}], "reference": "REF"}"#,
                ),
            };
            let key = [("idempotency-key", reference.as_str())];
            let body = body.replace("REF", &reference);
            let Ok(reply) = client.try_call("POST", path, &key, body.as_bytes()) else { return };
            match reply.status {
                200 | 201 => self.acknowledged.push(reference),
                503 if reply.problem() == "outcome-unknown" => {
                    self.unknown += 1;
                    return;
                }
                503 => {
                    self.refused.push(reference);
                    return;
                }
                other => panic!("{other}: {reply:?}"),
            }
        }
    }

    fn check(&self, client: &mut Client) {
        let logged = by_reference(client);
        let missing: Vec<_> =
            self.acknowledged.iter().filter(|it| logged.get(*it) != Some(&1)).collect();
        let written: Vec<_> = self.refused.iter().filter(|it| logged.contains_key(*it)).collect();
        assert!(missing.is_empty(), "acknowledged, but not in the log exactly once: {missing:?}");
        assert!(written.is_empty(), "refused, but in the log: {written:?}");
    }
}

/// The first, second, ... call of a kind fails, either once or together with all later ones, and
/// then the process is killed. `HOLDFAST_TEST_DISK_FAULTS` says up to which call (12 by default, of
/// which every fifth is tried).
#[test]
fn acknowledged_commands_survive_a_failing_call_and_a_kill() {
    let most = std::env::var("HOLDFAST_TEST_DISK_FAULTS").ok().and_then(|it| it.parse().ok());
    let step = if most.is_some() { 1 } else { 5 };
    let disk = Disk::new();
    let mut answers = Answers::default();
    let mut round = 0;
    {
        let mut client = disk.start(&[]);
        client.client().stock("a", 1_000_000, 0);
        client.client().stock("b", 1_000_000, 0);
        client.signal("-TERM");
        client.wait();
    }
    let kinds = [
        ("write", "EIO"),
        ("write", "ENOSPC"),
        ("write", "SHORT"),
        ("sync", "EIO"),
        ("read", "EIO"),
    ];
    for (operation, error) in kinds {
        for first in (1..=most.unwrap_or(12_usize)).step_by(step) {
            for count in [1, 1_000_000] {
                round += 1;
                let server = disk.start(&[]);
                answers.check(&mut server.client());
                disk.fail(&format!("{operation} {first} {count} {error}"));
                answers.send(&mut server.client(), round);
                server.kill();
                disk.heal();
            }
        }
    }
    let server = disk.start(&[]);
    answers.check(&mut server.client());
    assert!(
        answers.acknowledged.len() > 20 && answers.refused.len() > 3,
        "some calls failed, others not"
    );
}

/// Calls fail during the start, which then ends with an error or serves.
#[test]
fn nothing_is_lost_when_a_call_fails_during_the_start() {
    let disk = Disk::new();
    let mut answers = Answers::default();
    let server = disk.start(&[]);
    server.client().stock("a", 1_000_000, 0);
    server.client().stock("b", 1_000_000, 0);
    answers.send(&mut server.client(), 0);
    server.kill();
    let step = if std::env::var_os("HOLDFAST_TEST_DISK_FAULTS").is_some() { 1 } else { 3 };
    for (round, operation) in (1..).zip(["write", "sync", "truncate", "read"]) {
        for first in (1..8).step_by(step) {
            disk.fail(&format!("{operation} {first} 1000000 EIO"));
            if let Ok(server) = disk.try_start() {
                answers.check(&mut server.client());
                server.kill();
            }
            disk.heal();
        }
        let server = disk.start(&[]);
        answers.check(&mut server.client());
        answers.send(&mut server.client(), round);
        server.kill();
    }
    let server = disk.start(&[]);
    answers.check(&mut server.client());
}

fn levels(client: &mut Client) -> Vec<Value> {
    client.get("/v1/inventory?limit=100").json()["items"].as_array().unwrap().clone()
}

#[test]
fn a_start_on_a_full_disk_after_a_kill_serves_exact_reads_and_recovers_by_itself() {
    for failing in ["write 1 1000000 ENOSPC", "sync 1 1000000 EIO", "write 3 1000000 EIO"] {
        let disk = Disk::new();
        let server = disk.start(&[]);
        let mut client = server.client();
        for product in ["a", "b", "c"] {
            client.stock(product, 100, 50);
        }
        // The rows of "a" and "b" lag behind the log. The reserve of "c" changes its deficit, which
        // scans look for, so its row does not lag.
        for product in ["a", "a", "b", "b", "b"] {
            assert_eq!(client.reserve(product, 5).status, 200);
        }
        assert_eq!(client.reserve("c", 60).status, 200);
        let (before, low) = (levels(&mut client), client.get("/v1/inventory/low-stock").text);
        server.kill();

        disk.fail(failing);
        let server = disk.start(&[]);
        let mut client = server.client();
        let ready = client.get("/health/ready");
        assert_eq!((ready.status, &ready.json()["status"]), (503, &"read-only".into()));
        assert!(server.log().contains("read-only until"), "{}", server.log());
        assert_eq!(levels(&mut client), before, "{failing}");
        assert_eq!(client.get("/v1/inventory/low-stock").text, low);
        assert_eq!(client.get("/v1/inventory/b").json()["reserved_quantity"], 15);
        assert_eq!(client.get("/v1/inventory/b/events").json()["items"][0]["to"]["version"], 4);
        assert_eq!(client.reserve("a", 1).problem(), "read-only");

        disk.heal();
        eventually("the server recovers by itself", || client.get("/health/ready").status == 200);
        assert_eq!(levels(&mut client), before);
        assert_eq!(client.reserve("a", 1).json()["version"], 4);
        let folder = server.kill();
        let server = Server::start_in(&folder, &[]);
        let stock = server.client().get("/v1/inventory/a").json();
        assert_eq!(stock["reserved_quantity"], 11);
    }
}

#[test]
fn a_stop_while_the_disk_is_full_ends_and_loses_nothing() {
    let disk = Disk::new();
    let mut server = disk.start(&[]);
    let mut client = server.client();
    client.stock("a", 100, 0);
    assert_eq!(client.reserve("a", 5).status, 200);
    disk.fail("write 1 1000000 ENOSPC");
    assert_eq!(client.reserve("a", 5).status, 503);
    server.signal("-TERM");
    assert_eq!(server.wait().code(), Some(0));
    disk.heal();
    let server = Server::start_in(disk.folder(), &[]);
    assert_eq!(server.client().get("/v1/inventory/a").json()["reserved_quantity"], 5);
}

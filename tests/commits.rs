//! A client whose commit failed is told whether the command was written, and that stays true after
//! any restart.

use crate::harness::{Client, Disk, Reply, Server, eventually};
use std::sync::Arc;

const RESERVE: &str = "/v1/inventory/a/reserve";

fn reserve(client: &mut Client, key: &str) -> Reply {
    client.with(&[("idempotency-key", key)], "POST", RESERVE, r#"{"quantity": 1}"#)
}

fn reserved(client: &mut Client) -> u64 {
    client.get("/v1/inventory/a").json()["reserved_quantity"].as_u64().unwrap()
}

/// A disk, and a server on it with a stock and commits in its write-ahead log.
fn with_stock() -> (Disk, Server) {
    let disk = Disk::new();
    let server = disk.start(&[]);
    let mut client = server.client();
    client.stock("a", 1_000, 0);
    assert_eq!(client.reserve("a", 10).status, 200);
    (disk, server)
}

/// Kills the server, and starts it on a disk that works.
fn killed_and_restarted(disk: &Disk, server: Server) -> Server {
    let folder = server.kill();
    disk.heal();
    Server::start_in(&folder, &[])
}

#[test]
fn a_command_whose_sync_failed_is_not_there_after_a_kill() {
    for error in ["EIO", "ENOSPC"] {
        let (disk, server) = with_stock();
        let mut client = server.client();
        // A checkpoint may meet the failing sync instead of the commit; then the next commit is
        // tried.
        let mut done = 10;
        let refused = loop {
            disk.fail(&format!("sync 1 1 {error}"));
            match client.reserve("a", 1) {
                Reply { status: 200, .. } => done += 1,
                refused => break refused,
            }
        };
        assert_eq!((refused.status, refused.problem().as_str()), (503, "store-unavailable"));
        let server = killed_and_restarted(&disk, server);
        assert_eq!(reserved(&mut server.client()), done, "{error}");
    }
}

#[test]
fn a_command_whose_write_failed_is_not_there_after_a_kill() {
    for rule in ["write 1 1000 ENOSPC", "write 2 1000 EIO", "write 2 1 SHORT", "write 3 1 EIO"] {
        let (disk, server) = with_stock();
        let mut client = server.client();
        disk.fail(rule);
        let reply = reserve(&mut client, "k");
        // SQLite tries a short write again, which may succeed.
        if reply.status == 503 {
            assert_eq!(reply.problem(), "store-unavailable", "{rule}");
        }
        let expected = if reply.status == 503 { 10 } else { 11 };
        let server = killed_and_restarted(&disk, server);
        assert_eq!(reserved(&mut server.client()), expected, "{rule}");
    }
}

#[test]
fn a_failed_commit_that_cannot_be_undone_has_an_unknown_outcome() {
    for kill in [false, true] {
        let (disk, server) = with_stock();
        let mut client = server.client();
        disk.fail("sync 1 1000000 EIO");
        let unknown = reserve(&mut client, "k");
        assert_eq!((unknown.status, unknown.problem().as_str()), (503, "outcome-unknown"));
        assert_eq!(unknown.header("retry-after"), "1");
        assert!(unknown.text.contains("same Idempotency-Key"), "{}", unknown.text);
        assert!(unknown.text.contains("without a key, read first"), "{}", unknown.text);
        // Later commands are certainly not written.
        assert_eq!(reserve(&mut client, "l").problem(), "read-only");
        let server = if kill {
            killed_and_restarted(&disk, server)
        } else {
            disk.heal();
            server
        };
        let mut client = server.client();
        eventually("the server is ready", || client.get("/health/ready").status == 200);
        let done = reserve(&mut client, "k");
        assert_eq!(done.status, 200, "the same request with the same key is carried out once");
        assert_eq!(reserved(&mut client), 11);
        let folder = Arc::clone(server.folder());
        server.kill();
        assert_eq!(reserved(&mut Server::start_in(&folder, &[]).client()), 11);
    }
}

/// The first commit after a start begins a new write-ahead log, and syncs its header before
/// anything else.
#[test]
fn the_first_commit_after_a_start_is_not_written_when_its_sync_fails() {
    for signal in ["-TERM", "-KILL"] {
        let disk = Disk::new();
        let mut server = disk.start(&[]);
        server.client().stock("a", 1_000, 0);
        server.signal(signal);
        server.wait();
        drop(server);
        let server = disk.start(&[]);
        let mut client = server.client();
        disk.fail("sync 1 1000000 EIO");
        assert_eq!(reserve(&mut client, "k").problem(), "store-unavailable", "after {signal}");
        let server = killed_and_restarted(&disk, server);
        assert_eq!(reserved(&mut server.client()), 0);
    }
}

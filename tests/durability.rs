//! No acknowledged command is ever lost.

use crate::harness::Server;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

#[test]
fn acknowledged_commands_survive_kill_9() {
    let mut folder = Server::start().kill();
    let mut acknowledged_before = 0;
    for round in 0..5 {
        let server = Server::start_in(&folder, &[]);
        if round == 0 {
            server.client().stock("a", 1_000_000, 0);
        }
        let (acknowledged, sent) = (AtomicU64::new(0), AtomicU64::new(0));
        let killed = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..16 {
                let (acknowledged, sent, killed, server) = (&acknowledged, &sent, &killed, &server);
                scope.spawn(move || {
                    let mut client = server.client();
                    while !killed.load(Ordering::Relaxed) {
                        sent.fetch_add(1, Ordering::Relaxed);
                        let reply = client.try_call(
                            "POST",
                            "/v1/inventory/a/reserve",
                            &[],
                            br#"{"quantity": 1}"#,
                        );
                        match reply {
                            Ok(reply) => {
                                assert_eq!(reply.status, 200);
                                acknowledged.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(_) => break,
                        }
                    }
                });
            }
            // The kill comes while commands are under way.
            while acknowledged.load(Ordering::Relaxed) < 200 * (round + 1) {
                std::thread::yield_now();
            }
            server.signal("-KILL");
            killed.store(true, Ordering::Relaxed);
        });
        folder = server.kill();
        let (acknowledged, sent) = (acknowledged.into_inner(), sent.into_inner());

        let server = Server::start_in(&folder, &[]);
        let mut client = server.client();
        let stock = client.get("/v1/inventory/a").json();
        let reserved = stock["reserved_quantity"].as_u64().unwrap();
        let done = reserved - acknowledged_before;
        assert!(acknowledged <= done && done <= sent, "{acknowledged} <= {done} <= {sent}");
        assert_eq!(
            stock["version"],
            reserved + 1,
            "each command is there as a whole or not at all"
        );
        let newest = client.get("/v1/inventory/a/events?limit=1").json();
        assert_eq!(newest["items"][0]["sequence"], reserved + 1, "the log has no gap");
        acknowledged_before = reserved;
        folder = server.kill();
    }
}

#[test]
fn a_stop_finishes_queued_commands_and_exits_with_0() {
    for signal in ["-TERM", "-INT"] {
        let mut server = Server::start();
        server.client().stock("a", 1_000_000, 0);
        let acknowledged = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..16 {
                let (acknowledged, server) = (&acknowledged, &server);
                scope.spawn(move || {
                    let mut client = server.client();
                    while let Ok(reply) = client.try_call(
                        "POST",
                        "/v1/inventory/a/reserve",
                        &[],
                        br#"{"quantity": 1}"#,
                    ) {
                        assert_eq!(reply.status, 200, "{reply:?}");
                        acknowledged.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            while acknowledged.load(Ordering::Relaxed) < 200 {
                std::thread::yield_now();
            }
            server.signal(signal);
        });
        assert_eq!(server.wait().code(), Some(0), "{}", server.log());
        let wal = server.database().with_extension("db-wal");
        assert!(std::fs::metadata(wal).map_or(0, |file| file.len()) == 0, "checkpointed");
        let folder = server.kill();
        let server = Server::start_in(&folder, &[]);
        let stock = server.client().get("/v1/inventory/a").json();
        assert_eq!(stock["reserved_quantity"], acknowledged.into_inner());
    }
}

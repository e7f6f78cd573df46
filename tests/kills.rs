//! A server that is killed at the worst times: during a swap, during its start, and while tens of
//! thousands of rows lag behind the log. Every acknowledged command is there afterwards.

use crate::{
    harness::{Client, Server, eventually, guests::twin},
    swap::{TOKEN, admin},
};
use holdfast::component::EMBEDDED;
use serde_json::{Value, json};
use std::{
    process::Stdio,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

fn reserved(client: &mut Client) -> u64 {
    client.get("/v1/inventory/a").json()["reserved_quantity"].as_u64().unwrap()
}

fn items(client: &mut Client, path: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("{path}limit=500{cursor}")).json();
        all.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { return all };
        cursor = format!("&cursor={next}");
    }
}

#[test]
fn a_kill_within_a_swap_leaves_the_component_that_the_log_names() {
    let arguments = ["--admin-token", TOKEN];
    let mut server = Server::start_with(&arguments);
    server.client().stock("a", 1_000_000, 0);
    let components = [twin(EMBEDDED, "one"), twin(EMBEDDED, "two")];
    let acknowledged = AtomicU64::new(0);
    for round in 0..8_usize {
        let before = acknowledged.load(Ordering::Relaxed);
        let port = server.port;
        let folder = std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut client = Client::connect(port);
                while let Ok(reply) =
                    client.try_call("POST", "/v1/inventory/a/reserve", &[], br#"{"quantity": 1}"#)
                {
                    if reply.status == 200 {
                        acknowledged.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
            scope.spawn(|| {
                let mut client = Client::connect(port);
                let token = format!("Bearer {TOKEN}");
                let headers =
                    [("authorization", token.as_str()), ("content-type", "application/wasm")];
                // Swaps follow one another until the server is killed.
                for component in components.iter().cycle() {
                    if client.try_call("PUT", "/v1/admin/domain", &headers, component).is_err() {
                        return;
                    }
                }
            });
            eventually("commands are acknowledged", || {
                acknowledged.load(Ordering::Relaxed) > before + 20
            });
            std::thread::sleep(Duration::from_millis(round as u64 * 37));
            server.kill()
        });
        server = Server::start_in(&folder, &arguments);
        let mut client = server.client();
        let known = acknowledged.load(Ordering::Relaxed);
        let there = reserved(&mut client);
        // A command that was under way at the kill may be there.
        assert!(known == there || known + 1 == there, "{known} acknowledged, {there} there");
        acknowledged.store(there, Ordering::Relaxed);
        let (_, domain) = admin(&mut client, "GET", "/v1/admin/domain", b"");
        let swaps = items(&mut client, "/v1/events?type=DomainSwapped&");
        if let Some(last) = swaps.last() {
            assert_eq!(domain["current"], last["component"], "{last}");
        }
    }
}

#[test]
fn repeated_kills_during_the_start_lose_nothing() {
    let mut folder = Server::start().kill();
    let mut expected = 0;
    for round in 0..6_u64 {
        let server = Server::start_in(&folder, &[]);
        let mut client = server.client();
        if round == 0 {
            client.stock("a", 1_000_000, 0);
        }
        assert_eq!(reserved(&mut client), expected);
        for _ in 0..50 {
            assert_eq!(client.reserve("a", 1).status, 200);
        }
        expected += 50;
        folder = server.kill();
        for attempt in 0..5 {
            let mut starting = Server::command(folder.path());
            let mut starting = starting.stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(round * 5 + attempt * 9));
            starting.kill().unwrap();
            starting.wait().unwrap();
        }
    }
    let server = Server::start_in(&folder, &[]);
    assert_eq!(reserved(&mut server.client()), expected);
}

#[test]
fn tens_of_thousands_of_rows_that_lag_are_current_after_a_kill() {
    const STOCKS: usize = 24_000;
    let server = Server::start();
    let mut client = server.client();
    let mut batches = |command: &dyn Fn(usize) -> Value| {
        for first in (0..STOCKS).step_by(1_000) {
            let commands: Vec<_> = (first..first + 1_000).map(command).collect();
            let body = json!({ "mode": "atomic", "commands": commands }).to_string();
            assert_eq!(client.post("/v1/batch", &body).status, 200);
        }
    };
    batches(&|i| json!({ "type": "set", "product_id": format!("p{i}"), "total_quantity": 9 }));
    batches(
        &|i| json!({ "type": "reserve", "product_id": format!("p{i}"), "quantity": 1 + i % 7 }),
    );
    let server = Server::start_in(&server.kill(), &[]);
    let stocks = items(&mut server.client(), "/v1/inventory?");
    assert_eq!(stocks.len(), STOCKS);
    for stock in stocks {
        let i: u64 = stock["product_id"].as_str().unwrap()[1..].parse().unwrap();
        let there = (&stock["reserved_quantity"], &stock["version"]);
        assert_eq!(there, (&json!(1 + i % 7), &json!(2)), "{stock}");
    }
}

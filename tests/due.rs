//! Many holds of many lines come due: no command and no query fails because of them.

use crate::{
    harness::{Client, Reply, Server, eventually, guests::twin},
    swap::{TOKEN, admin, swap},
};
use holdfast::{component::EMBEDDED, model::Digest};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Units of each stock. While all holds are held, 35 are available, fewer than the minimum.
const TOTAL: u64 = 100;
const MINIMUM: u64 = 40;
const STOCKS: usize = 100;
const HOLDS: usize = 65;
/// Holds in one request. With 100 lines each, this is the bound on the lines of a request.
const HOLDS_PER_REQUEST: usize = 50;
const TTL: Duration = Duration::from_secs(1);
const NO_SWEEPS: &[&str] = &["--sweep-interval-ms", "0"];

fn batch(client: &mut Client, commands: &[Value]) -> Reply {
    client.post("/v1/batch", &json!({ "mode": "atomic", "commands": commands }).to_string())
}

fn make_stocks(client: &mut Client) {
    let set = |i| {
        json!({ "type": "set", "product_id": format!("line-{i}"), "total_quantity": TOTAL,
            "minimum_stock_level": MINIMUM })
    };
    let commands: Vec<_> = (0..STOCKS).map(set).collect();
    assert_eq!(batch(client, &commands).status, 200);
}

/// A hold of one unit of each stock.
fn cart() -> Value {
    let line = |i| json!({ "product_id": format!("line-{i}"), "quantity": 1 });
    json!({ "type": "hold", "ttl_seconds": TTL.as_secs(),
        "lines": (0..STOCKS).map(line).collect::<Vec<_>>() })
}

/// Makes 65 holds of 100 lines that come due at about the same time, and after them one hold on
/// another stock.
fn make_backlog(client: &mut Client) {
    make_stocks(client);
    client.stock("elsewhere", 1, 0);
    for holds in vec![cart(); HOLDS].chunks(HOLDS_PER_REQUEST) {
        assert_eq!(batch(client, holds).status, 200);
    }
    let elsewhere = json!({ "type": "hold", "reservation_id": "elsewhere", "ttl_seconds": 1,
        "lines": [{ "product_id": "elsewhere", "quantity": 1 }] });
    assert_eq!(batch(client, &[elsewhere]).status, 200);
}

/// Kills the server, and starts it again when the holds are due.
fn down_until_due(server: Server, arguments: &[&str]) -> Server {
    let made = Instant::now();
    let folder = server.kill();
    eventually("the holds are due", || made.elapsed() > TTL);
    Server::start_in(&folder, arguments)
}

fn items(client: &mut Client, path: &str) -> Vec<Value> {
    let reply = client.get(path);
    assert_eq!(reply.status, 200, "{path}: {reply:?}");
    reply.json()["items"].as_array().unwrap().clone()
}

/// Sends every kind of query about the stocks. Returns whether all units are shown as free.
fn look(client: &mut Client) -> bool {
    let one = client.get("/v1/inventory/line-7");
    assert_eq!(one.status, 200, "{one:?}");
    let stocks = items(client, "/v1/inventory?prefix=line-&limit=100");
    assert_eq!(stocks.len(), STOCKS);
    let low = items(client, "/v1/inventory/low-stock?limit=100");
    items(client, "/v1/reservations?product_id=line-7");
    let held = items(client, "/v1/reservations?state=held");
    items(client, "/v1/events?product_id=line-7");
    // Each answer is as of another time, so the answers are not compared with each other.
    stocks.iter().chain([&one.json()]).all(|stock| stock["available_quantity"] == TOTAL)
        && low.is_empty()
        && held.is_empty()
}

/// Sends commands that together leave the stocks as they were.
fn command(client: &mut Client) {
    let put = format!(r#"{{"total_quantity": {TOTAL}, "minimum_stock_level": {MINIMUM}}}"#);
    for (method, path, body) in [
        ("POST", "/v1/inventory/line-9/reserve", r#"{"quantity": 1}"#),
        ("POST", "/v1/inventory/line-9/release", r#"{"quantity": 1}"#),
        ("PUT", "/v1/inventory/line-8", &put),
    ] {
        let reply = client.call(method, path, body);
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
    }
}

/// The number of holds that are recorded as expired.
fn expired(client: &mut Client) -> usize {
    items(client, "/v1/events?type=ReservationExpired&limit=100").len()
}

/// Reserves all units of two stocks, which works only where no hold counts any more.
fn sell_out(client: &mut Client) {
    assert_eq!(client.reserve("line-7", TOTAL).status, 200);
    assert_eq!(client.reserve("line-8", TOTAL).status, 200);
    assert_eq!(client.reserve("line-7", 1).problem(), "insufficient-stock");
}

#[test]
fn carts_of_many_lines_come_due_and_all_requests_succeed() {
    let server = Server::start_with(&["--admin-token", TOKEN]);
    let mut client = server.client();
    let other = twin(EMBEDDED, "other");
    assert_eq!(swap(&mut client, &other).0, 200);
    make_backlog(&mut client);
    eventually("all holds are swept, and all units are free", || {
        command(&mut client);
        look(&mut client) && expired(&mut client) == HOLDS + 1
    });
    sell_out(&mut client);
    let (_, domain) = admin(&mut client, "GET", "/v1/admin/domain", b"");
    assert_eq!(
        domain["current"],
        Digest::of(&other).to_string(),
        "the component is not rolled back"
    );
    assert_eq!(domain["faults"]["total"], 0);
}

#[test]
fn carts_that_came_due_while_the_server_was_down_fail_no_request() {
    let server = Server::start();
    make_backlog(&mut server.client());
    let server = down_until_due(server, &[]);
    let mut client = server.client();
    assert!(look(&mut client), "all units are free, whether the holds are swept or not");
    command(&mut client);
    eventually("all holds are swept, also those on other stocks", || {
        assert!(look(&mut client));
        expired(&mut client) == HOLDS + 1
    });
    sell_out(&mut client);
}

#[test]
fn without_sweeps_the_first_command_on_a_stock_expires_its_due_holds() {
    let server = Server::start_with(NO_SWEEPS);
    make_backlog(&mut server.client());
    let server = down_until_due(server, NO_SWEEPS);
    let mut client = server.client();
    let before = expired(&mut client);
    assert!(look(&mut client), "queries count due units as free");
    assert_eq!(expired(&mut client), before, "and write nothing");
    sell_out(&mut client);
    assert_eq!(expired(&mut client), HOLDS, "holds on other stocks are left alone");
    assert_eq!(client.get("/v1/inventory/elsewhere").json()["available_quantity"], 1);
}

#[test]
fn a_list_of_stocks_is_answered_while_holds_are_due() {
    // With sweeps the due holds soon expire; without sweeps the list certainly meets them.
    for arguments in [&[], NO_SWEEPS] {
        let server = Server::start_with(arguments);
        let mut client = server.client();
        make_stocks(&mut client);
        assert_eq!(batch(&mut client, &vec![cart(); 3]).status, 200);
        eventually("all units are free", || {
            let stocks = items(&mut client, "/v1/inventory");
            stocks.iter().all(|stock| stock["available_quantity"] == TOTAL)
        });
    }
}

/// Holds on one stock that have more lines together than the writer expires in one batch while
/// commands wait.
fn holds_of(product: &str) -> Vec<Value> {
    let line = json!({ "product_id": product, "quantity": 1 });
    let hold = json!({ "type": "hold", "ttl_seconds": TTL.as_secs(), "lines": vec![line; 100] });
    vec![hold; 13]
}

#[test]
fn every_kind_of_command_waits_for_the_due_holds_of_its_stock() {
    const ALL: u64 = 1_300;
    let server = Server::start_with(NO_SWEEPS);
    let mut client = server.client();
    let lines = |product: &str| json!([{ "product_id": product, "quantity": ALL }]);
    let batch_of = |product: &str| {
        let reserve = json!({ "type": "reserve", "product_id": product, "quantity": ALL });
        json!({ "mode": "independent", "commands": [reserve] })
    };
    let asked = [
        ("reserve", "POST", "/v1/inventory/reserve/reserve", json!({ "quantity": ALL })),
        ("set", "PUT", "/v1/inventory/set", json!({ "total_quantity": 0 })),
        ("hold", "POST", "/v1/reservations", json!({ "lines": lines("hold") })),
        ("replace", "PUT", "/v1/reservations/r", json!({ "lines": lines("replace") })),
        ("batch", "POST", "/v1/batch", batch_of("batch")),
        ("dry-run", "POST", "/v1/batch?dry_run=true", batch_of("dry-run")),
        (
            "transfer",
            "POST",
            "/v1/transfers",
            json!({ "product_id": "transfer", "from_location_id": "default",
                "to_location_id": "north", "quantity": ALL }),
        ),
    ];
    client.stock("other", 1, 0);
    let own = json!({ "reservation_id": "r", "lines": [{ "product_id": "other", "quantity": 1 }] });
    assert_eq!(client.post("/v1/reservations", &own.to_string()).status, 201);
    for (product, ..) in &asked {
        client.stock(product, ALL, 0);
        assert_eq!(batch(&mut client, &holds_of(product)).status, 200);
    }
    for (product, method, path, body) in asked {
        eventually("the holds are due", || {
            let stock = client.get(&format!("/v1/inventory/{product}")).json();
            stock["available_quantity"] == ALL
        });
        let reply = client.with(&[("idempotency-key", product)], method, path, &body.to_string());
        assert!(matches!(reply.status, 200 | 201), "{product}: {reply:?}");
        if let Some(result) = reply.json()["results"].get(0) {
            assert_eq!(result["status"], 200, "{product}: {reply:?}");
        }
        let again = client.with(&[("idempotency-key", product)], method, path, &body.to_string());
        assert_eq!(again.status, reply.status, "{product}: {again:?}");
    }
}

#[test]
fn a_stop_refuses_commands_that_wait_for_due_holds_and_carries_out_all_others() {
    const REQUESTS: u64 = 10;
    let server = Server::start_with(NO_SWEEPS);
    let mut client = server.client();
    client.stock("waited-for", 100_000, 0);
    client.stock("other", 10, 0);
    let line = json!({ "product_id": "waited-for", "quantity": 1 });
    let hold = json!({ "type": "hold", "ttl_seconds": 5, "lines": vec![line; 100] });
    for _ in 0..REQUESTS {
        assert_eq!(batch(&mut client, &vec![hold.clone(); HOLDS_PER_REQUEST]).status, 200);
    }
    let mut server = server;
    eventually("the holds are due", || {
        client.get("/v1/inventory/waited-for").json()["available_quantity"] == 100_000
    });
    let mut waiting = server.client();
    let reserve = "POST /v1/inventory/waited-for/reserve HTTP/1.1\r\nhost: a\r\n\
        content-type: application/json\r\ncontent-length: 15\r\n\r\n{\"quantity\": 1}";
    waiting.send(reserve.as_bytes()).unwrap();
    assert_eq!(client.reserve("other", 1).status, 200, "commands on other stocks go on");
    server.signal("-TERM");
    let refused = waiting.receive().unwrap();
    assert_eq!(refused.problem(), "stopping", "{refused:?}");
    assert!(server.wait().success());
}

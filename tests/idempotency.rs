//! A retry with an idempotency key is always safe.

use crate::harness::{Client, Reply, Server};
use serde_json::json;

const PATH: &str = "/v1/inventory/a/reserve";

fn keyed(client: &mut Client, key: &str, path: &str, body: &str) -> Reply {
    client.with(&[("idempotency-key", key)], "POST", path, body)
}

#[test]
fn the_same_request_again_is_answered_the_same_byte_for_byte() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 10, 0);
    let first = keyed(&mut client, "k1", PATH, r#"{"quantity": 3}"#);
    assert_eq!((first.status, first.header("idempotent-replayed")), (200, ""));
    client.reserve("a", 1);
    for key in ["k1", "\"k1\""] {
        let again = keyed(&mut client, key, PATH, r#"{"quantity": 3}"#);
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!((again.status, &again.text), (200, &first.text));
        assert_eq!(again.header("etag"), first.header("etag"));
    }
    assert_eq!(client.get("/v1/inventory/a").json()["reserved_quantity"], 4);
}

#[test]
fn rejections_are_kept_and_malformed_requests_are_not() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 1, 0);
    let refused = keyed(&mut client, "k", PATH, r#"{"quantity": 3}"#);
    assert_eq!(refused.problem(), "insufficient-stock");
    client.call("PUT", "/v1/inventory/a", r#"{"total_quantity": 10}"#);
    let again = keyed(&mut client, "k", PATH, r#"{"quantity": 3}"#);
    assert_eq!((again.status, again.text), (409, refused.text), "as it was decided");
    assert_eq!(keyed(&mut client, "m", PATH, r#"{"quantity": 0}"#).status, 400);
    assert_eq!(keyed(&mut client, "m", PATH, r#"{"quantity": 1}"#).status, 200);
}

#[test]
fn a_key_names_one_request_only() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 10, 0);
    assert_eq!(keyed(&mut client, "k", PATH, r#"{"quantity": 3}"#).status, 200);
    for (path, body) in [
        (PATH, r#"{"quantity": 4}"#),
        ("/v1/inventory/a/release", r#"{"quantity": 3}"#),
        ("/v1/inventory/a/reserve?dry_run=false", r#"{"quantity": 3}"#),
    ] {
        let other = keyed(&mut client, "k", path, body);
        assert_eq!((other.status, other.problem().as_str()), (422, "idempotency-key-reused"));
    }
    let long = "x".repeat(256);
    for bad in ["", "\"", &long] {
        assert_eq!(
            keyed(&mut client, bad, PATH, r#"{"quantity": 3}"#).pointers(),
            ["/idempotency-key"]
        );
    }
    assert_eq!(client.get("/v1/inventory/a").json()["reserved_quantity"], 3);
}

#[test]
fn the_answer_to_a_created_reservation_is_repeated_as_a_whole() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 10, 0);
    let body = r#"{"lines": [{"product_id": "a", "quantity": 3}]}"#;
    let first = keyed(&mut client, "k", "/v1/reservations", body);
    let again = keyed(&mut client, "k", "/v1/reservations", body);
    assert_eq!((again.status, &again.text), (201, &first.text), "the same id, without naming one");
    assert_eq!(again.header("location"), first.header("location"));
    let batch = json!({ "mode": "independent", "commands": [
        { "type": "reserve", "product_id": "a", "quantity": 1 },
        { "type": "reserve", "product_id": "a", "quantity": 100 },
    ] });
    let first = keyed(&mut client, "b", "/v1/batch", &batch.to_string());
    assert_eq!(keyed(&mut client, "b", "/v1/batch", &batch.to_string()).text, first.text);
    assert_eq!(client.get("/v1/inventory/a").json()["reserved_quantity"], 4);
}

#[test]
fn equal_concurrent_requests_run_once_and_get_the_same_answer() {
    let server = Server::start();
    server.client().stock("a", 1_000, 0);
    for round in 0..20 {
        let key = format!("twins-{round}");
        let texts: Vec<_> = std::thread::scope(|scope| {
            let twins: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| keyed(&mut server.client(), &key, PATH, r#"{"quantity": 1}"#))
                })
                .collect();
            twins.into_iter().map(|twin| twin.join().unwrap().text).collect()
        });
        assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    }
    assert_eq!(server.client().get("/v1/inventory/a").json()["reserved_quantity"], 20);
}

#[test]
fn keys_survive_a_restart() {
    let folder = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let server = Server::start_in(&folder, &[]);
    let mut client = server.client();
    client.stock("a", 10, 0);
    let first = keyed(&mut client, "k", PATH, r#"{"quantity": 3}"#);
    drop(server);
    let server = Server::start_in(&folder, &[]);
    let again = keyed(&mut server.client(), "k", PATH, r#"{"quantity": 3}"#);
    assert_eq!((again.header("idempotent-replayed"), &again.text), ("true", &first.text));
}

/// The value of a metric.
fn metric(client: &mut Client, name: &str) -> u64 {
    let text = client.get("/metrics").text;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
}

#[test]
fn the_oldest_large_records_are_deleted_early_and_small_ones_stay() {
    const BYTES_MAX: u64 = 100_000;
    let bound = ["--idempotency-caller-bytes-max", "100000"];
    let folder = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let server = Server::start_in(&folder, &bound);
    let mut client = server.client();
    client.stock("a", 100_000, 0);
    let small = keyed(&mut client, "small", PATH, r#"{"quantity": 1}"#);
    // Each answer has more than 20 KB, so at most four of them fit the bound.
    let command = json!({ "type": "reserve", "product_id": "a", "quantity": 1 });
    let batch = json!({ "mode": "atomic", "commands": vec![command; 100] }).to_string();
    let send = |client: &mut Client, key: &str| keyed(client, key, "/v1/batch", &batch);
    let large = |client: &mut Client| metric(client, "holdfast_idempotency_large_bytes");
    let early = |client: &mut Client| metric(client, "holdfast_idempotency_forgotten_early_total");
    let first = send(&mut client, "large-0").text;
    assert_eq!(send(&mut client, "large-0").header("idempotent-replayed"), "true");
    assert!(large(&mut client) > 20_000);
    assert_eq!(early(&mut client), 0);
    let mut last = String::new();
    for n in 1..8 {
        last = send(&mut client, &format!("large-{n}")).text;
        assert!(large(&mut client) <= BYTES_MAX);
    }
    assert!(early(&mut client) >= 4);
    drop(server);
    let server = Server::start_in(&folder, &bound);
    let mut client = server.client();
    assert!((20_000..=BYTES_MAX).contains(&large(&mut client)));
    let again = send(&mut client, "large-7");
    assert_eq!((again.header("idempotent-replayed"), &again.text), ("true", &last));
    let again = keyed(&mut client, "small", PATH, r#"{"quantity": 1}"#);
    assert_eq!((again.header("idempotent-replayed"), &again.text), ("true", &small.text));
    assert_eq!(client.get("/v1/inventory/a").json()["reserved_quantity"], 801);
    // The record of this key was deleted, so the request is carried out again.
    let again = send(&mut client, "large-0");
    assert_eq!((again.status, again.header("idempotent-replayed")), (200, ""));
    assert_ne!(again.text, first);
    assert_eq!(client.get("/v1/inventory/a").json()["reserved_quantity"], 901);
}

#[test]
fn with_the_setting_a_put_without_a_condition_is_refused() {
    let server = Server::start_with(&["--put-needs-condition", "true"]);
    let mut client = server.client();
    let put = |client: &mut Client, headers: &[(&str, &str)]| {
        client.with(headers, "PUT", "/v1/inventory/a", r#"{"total_quantity": 5}"#)
    };
    let bare = put(&mut client, &[]);
    assert_eq!((bare.status, bare.problem().as_str()), (428, "precondition-required"));
    assert_eq!(put(&mut client, &[("if-none-match", "*")]).status, 201);
    assert_eq!(put(&mut client, &[("if-match", "\"1\"")]).status, 200);
}

//! Stocks over HTTP, as the back end of a shop uses them.

use crate::harness::{Server, eventually};
use serde_json::json;

#[test]
fn a_stock_is_created_read_reserved_released_and_adjusted() {
    let server = Server::start();
    let mut client = server.client();
    let created = client.stock("sku-1", 10, 5);
    assert_eq!(created.header("location"), "/v1/inventory/sku-1");
    assert_eq!(created.header("etag"), "\"1\"");

    let reserved = client.post("/v1/inventory/sku-1/reserve", r#"{"quantity": 6}"#);
    assert_eq!((reserved.status, reserved.header("etag")), (200, "\"2\""));
    let released = client.post("/v1/inventory/sku-1/release", r#"{"quantity": 2}"#);
    assert_eq!(released.json()["reserved_quantity"], 4);
    let adjusted =
        client.post("/v1/inventory/sku-1/adjust", r#"{"delta": -3, "reason": "broken"}"#);
    assert_eq!(adjusted.json()["total_quantity"], 7);

    let read = client.get("/v1/inventory/sku-1");
    assert_eq!(read.header("content-type"), "application/json");
    let mut body = read.json();
    assert!(body["updated_at"].as_str().unwrap().ends_with('Z'));
    body["updated_at"] = json!(null);
    assert_eq!(
        body,
        json!({
            "product_id": "sku-1", "location_id": "default", "total_quantity": 7,
            "reserved_quantity": 4, "available_quantity": 3, "minimum_stock_level": 5,
            "low_stock": true, "version": 4, "updated_at": null,
        })
    );
}

#[test]
fn setting_a_stock_without_a_minimum_keeps_its_minimum() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 10, 5);
    let set = client.call("PUT", "/v1/inventory/a", r#"{"total_quantity": 20}"#);
    assert_eq!((set.status, &set.json()["minimum_stock_level"]), (200, &json!(5)));
    let same = client.call("PUT", "/v1/inventory/a", r#"{"total_quantity": 20}"#);
    assert_eq!((same.status, &same.json()["version"]), (200, &json!(2)), "nothing changed");
}

#[test]
fn refusals_carry_their_numbers() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 10, 0);
    client.reserve("a", 4);

    let short = client.reserve("a", 7);
    assert_eq!((short.status, short.problem().as_str()), (409, "insufficient-stock"));
    let line = json!({"index": 0, "product_id": "a", "location_id": "default", "requested": 7, "available": 6});
    assert_eq!(short.json()["lines"], json!([line]));

    let excess = client.post("/v1/inventory/a/release", r#"{"quantity": 5}"#);
    assert_eq!((excess.status, excess.problem().as_str()), (409, "release-exceeds-reserved"));
    let body = excess.json();
    assert_eq!(
        (&body["requested"], &body["releasable"], &body["reserved"]),
        (&json!(5), &json!(4), &json!(4))
    );

    let below = client.post("/v1/inventory/a/adjust", r#"{"delta": -7}"#);
    assert_eq!((below.status, below.problem().as_str()), (409, "adjust-below-reserved"));
    assert_eq!(
        (&below.json()["requested_total"], &below.json()["reserved"]),
        (&json!(3), &json!(4))
    );

    let above = client.post("/v1/inventory/a/adjust", r#"{"delta": 999999999999}"#);
    assert_eq!((above.status, above.problem().as_str()), (409, "quantity-out-of-range"));

    let missing = client.reserve("nothing", 1);
    assert_eq!((missing.status, missing.problem().as_str()), (404, "product-not-found"));
    assert_eq!(missing.json()["product_id"], "nothing");
    assert_eq!(client.get("/v1/inventory/a").json()["version"], 2, "no refusal left a trace");
}

#[test]
fn conditions_guard_against_lost_updates() {
    let server = Server::start();
    let mut client = server.client();
    let set = r#"{"total_quantity": 5}"#;
    let path = "/v1/inventory/a";
    let update = client.with(&[("if-match", "\"1\"")], "PUT", path, set);
    assert_eq!((update.status, update.problem().as_str()), (412, "version-mismatch"));
    let create = client.with(&[("if-none-match", "*")], "PUT", path, set);
    assert_eq!(create.status, 201);
    let again = client.with(&[("if-none-match", "*")], "PUT", path, set);
    assert_eq!((again.status, &again.json()["current_version"]), (412, &json!(1)));
    let reserve = r#"{"quantity": 1}"#;
    let stale = client.with(&[("if-match", "\"7\"")], "POST", "/v1/inventory/a/reserve", reserve);
    assert_eq!((stale.status, &stale.json()["current_version"]), (412, &json!(1)));
    let current =
        client.with(&[("if-match", "\"7\", \"1\"")], "POST", "/v1/inventory/a/reserve", reserve);
    assert_eq!(current.status, 200);
}

#[test]
fn a_read_with_the_current_entity_tag_gets_no_body() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 5, 0);
    let unchanged = client.with(&[("if-none-match", "\"1\"")], "GET", "/v1/inventory/a", "");
    assert_eq!((unchanged.status, unchanged.text.as_str()), (304, ""));
    assert_eq!(unchanged.header("etag"), "\"1\"");
    client.reserve("a", 1);
    let changed = client.with(&[("if-none-match", "\"1\"")], "GET", "/v1/inventory/a", "");
    assert_eq!(changed.status, 200);
}

#[test]
fn locations_are_stocks_of_their_own() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 5, 0);
    let put = r#"{"total_quantity": 3, "location_id": "north/1"}"#;
    let north = client.call("PUT", "/v1/inventory/a", put);
    assert_eq!(north.header("location"), "/v1/inventory/a?location_id=north%2F1");
    let there = client.get(north.header("location"));
    assert_eq!(
        (&there.json()["total_quantity"], &there.json()["location_id"]),
        (&json!(3), &json!("north/1"))
    );
    assert_eq!(client.get("/v1/inventory/a").json()["total_quantity"], 5);
    assert_eq!(client.get("/v1/inventory/a?location_id=south").status, 404);
}

#[test]
fn ids_may_be_any_printable_ascii() {
    let server = Server::start();
    let mut client = server.client();
    for (encoded, id) in
        [("a%2Fb", "a/b"), ("%25", "%"), ("caf%7E", "caf~"), ("A", "A"), ("%3F%23", "?#")]
    {
        let created = client.stock(encoded, 1, 0);
        assert_eq!(created.json()["product_id"], id);
        assert_eq!(client.get(created.header("location")).json()["product_id"], id);
    }
    assert_eq!(client.get("/v1/inventory/a").status, 404, "case matters");
}

#[test]
fn many_stocks_are_read_at_once() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 1, 0);
    client.stock("b", 2, 0);
    let body = r#"{"keys": [{"product_id": "b"}, {"product_id": "x"}, {"product_id": "a", "location_id": "default"}]}"#;
    let found = client.post("/v1/inventory/query", body).json();
    let totals: Vec<_> = found["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["total_quantity"].as_u64())
        .collect();
    assert_eq!(totals, [Some(2), None, Some(1)]);
}

#[test]
fn every_answer_names_its_request() {
    let server = Server::start_with(&["--log-level", "debug"]);
    let mut client = server.client();
    let own = client.with(&[("x-request-id", "order-7.attempt-2")], "GET", "/health/live", "");
    assert_eq!(own.header("x-request-id"), "order-7.attempt-2");
    let given = client.get("/health/live");
    assert!(given.header("x-request-id").len() > 32);
    let next = client.get("/health/live");
    assert_ne!(next.header("x-request-id"), given.header("x-request-id"));
    let unfit = client.with(&[("x-request-id", "a b")], "GET", "/health/live", "");
    assert!(!unfit.header("x-request-id").contains(' '));
    eventually("the id is logged", || server.log().contains("order-7.attempt-2"));
}

#[test]
fn health_names_the_component_that_decides() {
    let server = Server::start();
    let mut client = server.client();
    assert_eq!(client.get("/health/live").json()["status"], "live");
    let ready = client.get("/health/ready");
    assert_eq!((ready.status, &ready.json()["status"]), (200, &json!("ready")));
    client.stock("a", 1, 0);
    let entry = &client.get("/v1/inventory/a/events").json()["items"][0];
    assert_eq!(entry["component"], ready.json()["component"]);
}

#[test]
fn the_writer_counts_commands_and_batches() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 10, 0);
    client.reserve("a", 1);
    let text = client.get("/metrics").text;
    let metric = |name: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse().unwrap()
    };
    assert_eq!(metric("holdfast_commands_total "), 2.0);
    assert_eq!(metric("holdfast_batches_total "), 2.0);
    assert!(metric("holdfast_writer_seconds_total{stage=\"commit\"} ") > 0.0);
    assert_eq!(metric("holdfast_overloaded_total "), 0.0);
}

#[test]
fn the_document_describes_every_route_and_its_page_works_offline() {
    let server = Server::start();
    let mut client = server.client();
    let document = client.get("/openapi.json").json();
    assert_eq!(document["openapi"], "3.1.0");
    let paths: Vec<_> = document["paths"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(paths.len(), 28, "{paths:?}");
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path}");
            let responses = operation["responses"].as_object().unwrap();
            if path.starts_with("/v1") {
                for status in ["400", "500", "503", "504"] {
                    assert!(responses.contains_key(status), "{method} {path} {status}");
                }
            }
        }
    }
    let page = client.get("/docs/");
    assert_eq!(page.status, 200);
    let elsewhere = |text: &str| text.contains("src=\"http") || text.contains("href=\"http");
    assert!(!elsewhere(&page.text), "{}", page.text);
    let script = client.get("/docs/swagger-initializer.js");
    assert!(script.text.contains("/openapi.json"));
    let (status, output, _) = Server::run(server.folder().path(), &["openapi"]);
    assert!(status.success());
    assert_eq!(serde_json::from_str::<serde_json::Value>(&output).unwrap(), document);
}

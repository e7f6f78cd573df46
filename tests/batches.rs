//! Batches: many commands in one request.

use crate::harness::{Client, Server};
use serde_json::{Value, json};

fn batch(client: &mut Client, mode: &str, commands: &Value) -> crate::harness::Reply {
    client.post("/v1/batch", &json!({ "mode": mode, "commands": commands }).to_string())
}

fn reserve(product: &str, quantity: u64) -> Value {
    json!({ "type": "reserve", "product_id": product, "quantity": quantity })
}

#[test]
fn an_atomic_batch_is_all_or_nothing() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 10, 0);
    client.stock("b", 10, 0);
    let refused = batch(&mut client, "atomic", &json!([reserve("a", 4), reserve("b", 11)]));
    assert_eq!((refused.status, refused.problem().as_str()), (409, "insufficient-stock"));
    assert_eq!(refused.json()["command_index"], 1);
    assert_eq!(client.get("/v1/inventory/a").json()["version"], 1, "nothing happened");
    assert_eq!(client.get("/v1/events").json()["items"].as_array().unwrap().len(), 2);

    let commands = json!([
        reserve("a", 4),
        { "type": "hold", "reservation_id": "r", "lines": [{ "product_id": "a", "quantity": 6 }] },
        { "type": "confirm", "reservation_id": "r" },
        { "type": "adjust", "product_id": "b", "delta": -3, "reason": "broken" },
        { "type": "set", "product_id": "c", "total_quantity": 7 },
        { "type": "transfer", "product_id": "b", "from_location_id": "default",
            "to_location_id": "north", "quantity": 2 },
    ]);
    let reply = batch(&mut client, "atomic", &commands);
    let results = reply.json()["results"].as_array().unwrap().clone();
    let statuses: Vec<_> =
        results.iter().map(|result| result["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 201, 200, 200, 201, 200], "each sees what was before it");
    assert_eq!(results[2]["body"]["state"], "confirmed");
    assert_eq!(client.get("/v1/inventory/a").json()["available_quantity"], 0);
}

#[test]
fn each_command_of_an_independent_batch_stands_alone() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 10, 0);
    let commands = json!([reserve("a", 6), reserve("a", 6), reserve("x", 1), reserve("a", 4)]);
    let results = batch(&mut client, "independent", &commands).json()["results"].clone();
    let statuses: Vec<_> =
        results.as_array().unwrap().iter().map(|result| result["status"].clone()).collect();
    assert_eq!(statuses, [200, 409, 404, 200]);
    assert_eq!(results[1]["problem"]["code"], "insufficient-stock");
    assert_eq!(results[3]["body"]["available_quantity"], 0);
}

#[test]
fn a_batch_that_crosses_the_minimum_twice_has_both_low_stock_events() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 10, 5);
    let release = json!({ "type": "release", "product_id": "a", "quantity": 6 });
    assert_eq!(batch(&mut client, "atomic", &json!([reserve("a", 6), release])).status, 200);
    let events = client.get("/v1/events").json();
    let types: Vec<_> =
        events["items"].as_array().unwrap().iter().map(|event| event["type"].clone()).collect();
    let expected = [
        "InventoryAdjusted",
        "InventoryReserved",
        "LowStockDetected",
        "InventoryReleased",
        "LowStockResolved",
    ];
    assert_eq!(types, expected, "each command is judged for itself");
}

#[test]
fn a_batch_that_is_too_large_or_malformed_is_refused() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 2_000, 0);
    let full = batch(&mut client, "atomic", &vec![reserve("a", 1); 1_000].into());
    assert_eq!(full.json()["results"].as_array().unwrap().len(), 1_000);
    let more = batch(&mut client, "atomic", &vec![reserve("a", 1); 1_001].into());
    assert_eq!((more.status, more.problem().as_str()), (413, "batch-too-large"));
    assert_eq!(more.json()["limit"], 1_000);
    let invalid = json!([reserve("a", 0), { "type": "steal" }, { "type": "confirm" }, 3]);
    let pointers = batch(&mut client, "sometimes", &invalid).pointers();
    let expected = [
        "/mode",
        "/commands/0/quantity",
        "/commands/1/type",
        "/commands/2/reservation_id",
        "/commands/3",
    ];
    assert_eq!(pointers, expected);
    assert_eq!(batch(&mut client, "atomic", &json!([])).pointers(), ["/commands"]);
    assert_eq!(client.get("/v1/inventory/a").json()["reserved_quantity"], 1_000);
}

#[test]
fn a_command_of_a_batch_can_demand_a_version() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 10, 0);
    let at = |version: u64| json!([{ "type": "reserve", "product_id": "a", "quantity": 1, "if_version": version }]);
    assert_eq!(batch(&mut client, "atomic", &at(3)).problem(), "version-mismatch");
    assert_eq!(batch(&mut client, "atomic", &at(1)).status, 200);
}

#[test]
fn a_dry_run_shows_the_decision_and_writes_nothing() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 10, 8);
    let path = "/v1/inventory/a/reserve?dry_run=true";
    let answer = client.post(path, r#"{"quantity": 5}"#).json();
    assert_eq!((&answer["dry_run"], &answer["status"]), (&json!(true), &json!(200)));
    assert_eq!(answer["body"]["available_quantity"], 5);
    let types: Vec<_> =
        answer["events"].as_array().unwrap().iter().map(|event| event["type"].clone()).collect();
    assert_eq!(types, ["InventoryReserved", "LowStockDetected"]);
    assert_eq!(client.post(path, r#"{"quantity": 11}"#).problem(), "insufficient-stock");
    let hold = r#"{"lines": [{"product_id": "a", "quantity": 1}]}"#;
    assert_eq!(client.post("/v1/reservations?dry_run=true", hold).json()["status"], 201);
    let both = json!({ "mode": "atomic", "commands": [reserve("a", 5), reserve("a", 5)] });
    let both = client.post("/v1/batch?dry_run=true", &both.to_string()).json();
    assert_eq!(both["body"]["results"][1]["body"]["available_quantity"], 0);
    assert_eq!(client.get("/v1/inventory/a").json()["version"], 1);
    assert_eq!(client.get("/v1/events").json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(client.get("/v1/reservations").json()["items"].as_array().unwrap().len(), 0);
}

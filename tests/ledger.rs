//! The ledger of a stock: every event, in order.

use crate::harness::{Client, Server};
use serde_json::{Value, json};

fn entries(client: &mut Client, query: &str) -> (Vec<Value>, Option<String>) {
    let page = client.get(&format!("/v1/inventory/a/events{query}")).json();
    let cursor = page["next_cursor"].as_str().map(str::to_owned);
    (page["items"].as_array().unwrap().clone(), cursor)
}

fn sequences(entries: &[Value]) -> Vec<u64> {
    entries.iter().map(|entry| entry["sequence"].as_u64().unwrap()).collect()
}

#[test]
fn every_event_has_the_levels_before_and_after_and_its_origin() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 10, 5);
    client.post("/v1/inventory/a/reserve", r#"{"quantity": 6, "reference": "order-7"}"#);
    client.post("/v1/inventory/a/adjust", r#"{"delta": 3, "reason": "found some"}"#);
    let (entries, _) = entries(&mut client, "?order=oldest");
    let types: Vec<_> = entries.iter().map(|entry| entry["type"].as_str().unwrap()).collect();
    let expected = [
        "InventoryAdjusted",
        "InventoryReserved",
        "LowStockDetected",
        "InventoryAdjusted",
        "LowStockResolved",
    ];
    assert_eq!(types, expected);
    assert_eq!(sequences(&entries), [1, 2, 3, 4, 5]);
    assert_eq!(entries[0]["from"], json!(null), "the stock was created");
    let reserved = &entries[1];
    assert_eq!((&reserved["quantity"], &reserved["reference"]), (&json!(6), &json!("order-7")));
    assert_eq!(
        (&reserved["from"]["reserved_quantity"], &reserved["to"]["reserved_quantity"]),
        (&json!(0), &json!(6))
    );
    assert_eq!(reserved["to"]["unattributed_quantity"], 6);
    assert_eq!(
        (&entries[3]["reason"], &entries[3]["reference"]),
        (&json!("found some"), &json!(null))
    );
    assert_eq!(
        entries[1]["command_id"], entries[2]["command_id"],
        "both events are of one command"
    );
    assert_ne!(entries[2]["command_id"], entries[3]["command_id"]);
    assert_eq!(entries[2]["to"], entries[1]["to"]);
}

#[test]
fn the_levels_of_consecutive_events_chain_without_a_gap() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 1000, 900);
    for i in 0..100 {
        client.reserve("a", 1 + i % 7);
    }
    let (entries, _) = entries(&mut client, "?order=oldest&limit=500");
    let changes: Vec<_> = entries
        .iter()
        .filter(|entry| !entry["type"].as_str().unwrap().starts_with("Low"))
        .collect();
    assert_eq!(changes.len(), 101);
    for pair in changes.windows(2) {
        assert_eq!(pair[0]["to"], pair[1]["from"]);
    }
    let now = client.get("/v1/inventory/a").json();
    assert_eq!(changes.last().unwrap()["to"]["reserved_quantity"], now["reserved_quantity"]);
}

#[test]
fn pages_lead_through_the_whole_ledger_in_either_direction() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 100_000, 0);
    client.stock("b", 100_000, 0);
    for _ in 0..200 {
        client.reserve("a", 1);
        client.reserve("b", 1);
    }
    let mut seen = Vec::new();
    for order in ["newest", "oldest"] {
        for limit in [1, 7, 64, 65, 500] {
            let mut all = Vec::new();
            let mut cursor = String::new();
            loop {
                let (page, next) =
                    entries(&mut client, &format!("?order={order}&limit={limit}{cursor}"));
                assert!(page.len() <= limit && !page.is_empty());
                all.extend(sequences(&page));
                let Some(next) = next else { break };
                cursor = format!("&cursor={next}");
            }
            if order == "oldest" {
                all.reverse();
            }
            seen.push(all);
        }
    }
    assert_eq!(seen[0].len(), 201);
    assert!(seen[0].windows(2).all(|pair| pair[0] > pair[1]), "newest first");
    assert!(seen.iter().all(|all| *all == seen[0]), "the same, however it is read");
}

#[test]
fn the_ledger_of_a_missing_stock_is_not_found() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 1, 0);
    assert_eq!(client.get("/v1/inventory/b/events").problem(), "product-not-found");
    assert_eq!(
        client.get("/v1/inventory/a/events?location_id=north").problem(),
        "product-not-found"
    );
    // A cursor of another stock's ledger is refused.
    client.stock("b", 1, 0);
    client.reserve("b", 1);
    let foreign = client.get("/v1/inventory/b/events?limit=1").json()["next_cursor"].clone();
    let (page, next) = entries(&mut client, &format!("?cursor={}", foreign.as_str().unwrap()));
    assert_eq!((page.len(), next), (0, None));
}

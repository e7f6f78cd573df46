//! Reservations over HTTP, from the hold to the end, as a shop uses them.

use crate::harness::{Client, Server, eventually};
use serde_json::{Value, json};

const R: &str = "/v1/reservations";

fn hold(client: &mut Client, body: &Value) -> Value {
    let reply = client.post(R, &body.to_string());
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.json()
}

/// A hold of `quantity` units of "a" without expiry, under an id.
fn hold_a(client: &mut Client, id: &str, quantity: u64) -> Value {
    let lines = json!([{ "product_id": "a", "quantity": quantity }]);
    hold(client, &json!({ "reservation_id": id, "lines": lines, "ttl_seconds": null }))
}

fn available(client: &mut Client, product: &str) -> u64 {
    client.get(&format!("/v1/inventory/{product}")).json()["available_quantity"].as_u64().unwrap()
}

fn types(client: &mut Client, query: &str) -> Vec<String> {
    let page = client.get(&format!("/v1/events?limit=500&{query}")).json();
    let items = page["items"].as_array().unwrap();
    items.iter().map(|entry| entry["type"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_cart_becomes_an_order_and_is_fulfilled() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 10, 8);
    client.stock("b", 5, 0);
    let lines = json!([{ "product_id": "a", "quantity": 4 }, { "product_id": "b", "quantity": 1 }]);
    let reply = client.post(R, &json!({ "lines": lines, "reference": "order-7" }).to_string());
    assert_eq!((reply.status, reply.header("etag")), (201, "\"1\""));
    let made = reply.json();
    let id = made["reservation_id"].as_str().unwrap().to_owned();
    assert_eq!(reply.header("location"), format!("{R}/{id}"));
    assert_eq!((&made["state"], &made["ttl_seconds"]), (&json!("held"), &json!(900)));
    assert_eq!((available(&mut client, "a"), available(&mut client, "b")), (6, 4));

    let confirmed = client.post(&format!("{R}/{id}/confirm"), "").json();
    assert_eq!(
        (&confirmed["state"], &confirmed["expires_at"]),
        (&json!("confirmed"), &json!(null))
    );
    let some = r#"{"lines": [{"product_id": "a", "quantity": 3}]}"#;
    let partly = client.post(&format!("{R}/{id}/fulfill"), some).json();
    assert_eq!(partly["lines"][0]["remaining_quantity"], 1);
    assert_eq!(partly["state"], "confirmed");
    let done = client.post(&format!("{R}/{id}/fulfill"), "").json();
    assert_eq!((&done["state"], &done["version"]), (&json!("fulfilled"), &json!(4)));
    let a = client.get("/v1/inventory/a").json();
    assert_eq!((&a["total_quantity"], &a["reserved_quantity"]), (&json!(6), &json!(0)));
    assert_eq!(client.get(&format!("{R}/{id}")).json(), done);

    let logged = types(&mut client, &format!("reservation_id={id}"));
    let expected = [
        "InventoryReserved",
        "InventoryReserved",
        "ReservationConfirmed",
        "InventoryFulfilled",
        "InventoryFulfilled",
        "InventoryFulfilled",
        "ReservationFulfilled",
    ];
    assert_eq!(logged, expected);
    let by_order = types(&mut client, "reference=order-7");
    assert_eq!(by_order, ["InventoryReserved", "InventoryReserved", "LowStockDetected"]);
}

#[test]
fn an_insufficient_hold_names_every_short_line_and_holds_nothing() {
    let server = Server::start();
    let mut client = server.client();
    for product in ["a", "b", "c"] {
        client.stock(product, 5, 0);
    }
    let line =
        |product: &str, quantity: u64| json!({ "product_id": product, "quantity": quantity });
    let lines = json!([line("a", 3), line("b", 5), line("a", 3), line("c", 6)]);
    let reply = client.post(R, &json!({ "lines": lines }).to_string());
    assert_eq!((reply.status, reply.problem().as_str()), (409, "insufficient-stock"));
    let short: Vec<_> = reply.json()["lines"].as_array().unwrap().clone();
    let logged: Vec<_> = short
        .iter()
        .map(|line| [&line["index"], &line["requested"], &line["available"]].map(|it| it.as_u64()))
        .collect();
    let expected = [[0, 6, 5], [2, 6, 5], [3, 6, 5]].map(|line| line.map(Some));
    assert_eq!(logged, expected);
    assert_eq!(short[2]["product_id"], "c");
    for product in ["a", "b", "c"] {
        assert_eq!(available(&mut client, product), 5);
    }
}

#[test]
fn the_same_hold_again_is_the_same_reservation_and_another_one_is_refused() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 10, 0);
    let first = hold_a(&mut client, "cart-1", 2);
    let body = r#"{"reservation_id": "cart-1", "lines": [{"product_id": "a", "quantity": 2}], "ttl_seconds": null}"#;
    let again = client.post(R, body);
    assert_eq!((again.status, again.json()), (200, first));
    let other = client.post(R, &body.replace("\"quantity\": 2", "\"quantity\": 3"));
    assert_eq!((other.status, other.problem().as_str()), (409, "reservation-exists"));
    assert_eq!(other.json()["reservation_id"], "cart-1");
    assert_eq!(available(&mut client, "a"), 8);
}

#[test]
fn a_replace_counts_the_units_that_the_reservation_holds_as_free() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 10, 0);
    client.stock("b", 3, 0);
    hold_a(&mut client, "r", 8);
    let replace = |client: &mut Client, lines: Value| {
        client.call("PUT", &format!("{R}/r"), &json!({ "lines": lines }).to_string())
    };
    let more = json!([{ "product_id": "a", "quantity": 9 }, { "product_id": "b", "quantity": 3 }]);
    assert_eq!(replace(&mut client, more).json()["version"], 2);
    assert_eq!((available(&mut client, "a"), available(&mut client, "b")), (1, 0));
    let too_much = replace(&mut client, json!([{ "product_id": "a", "quantity": 11 }]));
    assert_eq!(too_much.problem(), "insufficient-stock");
    assert_eq!(too_much.json()["lines"][0]["available"], 10);
    assert_eq!(available(&mut client, "a"), 1, "nothing changed");
    replace(&mut client, json!([{ "product_id": "b", "quantity": 1 }]));
    assert_eq!((available(&mut client, "a"), available(&mut client, "b")), (10, 2));
}

#[test]
fn every_refusal_has_its_code_and_its_members() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 10, 0);
    let refused = |client: &mut Client, path: &str, body: &str| {
        let reply = client.post(&format!("{R}{path}"), body);
        (reply.status, reply.problem(), reply.json())
    };
    let (status, code, body) = refused(&mut client, "/none/confirm", "");
    assert_eq!((status, code.as_str()), (404, "reservation-not-found"));
    assert_eq!(body["reservation_id"], "none");

    hold_a(&mut client, "r", 4);
    let lines =
        r#"{"lines": [{"product_id": "a", "quantity": 3}, {"product_id": "a", "quantity": 2}]}"#;
    let (status, code, body) = refused(&mut client, "/r/cancel", lines);
    assert_eq!((status, code.as_str()), (409, "quantity-exceeds-line"));
    assert_eq!((&body["requested"], &body["remaining"]), (&json!(5), &json!(4)));
    assert_eq!(body["lines"][0]["index"], 1);
    let (_, code, _) =
        refused(&mut client, "/r/fulfill", r#"{"lines": [{"product_id": "b", "quantity": 1}]}"#);
    assert_eq!(code, "quantity-exceeds-line");

    assert_eq!(client.post(&format!("{R}/r/confirm"), "").status, 200);
    let (status, code, body) = refused(&mut client, "/r/confirm", "");
    assert_eq!(
        (status, code.as_str(), &body["state"]),
        (409, "reservation-not-active", &json!("confirmed"))
    );
    let (_, code, _) = refused(&mut client, "/r/extend", r#"{"ttl_seconds": 5}"#);
    assert_eq!(code, "reservation-not-active");
    assert_eq!(client.post(&format!("{R}/r/cancel"), "").json()["state"], "cancelled");
    let (_, code, body) = refused(&mut client, "/r/fulfill", "");
    assert_eq!((code.as_str(), &body["state"]), ("reservation-not-active", &json!("cancelled")));
    let (_, code, _) =
        refused(&mut client, "", r#"{"lines": [{"product_id": "x", "quantity": 1}]}"#);
    assert_eq!(code, "product-not-found");
}

#[test]
fn malformed_requests_name_every_violation() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 10, 0);
    let body = r#"{"reservation_id": "a b", "lines": [{"product_id": "a", "quantity": 0}, {"quantity": 1, "x": 2}], "ttl_seconds": 0}"#;
    let pointers = client.post(R, body).pointers();
    let expected = [
        "/reservation_id",
        "/lines/0/quantity",
        "/lines/1/x",
        "/lines/1/product_id",
        "/ttl_seconds",
    ];
    assert_eq!(pointers, expected);
    let line = r#"{"product_id": "a", "quantity": 1}"#;
    let many = format!(r#"{{"lines": [{}]}}"#, vec![line; 101].join(","));
    assert_eq!(client.post(R, &many).pointers(), ["/lines"]);
    assert_eq!(client.post(R, r#"{"lines": []}"#).pointers(), ["/lines"]);
    for ttl in ["-1", "2678401", "1.5", "\"60\"", "99999999999999999999"] {
        let body = format!(r#"{{"lines": [{line}], "ttl_seconds": {ttl}}}"#);
        assert_eq!(client.post(R, &body).pointers(), ["/ttl_seconds"], "{ttl}");
    }
    assert_eq!(client.get(&format!("{R}?state=gone")).pointers(), ["/state"]);
    assert_eq!(client.get(&format!("{R}?expires_before=soon")).pointers(), ["/expires_before"]);
    assert_eq!(client.get(&format!("{R}/a%20b")).pointers(), ["/reservation_id"]);
    let to_itself =
        r#"{"product_id": "a", "from_location_id": "x", "to_location_id": "x", "quantity": 1}"#;
    assert_eq!(client.post("/v1/transfers", to_itself).pointers(), ["/to_location_id"]);
    assert_eq!(available(&mut client, "a"), 10);
}

#[test]
fn the_units_of_an_unconfirmed_hold_are_free_on_time_swept_or_not() {
    for interval in ["0", "50"] {
        let server = Server::start_with(&["--sweep-interval-ms", interval]);
        let mut client = server.client();
        client.stock("a", 10, 0);
        let lines = json!([{ "product_id": "a", "quantity": 10 }]);
        hold(&mut client, &json!({ "reservation_id": "r", "lines": lines, "ttl_seconds": 1 }));
        assert_eq!(client.reserve("a", 1).problem(), "insufficient-stock");
        eventually("the units are free", || available(&mut client, "a") == 10);
        assert_eq!(client.get(&format!("{R}/r")).json()["state"], "expired");
        // A command expires the hold where no sweep did before.
        assert_eq!(client.reserve("a", 11).problem(), "insufficient-stock");
        let expired = client.get(&format!("{R}/r")).json();
        assert_eq!((&expired["state"], &expired["version"]), (&json!("expired"), &json!(2)));
        assert_eq!(expired["updated_at"], expired["expires_at"], "as of the time it came due");
        let confirm = client.post(&format!("{R}/r/confirm"), "");
        assert_eq!(confirm.problem(), "reservation-expired");
        assert_eq!(confirm.json()["expired_at"], expired["expires_at"]);
        assert_eq!(client.reserve("a", 10).status, 200);
        assert_eq!(client.get("/v1/inventory/a").json()["version"], 4);
    }
}

#[test]
fn due_holds_are_swept_without_any_request() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 1_000, 0);
    for i in 0..200 {
        let lines = json!([{ "product_id": "a", "quantity": 2 }]);
        hold(
            &mut client,
            &json!({ "reservation_id": format!("r{i}"), "lines": lines, "ttl_seconds": 1 }),
        );
    }
    // The log shows only recorded expiries, while other reads show every due hold as expired.
    eventually("all holds are swept", || {
        types(&mut client, "type=ReservationExpired").len() == 200
    });
    assert_eq!(available(&mut client, "a"), 1_000);
}

#[test]
fn due_holds_do_not_count_however_many_are_due_on_one_stock() {
    let server = Server::start_with(&["--sweep-interval-ms", "0"]);
    let mut client = server.client();
    for product in ["b", "a"] {
        client.stock(product, 1_000, 0);
        let hold = json!({ "type": "hold", "ttl_seconds": 1,
            "lines": [{ "product_id": product, "quantity": 2 }] });
        let body = json!({ "mode": "atomic", "commands": vec![hold; 500] });
        assert_eq!(client.post("/v1/batch", &body.to_string()).status, 200);
    }
    assert_eq!(client.reserve("a", 1).problem(), "insufficient-stock");
    eventually("a reader sees all units free", || available(&mut client, "a") == 1_000);
    assert_eq!(client.reserve("b", 1_000).status, 200, "a command sees them free too");
}

#[test]
fn an_extension_never_brings_the_expiry_forward() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 10, 0);
    let lines = json!([{ "product_id": "a", "quantity": 1 }]);
    let made =
        hold(&mut client, &json!({ "reservation_id": "r", "lines": lines, "ttl_seconds": 60 }));
    let extend = |client: &mut Client, seconds: u32| {
        client.post(&format!("{R}/r/extend"), &json!({ "ttl_seconds": seconds }).to_string()).json()
    };
    let same = extend(&mut client, 5);
    assert_eq!((&same["expires_at"], &same["version"]), (&made["expires_at"], &json!(1)));
    let later = extend(&mut client, 600);
    assert!(later["expires_at"].as_str() > made["expires_at"].as_str());
    assert_eq!(types(&mut client, "type=ReservationExtended").len(), 1);
}

#[test]
fn a_condition_protects_a_reservation_too() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 10, 0);
    hold_a(&mut client, "r", 4);
    let path = format!("{R}/r/confirm");
    let stale = client.with(&[("if-match", "\"7\"")], "POST", &path, "");
    assert_eq!((stale.status, stale.json()["current_version"].as_u64()), (412, Some(1)));
    assert_eq!(client.with(&[("if-match", "\"1\"")], "POST", &path, "").status, 200);
    let unchanged = client.with(&[("if-none-match", "\"2\"")], "GET", &format!("{R}/r"), "");
    assert_eq!((unchanged.status, unchanged.text.as_str()), (304, ""));
}

#[test]
fn reservations_are_found_by_each_filter() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 1_000, 0);
    client.stock("b", 1_000, 0);
    for i in 0..30 {
        let product = if i % 3 == 0 { "b" } else { "a" };
        let lines = json!([{ "product_id": product, "quantity": 1 }]);
        let body = json!({ "reservation_id": format!("r{i:02}"), "lines": lines,
            "reference": format!("order-{}", i % 5), "ttl_seconds": 1_000 + i });
        hold(&mut client, &body);
    }
    client.post(&format!("{R}/r07/confirm"), "");
    let find = |client: &mut Client, query: &str| {
        let mut ids = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = client.get(&format!("{R}?limit=4&{query}{cursor}")).json();
            let items = page["items"].as_array().unwrap();
            ids.extend(items.iter().map(|it| it["reservation_id"].as_str().unwrap().to_owned()));
            let Some(next) = page["next_cursor"].as_str() else { return ids };
            cursor = format!("&cursor={next}");
        }
    };
    let all = find(&mut client, "");
    assert_eq!(
        (all.len(), all[0].as_str(), all[29].as_str()),
        (30, "r29", "r00"),
        "the newest first"
    );
    assert_eq!(find(&mut client, "product_id=b").len(), 10);
    assert_eq!(
        find(&mut client, "product_id=b&location_id=default&reference=order-0"),
        ["r15", "r00"]
    );
    assert_eq!(find(&mut client, "state=confirmed"), ["r07"]);
    assert_eq!(find(&mut client, "state=held").len(), 29);
    assert_eq!(find(&mut client, "location_id=north").len(), 0);
    // Later changes of the product do not matter.
    for _ in 0..2_100 {
        client.reserve("b", 1);
        client.post("/v1/inventory/b/release", r#"{"quantity": 1}"#);
    }
    assert_eq!(find(&mut client, "product_id=b&state=held").len(), 10);
    let third = client.get(&format!("{R}/r03")).json()["expires_at"].as_str().unwrap().to_owned();
    assert_eq!(find(&mut client, &format!("expires_before={third}")), ["r02", "r01", "r00"]);
}

#[test]
fn a_transfer_moves_units_in_one_step() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 10, 0);
    let transfer = |client: &mut Client, quantity: u64| {
        let body = json!({ "product_id": "a", "from_location_id": "default",
            "to_location_id": "north", "quantity": quantity });
        client.post("/v1/transfers", &body.to_string())
    };
    let moved = transfer(&mut client, 4).json();
    assert_eq!(
        (&moved["from"]["total_quantity"], &moved["to"]["total_quantity"]),
        (&json!(6), &json!(4))
    );
    assert_eq!(moved["to"]["version"], 1, "created");
    assert_eq!(transfer(&mut client, 7).problem(), "insufficient-stock");
    assert_eq!(types(&mut client, "type=InventoryTransferred").len(), 2);
    assert_eq!(types(&mut client, "product_id=a").len(), 3, "at every location");
}

#[test]
fn a_stock_is_read_as_of_a_sequence_and_as_of_a_time() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 100, 5);
    client.stock("b", 1_000, 0);
    for _ in 0..150 {
        client.reserve("a", 1);
        client.reserve("b", 1);
    }
    let entries = client.get("/v1/inventory/a/events?order=oldest&limit=500").json();
    let entries = entries["items"].as_array().unwrap().clone();
    // A low-stock event has the numbers of the stock too.
    for entry in entries.iter().step_by(17) {
        let then = client.get(&format!("/v1/inventory/a?as_of={}", entry["sequence"])).json();
        assert_eq!(then["reserved_quantity"], entry["to"]["reserved_quantity"]);
        assert_eq!(then["version"], entry["to"]["version"]);
        // Of several events in one millisecond the last counts.
        let at = entry["at"].as_str().unwrap();
        let last = entries.iter().rfind(|it| it["at"] == at).unwrap();
        let then = client.get(&format!("/v1/inventory/a?as_of={at}")).json();
        assert_eq!(then["version"], last["to"]["version"]);
    }
    let before = client.get("/v1/inventory/a?as_of=2020-01-01T00:00:00Z");
    assert_eq!((before.status, before.problem().as_str()), (404, "product-not-found"));
    assert_eq!(client.get("/v1/inventory/a?as_of=2999-01-01T00:00:00Z").pointers(), ["/as_of"]);
    assert_eq!(client.get("/v1/inventory/a?as_of=never").pointers(), ["/as_of"]);
}

//! Lists in a store with a long history: they find each matching item exactly once, and the number
//! of pages does not grow with the number of items that do not match.

use crate::harness::{Client, Reply, Server};
use serde_json::{Value, json};

fn batch(client: &mut Client, commands: &[Value]) -> Reply {
    let reply =
        client.post("/v1/batch", &json!({ "mode": "atomic", "commands": commands }).to_string());
    assert_eq!(reply.status, 200, "{reply:?}");
    reply
}

fn line(product: &str) -> Value {
    json!({ "product_id": product, "quantity": 1 })
}

fn hold(id: &str, products: &[&str]) -> Value {
    let lines: Vec<_> = products.iter().map(|product| line(product)).collect();
    json!({ "type": "hold", "reservation_id": id, "lines": lines })
}

/// All items of a list, read page by page, and the number of pages.
fn all(client: &mut Client, path: &str) -> (Vec<Value>, usize) {
    let (mut items, mut pages, mut next) = (Vec::new(), 0, Some(path.to_owned()));
    while let Some(path) = next.take() {
        let page = client.get(&path);
        assert_eq!(page.status, 200, "{page:?}");
        items.extend(page.json()["items"].as_array().unwrap().iter().cloned());
        pages += 1;
        let link = page.header("link").to_owned();
        next = link.split_once(">; ").map(|(target, _)| target.trim_start_matches('<').to_owned());
    }
    (items, pages)
}

fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["reservation_id"].as_str().unwrap()).collect()
}

#[test]
fn a_reservation_that_was_replaced_thousands_of_times_is_listed_once_on_the_first_page() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("hot", 100, 0);
    client.stock("other", 100, 0);
    batch(&mut client, &[hold("first", &["other"]), hold("often", &["hot"])]);
    let quantity = |i| {
        json!({ "type": "replace", "reservation_id": "often",
            "lines": [{ "product_id": "hot", "quantity": 1 + i % 2 }] })
    };
    for _ in 0..6 {
        batch(&mut client, &(1..=1_000).map(quantity).collect::<Vec<_>>());
    }
    for query in ["product_id=hot", "product_id=hot&location_id=default"] {
        let page = client.get(&format!("/v1/reservations?{query}")).json();
        assert_eq!(ids(page["items"].as_array().unwrap()), ["often"], "{query}");
        assert!(page["next_cursor"].is_null(), "there is no more: {query}");
    }
    // The events of the reservation are a long chain. The first page reads only a part of the
    // chain, and all pages together have every event.
    let path = "/v1/events?reservation_id=often&limit=500";
    let first = client.get(path).json();
    assert_eq!(first["items"].as_array().unwrap().len(), 500);
    let (events, _) = all(&mut client, path);
    let sequences: Vec<_> = events.iter().map(|it| it["sequence"].as_u64().unwrap()).collect();
    assert!(sequences.is_sorted_by(|a, b| a < b), "each once, in order");
    let total = client.get("/v1/events?product_id=hot&limit=500");
    let (of_product, _) = all(&mut client, "/v1/events?product_id=hot&limit=500");
    assert_eq!(total.status, 200);
    let about_it = |it: &&Value| it["reservation_id"] == "often";
    assert_eq!(events, of_product.iter().filter(about_it).cloned().collect::<Vec<_>>());
}

#[test]
fn every_reservation_of_a_product_is_listed_once_also_after_a_crash() {
    let server = Server::start();
    let mut client = server.client();
    for product in ["a", "b", "c"] {
        client.stock(product, 1_000, 0);
    }
    let lines: [&[&str]; 4] = [&["a"], &["b", "a"], &["c"], &["a", "b", "c"]];
    let mut expected: Vec<(String, Vec<&str>)> = Vec::new();
    for i in 0..60 {
        expected.push((format!("r-{i:02}"), lines[i % 4].to_vec()));
    }
    let holds: Vec<_> = expected.iter().map(|(id, lines)| hold(id, lines)).collect();
    batch(&mut client, &holds);
    // Every fifth reservation gets other lines.
    for (id, lines) in expected.iter_mut().step_by(5) {
        *lines = vec!["c", "b"];
        let lines: Vec<_> = lines.iter().map(|product| line(product)).collect();
        batch(&mut client, &[json!({ "type": "replace", "reservation_id": id, "lines": lines })]);
    }
    let check = |client: &mut Client| {
        for product in ["a", "b", "c", "d"] {
            let with = expected.iter().rev().filter(|(_, lines)| lines.contains(&product));
            let with: Vec<_> = with.map(|(id, _)| id.as_str()).collect();
            for path in [
                format!("/v1/reservations?product_id={product}&limit=7"),
                format!("/v1/reservations?product_id={product}&location_id=default&state=held"),
            ] {
                assert_eq!(ids(&all(client, &path).0), with, "{path}");
            }
        }
        let (everywhere, _) = all(client, "/v1/reservations?location_id=default&limit=9");
        assert_eq!(everywhere.len(), expected.len());
        assert!(all(client, "/v1/reservations?location_id=nowhere").0.is_empty());
    };
    check(&mut client);
    let server = Server::start_in(&server.kill(), &[]);
    check(&mut server.client());
}

#[test]
fn a_hold_that_is_due_is_listed_as_expired_swept_or_not() {
    let server = Server::start_with(&["--sweep-interval-ms", "0"]);
    let mut client = server.client();
    client.stock("a", 10, 0);
    let due = json!({ "type": "hold", "reservation_id": "due", "lines": [line("a")],
        "ttl_seconds": 1 });
    batch(&mut client, &[due, hold("held", &["a"])]);
    crate::harness::eventually("one hold is due", || {
        let (expired, _) = all(&mut client, "/v1/reservations?state=expired");
        let (held, _) = all(&mut client, "/v1/reservations?state=held&product_id=a");
        (ids(&expired), ids(&held)) == (vec!["due"], vec!["held"])
    });
}

#[test]
fn every_event_shows_the_reference_of_its_command_and_is_found_by_it() {
    let server = Server::start();
    let mut client = server.client();
    let products: Vec<_> = (0..50).map(|i| format!("p{i}")).collect();
    for product in &products {
        client.stock(product, 1_000, 0);
    }
    let reference = "r".repeat(200);
    let lines: Vec<_> = products.iter().map(|product| line(product)).collect();
    let hold = |id: &str, reference: &str| json!({ "type": "hold", "reservation_id": id, "lines": lines, "reference": reference });
    batch(&mut client, &[hold("a", &reference), hold("b", "other"), hold("c", &reference)]);
    let confirm = json!({ "type": "confirm", "reservation_id": "a", "reference": reference });
    batch(&mut client, &[confirm]);

    for limit in [7, 100, 500] {
        let path = format!("/v1/events?reference={reference}&limit={limit}");
        let (events, _) = all(&mut client, &path);
        assert_eq!(events.len(), 101, "by {limit}");
        assert!(events.iter().all(|it| it["reference"] == reference.as_str()));
        let sequences: Vec<_> = events.iter().map(|it| it["sequence"].as_u64().unwrap()).collect();
        assert!(sequences.is_sorted_by(|a, b| a < b), "each once, in order");
        let path = format!("{path}&type=ReservationConfirmed");
        assert_eq!(all(&mut client, &path).0.len(), 1, "by {limit}");
        let path = format!("/v1/events?reference={reference}&product_id=p7&limit={limit}");
        assert_eq!(all(&mut client, &path).0.len(), 2, "by {limit}");
    }
    let (all_events, _) = all(&mut client, "/v1/events?limit=500");
    let found = all_events.iter().filter(|it| it["reference"] == reference.as_str()).count();
    assert_eq!(found, 101);
}

#[test]
fn a_long_text_is_stored_once_for_each_command() {
    let size = |lines: usize| {
        let server = Server::start();
        let mut client = server.client();
        for i in 0..100 {
            client.stock(&format!("p{i}"), 100_000, 0);
        }
        let reference = "r".repeat(250);
        let lines: Vec<_> = (0..lines).map(|i| line(&format!("p{i}"))).collect();
        for _ in 0..20 {
            let hold = json!({ "type": "hold", "lines": lines, "reference": reference });
            batch(&mut client, &[hold]);
        }
        // A clean stop moves the write-ahead log into the database file.
        let (database, mut server) = (server.database(), server);
        server.signal("-TERM");
        server.wait();
        std::fs::metadata(database).unwrap().len()
    };
    let (few, many) = (size(1), size(100));
    // 1,980 more lines take a few hundred bytes each. The text in each of them would be half a
    // megabyte more.
    assert!(many - few < 1_980 * 400, "{} bytes for a line", (many - few) / 1_980);
}

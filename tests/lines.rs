//! Requests and pages are bounded in lines, besides the number of their commands or items.

use crate::harness::{Client, Reply, Server};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The default bound on the lines of one request.
const REQUEST_LINES_MAX: usize = 5_000;
/// A page of reservations ends with the reservation that reaches this many lines.
const PAGE_LINES: usize = 2_000;

fn batch(client: &mut Client, query: &str, commands: &[Value]) -> Reply {
    let body = json!({ "mode": "independent", "commands": commands }).to_string();
    client.post(&format!("/v1/batch{query}"), &body)
}

/// A hold of `lines` lines of one unit of "a".
fn hold(lines: usize) -> Value {
    let line = json!({ "product_id": "a", "quantity": 1 });
    json!({ "type": "hold", "lines": vec![line; lines] })
}

#[test]
fn a_request_of_too_many_lines_is_refused_with_the_bound_and_leaves_no_trace() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 1_000_000, 0);
    let reserve = json!({ "type": "reserve", "product_id": "a", "quantity": 1 });
    let full = vec![hold(100); REQUEST_LINES_MAX / 100];
    let one_more = [full.as_slice(), &[reserve]].concat();
    for (commands, lines) in [(vec![hold(100); 280], 28_000), (one_more, REQUEST_LINES_MAX + 1)] {
        for query in ["", "?dry_run=true"] {
            let reply = batch(&mut client, query, &commands);
            assert_eq!((reply.status, reply.problem().as_str()), (413, "batch-too-large"));
            let body = reply.json();
            assert_eq!((&body["lines"], &body["lines_max"]), (&json!(lines), &json!(5_000)));
        }
    }
    assert_eq!(
        client.get("/v1/inventory/a").json()["version"],
        1,
        "nothing of the request is written"
    );
    assert_eq!(client.get("/v1/events").json()["items"].as_array().unwrap().len(), 1);
    for query in ["?dry_run=true", ""] {
        assert_eq!(
            batch(&mut client, query, &full).status,
            200,
            "a request at the bound is accepted"
        );
    }
    assert_eq!(client.get("/v1/inventory/a").json()["reserved_quantity"], REQUEST_LINES_MAX);
}

/// Fifty reservations of 100 lines, r0 to r49.
fn make_reservations(client: &mut Client) {
    client.stock("a", 1_000_000, 0);
    let named = |i| {
        let mut hold = hold(100);
        hold["reservation_id"] = format!("r{i}").into();
        hold
    };
    let holds: Vec<_> = (0..50).map(named).collect();
    assert_eq!(batch(client, "", &holds).status, 200);
}

fn assert_too_large(client: &mut Client, commands: &[Value]) {
    let before = client.get("/v1/inventory/a").json()["version"].clone();
    for query in ["?dry_run=true", ""] {
        let reply = batch(client, query, commands);
        assert_eq!(reply.status, 413, "{query}: {} bytes", reply.text.len());
        assert_eq!(reply.problem(), "batch-too-large");
    }
    assert_eq!(client.get("/v1/inventory/a").json()["version"], before);
}

#[test]
fn a_command_on_a_reservation_counts_as_all_its_lines() {
    let server = Server::start();
    let mut client = server.client();
    make_reservations(&mut client);
    let cancel = |i| json!({ "type": "cancel", "reservation_id": format!("r{i}") });
    let mut commands: Vec<_> = (0..50).map(cancel).collect();
    commands.push(json!({ "type": "reserve", "product_id": "a", "quantity": 1 }));
    assert_too_large(&mut client, &commands);
    commands.pop();
    assert_eq!(batch(&mut client, "", &commands).status, 200);
}

#[test]

fn a_command_on_a_part_of_a_reservation_counts_as_all_its_lines() {
    let server = Server::start();
    let mut client = server.client();
    make_reservations(&mut client);
    let line = json!([{ "product_id": "a", "quantity": 1 }]);
    for kind in ["cancel", "fulfill"] {
        let part = json!({ "type": kind, "reservation_id": "r0", "lines": line });
        assert_too_large(&mut client, &vec![part; 60]);
    }
}

#[test]

fn a_refused_hold_does_not_hide_how_many_lines_its_reservation_has() {
    let server = Server::start();
    let mut client = server.client();
    make_reservations(&mut client);
    let mut refused = hold(1);
    refused["reservation_id"] = "r0".into();
    let extend = json!({ "type": "extend", "reservation_id": "r0", "ttl_seconds": 7_200 });
    let commands = [vec![refused], vec![extend; 60]].concat();
    assert_too_large(&mut client, &commands);
}

/// The lines of each page, and the ids in the order in which the pages show them.
fn pages(client: &mut Client, query: &str) -> (Vec<usize>, Vec<String>) {
    let (mut lines, mut ids) = (Vec::new(), Vec::new());
    let mut cursor = String::new();
    loop {
        let page = client.get(&format!("/v1/reservations?limit=500&{query}{cursor}"));
        assert_eq!(page.status, 200, "{page:?}");
        let page = page.json();
        let items = page["items"].as_array().unwrap();
        lines.push(items.iter().map(|item| item["lines"].as_array().unwrap().len()).sum());
        ids.extend(items.iter().map(|item| item["reservation_id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { return (lines, ids) };
        cursor = format!("&cursor={next}");
    }
}

#[test]
fn a_page_of_reservations_ends_at_a_bound_of_lines_and_the_cursor_goes_on_behind_it() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 1_000_000, 0);
    // The reservations have different lengths, and no page ends within one.
    let lengths = (0..100).map(|i| [1, 33, 70, 100][i % 4]);
    let holds: Vec<_> = lengths.map(hold).collect();
    let all: usize = 25 * (1 + 33 + 70 + 100);
    for holds in holds.chunks(50) {
        assert_eq!(batch(&mut client, "", holds).status, 200);
    }
    for query in ["", "product_id=a", "state=held"] {
        let (lines, ids) = pages(&mut client, query);
        assert_eq!(lines.iter().sum::<usize>(), all);
        let (last, full) = lines.split_last().unwrap();
        assert!(*last < PAGE_LINES + 100, "{query}: {lines:?}");
        let bounds = PAGE_LINES..PAGE_LINES + 100;
        assert!(full.iter().all(|lines| bounds.contains(lines)), "{query}: {lines:?}");
        assert_eq!(ids.len(), holds.len(), "{query}");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "each exactly once");
    }
}

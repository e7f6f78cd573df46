//! Many clients at once.

use crate::harness::Server;
use std::sync::atomic::{AtomicU64, Ordering};

#[test]
fn sixty_four_clients_together_get_exactly_the_units_that_are_there() {
    let server = Server::start();
    server.client().stock("last", 1_000, 0);
    let (granted, refused) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for i in 0..64 {
            let (granted, refused, server) = (&granted, &refused, &server);
            // 5,000 requests over 64 clients.
            let requests = if i < 8 { 79 } else { 78 };
            scope.spawn(move || {
                let mut client = server.client();
                for _ in 0..requests {
                    let reply = client.reserve("last", 1);
                    match reply.status {
                        200 => granted.fetch_add(1, Ordering::Relaxed),
                        409 => refused.fetch_add(1, Ordering::Relaxed),
                        _ => panic!("{reply:?}"),
                    };
                }
            });
        }
    });
    assert_eq!((granted.into_inner(), refused.into_inner()), (1_000, 4_000));
    let stock = server.client().get("/v1/inventory/last").json();
    assert_eq!(stock["reserved_quantity"], 1_000);
    assert_eq!(stock["available_quantity"], 0);
    assert_eq!(stock["version"], 1_001);
}

#[test]
fn an_answered_write_is_visible_to_every_reader() {
    let server = Server::start();
    std::thread::scope(|scope| {
        for i in 0..8 {
            let server = &server;
            scope.spawn(move || {
                let (mut writer, mut reader) = (server.client(), server.client());
                let product = format!("p{i}");
                writer.stock(&product, 1_000, 0);
                for expected in 1..100 {
                    writer.reserve(&product, 1);
                    let read = reader.get(&format!("/v1/inventory/{product}")).json();
                    assert_eq!(read["reserved_quantity"], expected);
                }
            });
        }
    });
}

#[test]
fn the_stocks_of_one_answer_are_of_one_commit() {
    let server = Server::start();
    let places = ["north", "south", "west"];
    for place in places {
        let body = format!(r#"{{"total_quantity": 1000, "location_id": "{place}"}}"#);
        assert_eq!(server.client().call("PUT", "/v1/inventory/a", &body).status, 201);
    }
    let moving = AtomicU64::new(8);
    std::thread::scope(|scope| {
        for i in 0..8 {
            let (server, moving) = (&server, &moving);
            scope.spawn(move || {
                let mut client = server.client();
                for j in 0..150 {
                    let (from, to) = (places[(i + j) % 3], places[(i + 2 * j + 1) % 3]);
                    let body = format!(
                        r#"{{"product_id": "a", "from_location_id": "{from}",
                            "to_location_id": "{to}", "quantity": 7}}"#
                    );
                    let status = client.post("/v1/transfers", &body).status;
                    assert!(matches!(status, 200 | 400 | 409), "{status}");
                }
                moving.fetch_sub(1, Ordering::Relaxed);
            });
        }
        let keys =
            places.map(|place| format!(r#"{{"product_id": "a", "location_id": "{place}"}}"#));
        let keys = format!(r#"{{"keys": [{}]}}"#, keys.join(","));
        let mut client = server.client();
        while moving.load(Ordering::Relaxed) > 0 {
            for page in
                [client.post("/v1/inventory/query", &keys), client.get("/v1/inventory?prefix=a")]
            {
                let page = page.json();
                let items = page["items"].as_array().unwrap();
                let total = items.iter().map(|item| item["total_quantity"].as_u64().unwrap());
                assert_eq!((items.len(), total.sum::<u64>()), (3, 3_000), "{page}");
            }
        }
    });
}

#[test]
fn a_full_queue_answers_503_at_once_and_loses_nothing() {
    let server = Server::start_with(&["--queue-commands-max", "1", "--batch-commands-max", "1"]);
    server.client().stock("a", 1_000_000, 0);
    let (granted, overloaded) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..32 {
            let (granted, overloaded, server) = (&granted, &overloaded, &server);
            scope.spawn(move || {
                let mut client = server.client();
                for _ in 0..50 {
                    let reply = client.reserve("a", 1);
                    if reply.status == 200 {
                        granted.fetch_add(1, Ordering::Relaxed);
                    } else {
                        assert_eq!((reply.status, reply.problem().as_str()), (503, "overloaded"));
                        assert_eq!(reply.header("retry-after"), "1");
                        overloaded.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let granted = granted.into_inner();
    assert_eq!(granted + overloaded.into_inner(), 1_600);
    let stock = server.client().get("/v1/inventory/a").json();
    assert_eq!(stock["reserved_quantity"], granted, "a refused command was not carried out");
}

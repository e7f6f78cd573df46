//! Attacks with queries whose clients close the connection early.

use crate::{client::Client, commands::batch, target::Target};

const LISTS: &[&str] = &["/v1/reservations?product_id=replaced"];

/// Lists with filters that match nothing, or one item in ten thousand.
const EVENTS: &[&str] = &[
    "/v1/events?type=ReservationFulfilled",
    "/v1/events?type=InventoryTransferred&product_id=busy",
    "/v1/events?reference=R&type=InventoryAdjusted",
    "/v1/events?reference=R&type=LowStockDetected",
    "/v1/events?reference=R&product_id=other",
    "/v1/reservations?reference=R&state=fulfilled",
    "/v1/reservations?state=cancelled&product_id=busy",
    "/v1/inventory?low_stock=true",
];

/// The bodies of batches that replace the lines of one reservation many times.
fn replace() -> Vec<String> {
    (0..1_000)
        .map(|i| {
            let (product, quantity) = (["other", "replaced"][i % 2], i % 7 + 1);
            format!(
                r#"{{"type":"replace","reservation_id":"r","lines":[{{"product_id":"{product}","quantity":{quantity}}}]}}"#
            )
        })
        .collect()
}

/// Creates a reservation. Returns bodies that replace its lines many times.
pub(crate) fn replaces(port: u16) -> Vec<String> {
    let mut client = Client::connect(port);
    client.stock("replaced", 1_000_000, 0);
    client.stock("other", 1_000_000, 0);
    let hold = r#"{"reservation_id":"r","ttl_seconds":3600,"lines":[{"product_id":"replaced","quantity":1}]}"#;
    assert_eq!(client.post("/v1/reservations", hold).status, 201);
    vec![format!(r#"{{"mode":"independent","commands":[{}]}}"#, replace().join(","))]
}

/// Creates a reservation and replaces its lines many times.
pub(crate) fn replaced(port: u16) -> Vec<String> {
    let body = replaces(port);
    for _ in 0..20 {
        assert_eq!(Client::connect(port).post("/v1/batch", &body[0]).status, 200);
    }
    Vec::new()
}

pub(crate) fn lists(target: &Target<'_>) {
    target.hang_up(8, LISTS);
}

pub(crate) fn beside(target: &Target<'_>) {
    std::thread::scope(|scope| {
        scope.spawn(|| target.ask(1, "/v1/batch", false));
        target.hang_up(8, LISTS);
    });
}

/// Creates events of one product and one reference, 40,000 of one kind, and held reservations.
pub(crate) fn history(port: u16) -> Vec<String> {
    let mut client = Client::connect(port);
    client.stock("busy", 1_000_000_000, 0);
    client.stock("other", 1_000, 0);
    let commands = |of: String| vec![of; 1_000];
    let hold = r#"{"type":"hold","reference":"R","lines":[{"product_id":"busy","quantity":1}]}"#
        .to_owned();
    let reserve =
        r#"{"type":"reserve","product_id":"busy","quantity":1,"reference":"R"}"#.to_owned();
    for _ in 0..4 {
        batch(port, &commands(hold.clone()));
    }
    for _ in 0..36 {
        batch(port, &commands(reserve.clone()));
    }
    Vec::new()
}

pub(crate) fn events(target: &Target<'_>) {
    target.hang_up(16, EVENTS);
}

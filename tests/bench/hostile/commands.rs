//! Attacks with commands: many lines, long texts, due holds.

use crate::{
    client::Client,
    target::{SECOND, Target},
};

/// The number of products that the holds name.
const PRODUCTS: usize = 100;
/// The number of holds of a hundred lines in the largest lawful request.
const HOLDS: usize = 50;

pub(crate) fn batch(port: u16, commands: &[String]) {
    let body = format!(r#"{{"mode":"independent","commands":[{}]}}"#, commands.join(","));
    let reply = Client::connect(port).post("/v1/batch", &body);
    assert_eq!(reply.status, 200, "{reply:?}");
}

fn make_products(port: u16) {
    let commands: Vec<_> = (0..PRODUCTS)
        .map(|i| format!(r#"{{"type":"set","product_id":"p-{i}","total_quantity":100000000000}}"#))
        .collect();
    batch(port, &commands);
}

fn lines(count: usize, quantity: usize) -> String {
    let line = |i| format!(r#"{{"product_id":"p-{}","quantity":{quantity}}}"#, i % PRODUCTS);
    (0..count).map(line).collect::<Vec<_>>().join(",")
}

/// The body of a batch of holds with these numbers. `more` has further members of each hold.
fn holds(count: usize, line_count: usize, ttl_seconds: u32, more: &str) -> Vec<String> {
    let lines = lines(line_count, 1);
    let hold = format!(r#"{{"type":"hold","ttl_seconds":{ttl_seconds}{more},"lines":[{lines}]}}"#);
    vec![format!(r#"{{"mode":"atomic","commands":[{}]}}"#, vec![hold; count].join(","))]
}

/// A request of 28,000 lines, which exceeds the bound.
pub(crate) fn too_large(port: u16) -> Vec<String> {
    make_products(port);
    holds(280, 100, 1, "")
}

/// The largest lawful request.
pub(crate) fn largest(port: u16) -> Vec<String> {
    make_products(port);
    holds(HOLDS, 100, 3_600, "")
}

/// The largest lawful request, with holds that come due after a second.
pub(crate) fn short_lived(port: u16) -> Vec<String> {
    make_products(port);
    holds(HOLDS, 100, 1, "")
}

/// A body of 1 MB: 4,000 lines, and with every ten of them the longest reason and reference.
pub(crate) fn long_texts(port: u16) -> Vec<String> {
    make_products(port);
    let text = "\u{1f4e6}".repeat(256);
    holds(400, 10, 3_600, &format!(r#","reason":"{text}","reference":"{text}""#))
}

/// A reservation of 100 lines, and commands that each name one of them.
pub(crate) fn parts(port: u16) -> Vec<String> {
    make_products(port);
    let hold = format!(
        r#"{{"reservation_id":"r","ttl_seconds":3600,"lines":[{}]}}"#,
        lines(100, 100_000_000)
    );
    assert_eq!(Client::connect(port).post("/v1/reservations", &hold).status, 201);
    let part =
        r#"{"type":"cancel","reservation_id":"r","lines":[{"product_id":"p-0","quantity":1}]}"#;
    vec![format!(r#"{{"mode":"atomic","commands":[{}]}}"#, [part; 1_000].join(","))]
}

/// The body of one hold of 100 lines that comes due after a second.
pub(crate) fn cart(port: u16) -> Vec<String> {
    make_products(port);
    vec![format!(r#"{{"ttl_seconds":1,"lines":[{}]}}"#, lines(100, 1))]
}

pub(crate) fn batches(target: &Target<'_>) {
    target.ask(2, "/v1/batch", false);
}

pub(crate) fn dry_runs(target: &Target<'_>) {
    target.ask(2, "/v1/batch?dry_run=true", false);
}

pub(crate) fn keyed(target: &Target<'_>) {
    target.ask(2, "/v1/batch", true);
}

/// Sends many requests at once. While holds are due on their stocks, requests wait outside the
/// queue.
pub(crate) fn crowd(target: &Target<'_>) {
    target.ask(target.connections.min(256), "/v1/batch", false);
}

pub(crate) fn more_carts(target: &Target<'_>) {
    target.ask(4, "/v1/reservations", false);
}

pub(crate) fn carts(target: &Target<'_>) {
    while target.goes_on() {
        let Some(mut client) = Client::try_connect(target.port) else { return };
        client.set_read_timeout(SECOND * 5);
        for _ in 0..65 {
            let hold = target.prepared[0].as_bytes();
            match client.try_call("POST", "/v1/reservations", &[], hold) {
                Ok(reply) => target.note(reply.status),
                Err(_) => break,
            }
        }
        std::thread::sleep(SECOND);
    }
}

//! The time that a page of a long list takes, at any depth.

use crate::{client::Client, server::Server};
use std::time::{Duration, Instant};

/// Items per page.
const ITEMS: u32 = 100;

/// The number of measured pages of a list, and of items between two of them.
const PAGES: usize = 2_000;
const STRIDE: u32 = 500;

/// Requests the page behind a cursor. Returns the time it took, and the next cursor.
fn page(client: &mut Client, path: &str, items: u32, cursor: &str) -> (Duration, Option<String>) {
    let mark = if path.contains('?') { '&' } else { '?' };
    let mut target = format!("{path}{mark}limit={items}");
    if !cursor.is_empty() {
        target += &format!("&cursor={cursor}");
    }
    let begin = Instant::now();
    let reply = client.get(&target);
    let took = begin.elapsed();
    assert_eq!(reply.status, 200, "{reply:?}");
    (took, reply.json()["next_cursor"].as_str().map(str::to_owned))
}

/// Reads a list from its beginning and prints the times of its pages.
fn walk(client: &mut Client, title: &str, path: &str) {
    let mut times: Vec<Duration> = Vec::new();
    let mut cursor = String::new();
    while times.len() < PAGES {
        times.push(page(client, path, ITEMS, &cursor).0);
        match page(client, path, STRIDE, &cursor).1 {
            Some(next) => cursor = next,
            None => break,
        }
    }
    times.sort_unstable();
    let at =
        |part: usize| times[(times.len() * part / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
    println!(
        "| {title} | {} | {:.2} | {:.2} | {:.2} |",
        times.len(),
        at(50),
        at(99),
        times.last().map_or(0.0, |time| time.as_secs_f64() * 1e3)
    );
}

pub(crate) fn print(server: &Server) {
    let mut client = Client::connect(server.port);
    println!("\n| pages of {ITEMS} | pages | p50 ms | p99 ms | longest ms |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    walk(&mut client, "stocks", "/v1/inventory");
    walk(&mut client, "stocks from the middle", "/v1/inventory?prefix=sku-5");
    walk(&mut client, "low stocks, largest deficit first", "/v1/inventory/low-stock");
    walk(&mut client, "ledger of a stock, newest first", "/v1/inventory/hot/events");
    walk(&mut client, "ledger of a stock, oldest first", "/v1/inventory/hot/events?order=oldest");
    walk(&mut client, "the whole log", "/v1/events");
    walk(&mut client, "reservations, newest first", "/v1/reservations");
}

//! Makes holds that all come due at about the same time.

use crate::client::Client;
use std::time::{Duration, Instant};

/// The id of the hold that comes due last. The hold is on a stock of its own, so that no command on
/// another stock expires it before its turn.
pub(crate) const LAST: &str = "last";

/// Lines in one request.
const REQUEST_LINES: usize = 2_500;
/// Commands in one request.
const REQUEST_COMMANDS: usize = 1_000;

#[derive(Clone, Copy)]
pub(crate) struct Holds {
    pub(crate) count: usize,
    pub(crate) lines: usize,
    /// The number of products over which the lines are spread.
    pub(crate) products: usize,
}

impl Holds {
    pub(crate) fn all_lines(self) -> usize {
        self.count * self.lines
    }

    /// Makes the holds, at `rate` lines a second or faster. Returns the time at which all of them
    /// are due.
    pub(crate) fn make(self, port: u16, rate: usize) -> Instant {
        let mut client = Client::connect(port);
        for product in ["other", LAST] {
            client.stock(product, 1_000_000_000, 0);
        }
        for i in 0..self.products {
            client.stock(&format!("due-{i}"), 100_000_000_000, 0);
        }
        let due = Instant::now() + Duration::from_secs((3 + self.all_lines() / rate) as u64);
        // The last hold comes due after all others, whose time to live is rounded down to a second.
        let last_due = due + Duration::from_secs(2);
        let per_request = REQUEST_COMMANDS.min(REQUEST_LINES / self.lines);
        let mut made = 0;
        while made < self.count {
            let until = self.count.min(made + per_request);
            let ttl = seconds_until(due);
            let holds: Vec<_> = (made..until).map(|number| self.hold(number, ttl)).collect();
            let body = format!(r#"{{"mode":"atomic","commands":[{}]}}"#, holds.join(","));
            let reply = client.post("/v1/batch", &body);
            assert_eq!(reply.status, 200, "{reply:?}");
            made = until;
        }
        let ttl = seconds_until(last_due);
        let last = format!(
            r#"{{"reservation_id":"{LAST}","ttl_seconds":{ttl},"lines":[{{"product_id":"{LAST}","quantity":1}}]}}"#
        );
        assert_eq!(client.post("/v1/reservations", &last).status, 201);
        Instant::now() + Duration::from_secs(ttl)
    }

    fn hold(self, number: usize, ttl: u64) -> String {
        let line = |line: usize| {
            let product = (number * self.lines + line) % self.products;
            format!(r#"{{"product_id":"due-{product}","quantity":1}}"#)
        };
        let lines: Vec<_> = (0..self.lines).map(line).collect();
        format!(r#"{{"type":"hold","ttl_seconds":{ttl},"lines":[{}]}}"#, lines.join(","))
    }
}

fn seconds_until(due: Instant) -> u64 {
    let left = due.saturating_duration_since(Instant::now()).as_secs();
    assert!(left > 0, "the holds are made too slowly: give a lower --rate");
    left
}

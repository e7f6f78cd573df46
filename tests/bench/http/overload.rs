//! Overload: an open loop that sends at its own rate, whatever the server answers.
//!
//! Each request is due at a fixed time, and its latency counts from that time. So a server cannot
//! improve its figures by making the sender wait.

use crate::{client::Client, server::Server};
use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

/// The number of connections, large enough that the waiting requests fill the queue.
pub(crate) const SENDERS: u32 = 128;

/// The number of connections that just keep the writer busy.
pub(crate) const SENDERS_AT_PEAK: u32 = 16;

/// Commands per request. With one command each, the sender and the refusals alone would need more
/// than the machine has; with a hundred commands the writer is the bottleneck.
pub(crate) const COMMANDS: u32 = 100;

#[derive(Default)]
pub(crate) struct Offered {
    accepted: Vec<Duration>,
    refused: Vec<Duration>,
    other: usize,
}

fn percentile(times: &mut [Duration], part: usize) -> f64 {
    times.sort_unstable();
    let place = (times.len() * part / 100).min(times.len().saturating_sub(1));
    times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

fn body(products: u32, from: u32) -> String {
    let command = |i| {
        let product = (from.wrapping_mul(2_654_435_761).wrapping_add(i * 7_919)) % products + 1;
        format!(r#"{{"type":"reserve","product_id":"sku-{product}","quantity":1}}"#)
    };
    let commands: Vec<_> = (0..COMMANDS).map(command).collect();
    format!(r#"{{"mode":"independent","commands":[{}]}}"#, commands.join(","))
}

/// Offers `rate` requests a second for a time. With an infinite rate each sender sends its next
/// request as soon as it has an answer.
pub(crate) fn offer(
    server: &Server,
    products: u32,
    senders: u32,
    rate: f64,
    length: Duration,
) -> Offered {
    let offered = Mutex::new(Offered::default());
    let begin = Instant::now() + Duration::from_millis(50);
    std::thread::scope(|scope| {
        for sender in 0..senders {
            let offered = &offered;
            scope.spawn(move || {
                let mut client = Client::connect(server.port);
                let bodies: Vec<_> = (0..8).map(|i| body(products, sender * 8 + i)).collect();
                let mut own = Offered::default();
                for turn in 0.. {
                    let place = f64::from(turn) * f64::from(senders) + f64::from(sender);
                    let closed = rate.is_infinite();
                    let due = begin + Duration::from_secs_f64(place / rate);
                    let due = if closed { due.max(Instant::now()) } else { due };
                    if due > begin + length {
                        break;
                    }
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    let body = &bodies[turn as usize % bodies.len()];
                    let status = client.post("/v1/batch", body).status;
                    let times = match status {
                        200 => &mut own.accepted,
                        503 => &mut own.refused,
                        _ => {
                            own.other += 1;
                            continue;
                        }
                    };
                    times.push(due.elapsed());
                }
                let mut offered = offered.lock().expect("no panic");
                offered.accepted.extend(own.accepted);
                offered.refused.extend(own.refused);
                offered.other += own.other;
            });
        }
    });
    offered.into_inner().expect("no panic")
}

impl Offered {
    pub(crate) fn print(&mut self, title: &str, length: Duration) {
        let rate = |times: &[Duration]| times.len() as f64 / length.as_secs_f64();
        println!(
            "| {title} | {:.0} | {:.0} | {:.1} | {:.1} | {:.1} | {} |",
            rate(&self.accepted) * f64::from(COMMANDS),
            rate(&self.refused) * f64::from(COMMANDS),
            percentile(&mut self.accepted, 50),
            percentile(&mut self.accepted, 99),
            percentile(&mut self.refused, 99),
            self.other
        );
    }

    /// Accepted commands a second.
    pub(crate) fn accepted_rate(&self, length: Duration) -> f64 {
        self.accepted.len() as f64 * f64::from(COMMANDS) / length.as_secs_f64()
    }
}

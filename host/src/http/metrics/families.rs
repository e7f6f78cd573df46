//! The metrics of connections, request bodies and answers.

use crate::{
    http::{input::BodyBudget, server::Traffic},
    metrics::{Counter, Gauge, Registry},
};
use std::sync::Arc;

const CONNECTIONS: Gauge = Gauge::new("connections", "Open connections.");
const GAVE_WAY: Counter =
    Counter::new("connections_gave_way", "Connections that were closed to make room for new ones.");
const BODIES: Gauge = Gauge::of_bytes(
    "bodies",
    "Size of all request bodies that are being received, beyond the first 16 KiB of each.",
);
const BODIES_REFUSED: Counter = Counter::new(
    "bodies_refused",
    "Request bodies that were refused because all bodies together were too large.",
);
const ANSWERS: Gauge = Gauge::of_bytes(
    "answers",
    "Size of all answers of 16 KiB or more that clients have not read yet.",
);
const ANSWERS_REFUSED: Counter = Counter::new(
    "answers_refused",
    "Requests that were refused because too many large answers were unread.",
);

/// Registers the metrics of connections, request bodies and answers.
pub(in crate::http) fn register(
    registry: &mut Registry,
    traffic: Arc<Traffic>,
    body_budget: Arc<BodyBudget>,
) {
    registry.register(move |encoder| {
        let reading = traffic.read();
        CONNECTIONS.encode(encoder, number(reading.connections))?;
        GAVE_WAY.encode(encoder, reading.evicted)?;
        BODIES.encode(encoder, number(body_budget.bytes()))?;
        BODIES_REFUSED.encode(encoder, body_budget.refused())?;
        ANSWERS.encode(encoder, number(reading.unsent_bytes))?;
        ANSWERS_REFUSED.encode(encoder, reading.refused)
    });
}

fn number(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

//! A limit per caller on the units of one stock that one command may take, such as for the web
//! front of a shop. A caller without a limit, such as the back office, may take any number.

#![cfg(target_arch = "wasm32")]
#![no_std]

extern crate alloc;

use alloc::{format, string::String, vec, vec::Vec};
use guest_runtime as _;
use rule::{
    Context, Decided, Detail, DetailValue, LineRequest, Rejection, ReservationOutcome, Rule,
    StockKey, StockOutcome, domain,
};

/// Each limit: the beginning of the callers' names, and the units of a stock that a command may
/// take.
const LIMITS: [(&str, u64); 2] = [("web", 5), ("partner", 50)];

struct PerCallerLimit;

impl Rule for PerCallerLimit {
    fn reserve(context: Context, key: StockKey, quantity: u64) -> Decided<StockOutcome> {
        let lines = [LineRequest { key, quantity }];
        check(&context, &lines)?;
        let [LineRequest { key, quantity }] = lines;
        domain::reserve(&context, &key, quantity)
    }

    fn hold(
        context: Context,
        id: String,
        lines: Vec<LineRequest>,
        ttl_seconds: Option<u32>,
    ) -> Decided<ReservationOutcome> {
        check(&context, &lines)?;
        domain::hold(&context, &id, &lines, ttl_seconds)
    }

    fn replace(
        context: Context,
        id: String,
        lines: Vec<LineRequest>,
    ) -> Decided<ReservationOutcome> {
        check(&context, &lines)?;
        domain::replace(&context, &id, &lines)
    }
}

fn limit(context: &Context) -> Option<u64> {
    let caller = context.caller.as_deref()?;
    let (_, limit) = LIMITS.into_iter().find(|(name, _)| caller.starts_with(name))?;
    Some(limit)
}

/// Refuses lines that exceed the caller's limit. Several lines of one stock count as their sum.
fn check(context: &Context, lines: &[LineRequest]) -> Decided<()> {
    let Some(limit) = limit(context) else { return Ok(()) };
    for (index, line) in (0..).zip(lines) {
        let same = lines.iter().filter(|other| other.key == line.key);
        let requested = same.fold(0_u64, |sum, other| sum.saturating_add(other.quantity));
        if requested > limit {
            return Err(refusal(index, &line.key, requested, limit));
        }
    }
    Ok(())
}

fn refusal(line: u32, key: &StockKey, requested: u64, limit: u64) -> Rejection {
    let fact = |name: &str, value| Detail { line: Some(line), name: name.into(), value };
    Rejection {
        code: "caller-limit".into(),
        message: format!(
            "{requested} requested of product {}, {limit} allowed at once",
            key.product_id
        ),
        details: vec![
            fact("product_id", DetailValue::Text(key.product_id.clone())),
            fact("location_id", DetailValue::Text(key.location_id.clone())),
            fact("requested", DetailValue::Unsigned(requested)),
            fact("limit", DetailValue::Unsigned(limit)),
        ],
    }
}

#[allow(unsafe_code, reason = "generated from the contract")]
mod export {
    use super::PerCallerLimit;

    rule::export!(PerCallerLimit with_types_in rule::bindings);
}

//! The standard domain with one rule changed. A digit in the compiled file says which rule; the
//! tests overwrite the digit, so that one build serves for all rules.

#![cfg(target_arch = "wasm32")]
#![no_std]

extern crate alloc;

use alloc::{string::String, vec::Vec};
use core::hint::black_box;
use guest_runtime as _;
use rule::{
    Context, Decided, DetailValue, LineRequest, ReservationOutcome, Rule, StockKey, StockOutcome,
    TransferOutcome, domain,
};

/// The last digit is the number of the changed rule; 0 changes none.
static CHANGED: [u8; 16] = *b"changed-rule-#00";

fn changed(which: u8) -> bool {
    black_box(&CHANGED).last() == Some(&(b'0' + which))
}

struct Altered;

impl Rule for Altered {
    /// Rule 1: a reserve that would take the last units takes one unit only.
    fn reserve(context: Context, key: StockKey, quantity: u64) -> Decided<StockOutcome> {
        let outcome = domain::reserve(&context, &key, quantity)?;
        if changed(1) && outcome.view.available == 0 {
            return domain::reserve(&context, &key, 1);
        }
        Ok(outcome)
    }

    /// Rule 2: a release of too many units releases those that can be released.
    fn release(context: Context, key: StockKey, quantity: u64) -> Decided<StockOutcome> {
        domain::release(&context, &key, quantity).or_else(|refusal| {
            let facts = refusal.details.iter();
            let releasable = facts.clone().find_map(|fact| match fact.value {
                DetailValue::Unsigned(units) if fact.name == "releasable" => Some(units),
                _ => None,
            });
            match releasable {
                Some(units) if changed(2) && units > 0 => domain::release(&context, &key, units),
                _ => Err(refusal),
            }
        })
    }

    /// Rule 3: a hold expires a second later.
    fn hold(
        context: Context,
        id: String,
        lines: Vec<LineRequest>,
        ttl_seconds: Option<u32>,
    ) -> Decided<ReservationOutcome> {
        let ttl_seconds = ttl_seconds.map(|ttl| if changed(3) { ttl + 1 } else { ttl });
        domain::hold(&context, &id, &lines, ttl_seconds)
    }

    /// Rule 4: a fulfillment is a cancellation.
    fn fulfill(
        context: Context,
        id: String,
        lines: Option<Vec<LineRequest>>,
    ) -> Decided<ReservationOutcome> {
        if changed(4) {
            return domain::cancel(&context, &id, lines.as_deref());
        }
        domain::fulfill(&context, &id, lines.as_deref())
    }

    /// Rule 5: a transfer of several units moves one unit less.
    fn transfer(
        context: Context,
        product_id: String,
        from: String,
        to: String,
        quantity: u64,
    ) -> Decided<TransferOutcome> {
        let less = u64::from(changed(5) && quantity > 1);
        domain::transfer(&context, &product_id, &from, &to, quantity - less)
    }
}

#[allow(unsafe_code, reason = "generated from the contract")]
mod export {
    use super::Altered;

    rule::export!(Altered with_types_in rule::bindings);
}

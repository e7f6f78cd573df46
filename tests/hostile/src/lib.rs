//! A component that attacks its host when a command's reference or a query's caller names an
//! attack. Otherwise it decides as the standard domain does, so it passes every examination. It has
//! the standard library, and with it every WASI interface that a component may import.

#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "attacks panic on purpose"
)]

use rule::{
    Context, Decided, Event, LowStockChange, QueryContext, Rejection, Rule, StockKey, StockOutcome,
    StockView, domain, event_sink, storage,
};
use std::{
    cell::Cell,
    hint::black_box,
    time::{SystemTime, UNIX_EPOCH},
};

struct Hostile;

impl Rule for Hostile {
    fn reserve(context: Context, key: StockKey, quantity: u64) -> Decided<StockOutcome> {
        match context.reference.as_deref() {
            Some(attack) => misbehave(attack, &context, &key, quantity),
            None => domain::reserve(&context, &key, quantity),
        }
    }

    fn get_stock(context: QueryContext, key: StockKey) -> Decided<StockView> {
        assert!(context.caller.as_deref() != Some("panic"), "told to panic in a query");
        domain::get_stock(&context, &key)
    }
}

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

fn misbehave(
    attack: &str,
    context: &Context,
    key: &StockKey,
    quantity: u64,
) -> Decided<StockOutcome> {
    let decide = || domain::reserve(context, key, quantity);
    match attack {
        "endless-loop" => loop {
            black_box(());
        },
        "memory-bomb" => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(Vec::<u8>::with_capacity(1 << 20));
                black_box(&hoard);
            }
        }
        "panic" => panic!("told to panic\nINFO forged line"),
        "stack-overflow" => {
            dig(1);
            decide()
        }
        // Uses no memory of its own, and attacks the host's stack.
        "deep-recursion" => {
            black_box(dive(quantity));
            decide()
        }
        "giant-strings" => {
            let giant = "x".repeat(16 << 20);
            let _ = storage::get_reservation(&giant);
            decide()
        }
        // Passes one string many times: little memory here, much where the host copies it.
        "copied-strings" => {
            let text = "y".repeat(1 << 20);
            let level = storage::get_stock(key).unwrap().level;
            let key = StockKey { product_id: text.clone(), location_id: text };
            let change = LowStockChange { key, from: Some(level), to: level };
            let flood: Vec<_> = (0..24).map(|_| Event::LowStockDetected(change.clone())).collect();
            event_sink::publish(&flood);
            decide()
        }
        "giant-refusal" => Err(Rejection {
            code: "no".to_owned(),
            message: "z".repeat(1 << 20),
            details: Vec::new(),
        }),
        "flood-of-events" => {
            let level = storage::get_stock(key).unwrap().level;
            let change = LowStockChange { key: key.clone(), from: Some(level), to: level };
            let flood: Vec<_> =
                (0..10_000).map(|_| Event::LowStockDetected(change.clone())).collect();
            loop {
                event_sink::publish(&flood);
            }
        }
        "flood-of-calls" => loop {
            black_box(storage::get_stock(key));
        },
        "flood-of-scans" => loop {
            let scan = storage::StockScan {
                location_id: None,
                product_prefix: None,
                below_minimum: false,
                after: None,
                limit: 1_000,
            };
            black_box(storage::scan_stocks(&scan));
        },
        "negative-available" => store(key, decide, |level| level.reserved = level.total + 1),
        "broken-sums" => store(key, decide, |level| level.unattributed = level.reserved + 1),
        "silent-write" => store(key, decide, |level| level.version += 1),
        "other-stock" => {
            let other = StockKey { product_id: "b".to_owned(), location_id: "default".to_owned() };
            let mut stock = storage::get_stock(&other).unwrap();
            stock.level.total = 0;
            storage::put_stock(&other, stock);
            decide()
        }
        "lie" => {
            let mut outcome = decide()?;
            outcome.view.available = 1_000_000;
            Ok(outcome)
        }
        // Decides otherwise at each call.
        "nondeterminism" => {
            let calls = CALLS.replace(CALLS.get() + 1);
            domain::reserve(context, key, quantity + calls)
        }
        "look-around" => look_around(context, decide),
        other => panic!("there is no attack {other}"),
    }
}

fn dive(depth: u64) -> u64 {
    if depth == u64::MAX { 0 } else { dive(depth + 1).wrapping_mul(3) + depth }
}

fn dig(depth: u64) -> u64 {
    let here = black_box([depth; 64]);
    if depth == 0 { 0 } else { dig(depth + 1) + here[0] }
}

fn store(
    key: &StockKey,
    decide: impl Fn() -> Decided<StockOutcome>,
    change: impl Fn(&mut rule::StockLevel),
) -> Decided<StockOutcome> {
    let outcome = decide()?;
    let mut stock = storage::get_stock(key).unwrap();
    change(&mut stock.level);
    storage::put_stock(key, stock);
    Ok(outcome)
}

/// Looks for anything that was not granted. Refuses with a list of what was found, for the tests.
fn look_around(
    context: &Context,
    decide: impl Fn() -> Decided<StockOutcome>,
) -> Decided<StockOutcome> {
    let mut found = Vec::new();
    for place in ["/", ".", "/etc/passwd", "data/inventory.db"] {
        if std::fs::metadata(place).is_ok() || std::fs::read_dir(place).is_ok() {
            found.push(format!("file {place}"));
        }
    }
    if std::fs::write("/tmp/holdfast-hostile", "was here").is_ok() {
        found.push("wrote a file".to_owned());
    }
    found.extend(std::env::vars().map(|(name, _)| format!("variable {name}")));
    found.extend(std::env::args().map(|argument| format!("argument {argument}")));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    if now != u128::from(context.now) {
        found.push(format!("a clock of its own: {now}, the command's is {}", context.now));
    }
    if found.is_empty() {
        return decide();
    }
    let (code, message) = ("found-something".to_owned(), found.join(", "));
    Err(Rejection { code, message, details: Vec::new() })
}

#[allow(unsafe_code, reason = "generated from the contract")]
mod export {
    use super::Hostile;

    rule::export!(Hostile with_types_in rule::bindings);
}

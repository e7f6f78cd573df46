//! Random commands on few stocks and few reservations, so that commands affect one another.

use super::model::{Action, Command, Key, Line};
use proptest::prelude::*;

const QUANTITY_MAX: u64 = 999_999_999_999;

const KEYS: [Key; 4] = [("a", "default"), ("a", "north"), ("b", "default"), ("c", "default")];
const IDS: [&str; 4] = ["r1", "r2", "r3", "r4"];

fn keys() -> impl Strategy<Value = Key> {
    proptest::sample::select(&KEYS[..])
}

fn ids() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(&IDS[..])
}

fn quantities() -> impl Strategy<Value = u64> {
    prop_oneof![10 => 1..8_u64, 1 => Just(QUANTITY_MAX), 1 => 1..=QUANTITY_MAX]
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    proptest::collection::vec((keys(), 1..7_u64), 1..4)
}

/// Random actions. Holds live for 1 to 4 s where they are `expiring`, else longer than a test runs.
fn actions(expiring: bool) -> impl Strategy<Value = Action> {
    let ttl = move || if expiring { (1..5_u32).boxed() } else { Just(100_000_u32).boxed() };
    let stocks = prop_oneof![
        3 => (keys(), 0..30_u64, proptest::option::of(0..12_u64))
            .prop_map(|(key, total, minimum)| Action::Set { key, total, minimum }),
        1 => keys().prop_map(|key| Action::Set { key, total: QUANTITY_MAX, minimum: None }),
        2 => (keys(), prop_oneof![-15..0_i64, 1..15_i64])
            .prop_map(|(key, delta)| Action::Adjust { key, delta }),
        1 => keys().prop_map(|key| Action::Adjust { key, delta: QUANTITY_MAX as i64 }),
        4 => (keys(), quantities()).prop_map(|(key, quantity)| Action::Reserve { key, quantity }),
        3 => (keys(), quantities()).prop_map(|(key, quantity)| Action::Release { key, quantity }),
        2 => (quantities(), any::<bool>()).prop_map(|(quantity, back)| {
            let (from, to) = if back { ("north", "default") } else { ("default", "north") };
            Action::Transfer { product: "a", from, to, quantity }
        }),
    ];
    let reservations = prop_oneof![
        6 => (ids(), lines(), proptest::option::weighted(0.8, ttl()))
            .prop_map(|(id, lines, ttl)| Action::Hold { id, lines, ttl }),
        2 => (ids(), lines()).prop_map(|(id, lines)| Action::Replace { id, lines }),
        2 => (ids(), if expiring { ttl() } else { Just(1_000_u32).boxed() })
            .prop_map(|(id, ttl)| Action::Extend { id, ttl }),
        2 => ids().prop_map(|id| Action::Confirm { id }),
        3 => (ids(), proptest::option::of(lines()))
            .prop_map(|(id, lines)| Action::Fulfill { id, lines }),
        3 => (ids(), proptest::option::of(lines()))
            .prop_map(|(id, lines)| Action::Cancel { id, lines }),
    ];
    prop_oneof![1 => stocks, 1 => reservations]
}

/// Sequences of commands. Each begins by creating the stocks, so that most commands find one.
pub fn commands(expiring: bool) -> impl Strategy<Value = Vec<Command>> {
    let versions = proptest::option::weighted(0.15, 1..8_u64);
    let some = (actions(expiring), versions)
        .prop_map(|(action, if_version)| Command { action, if_version });
    proptest::collection::vec(some, 1..60).prop_map(|mut commands| {
        for key in KEYS.into_iter().rev().take(3) {
            let action = Action::Set { key, total: 20, minimum: Some(4) };
            commands.insert(0, Command { action, if_version: None });
        }
        commands
    })
}

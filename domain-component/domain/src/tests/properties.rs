//! Random commands, checked against the invariants of the domain.

use super::*;
use crate::{Change, Level, reservation::Status};
use alloc::vec;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Command {
    Set { product: &'static str, total: u64, minimum: Option<u64> },
    Adjust { product: &'static str, delta: i64 },
    Reserve { product: &'static str, quantity: u64 },
    Release { product: &'static str, quantity: u64 },
    Transfer { product: &'static str, to: &'static str, quantity: u64 },
    Hold { id: &'static str, lines: Vec<(&'static str, u64)>, ttl: Option<u32> },
    Replace { id: &'static str, lines: Vec<(&'static str, u64)> },
    Extend { id: &'static str, ttl: u32 },
    Confirm { id: &'static str },
    Fulfill { id: &'static str, lines: Option<Vec<(&'static str, u64)>> },
    Cancel { id: &'static str, lines: Option<Vec<(&'static str, u64)>> },
    Expire { id: &'static str },
}

fn command() -> impl Strategy<Value = Command> {
    let product = || prop::sample::select(vec!["a", "b", "c"]);
    let id = || prop::sample::select(vec!["r", "s", "t"]);
    let quantity = || 0..12_u64;
    let lines = move || prop::collection::vec((product(), quantity()), 1..4);
    prop_oneof![
        (product(), 0..30_u64, prop::option::of(0..6_u64))
            .prop_map(|(product, total, minimum)| Command::Set { product, total, minimum }),
        (product(), -10..10_i64).prop_map(|(product, delta)| Command::Adjust { product, delta }),
        (product(), quantity())
            .prop_map(|(product, quantity)| Command::Reserve { product, quantity }),
        (product(), quantity())
            .prop_map(|(product, quantity)| Command::Release { product, quantity }),
        (product(), prop::sample::select(vec!["default", "north"]), quantity())
            .prop_map(|(product, to, quantity)| Command::Transfer { product, to, quantity }),
        (id(), lines(), prop::option::of(1..9_u32)).prop_map(|(id, lines, ttl)| Command::Hold {
            id,
            lines,
            ttl
        }),
        (id(), lines()).prop_map(|(id, lines)| Command::Replace { id, lines }),
        (id(), 1..9_u32).prop_map(|(id, ttl)| Command::Extend { id, ttl }),
        id().prop_map(|id| Command::Confirm { id }),
        (id(), prop::option::of(lines())).prop_map(|(id, lines)| Command::Fulfill { id, lines }),
        (id(), prop::option::of(lines())).prop_map(|(id, lines)| Command::Cancel { id, lines }),
        id().prop_map(|id| Command::Expire { id }),
    ]
}

/// Runs a command and returns whether it was accepted.
fn run(memory: &mut Memory, command: &Command, now: u64) -> bool {
    let context = at(now);
    let some = |of: &Option<Vec<(&str, u64)>>| of.as_deref().map(lines);
    match command {
        Command::Set { product, total, minimum } => {
            adjust_set(memory, &context, raw(product), *total, *minimum).is_ok()
        }
        Command::Adjust { product, delta } => {
            adjust_by(memory, &context, raw(product), *delta).is_ok()
        }
        Command::Reserve { product, quantity } => {
            reserve(memory, &context, raw(product), *quantity).is_ok()
        }
        Command::Release { product, quantity } => {
            release(memory, &context, raw(product), *quantity).is_ok()
        }
        Command::Transfer { product, to, quantity } => {
            let [product, from, to] = [*product, "default", *to].map(String::from);
            transfer(memory, &context, product, from, to, *quantity).is_ok()
        }
        Command::Hold { id, lines: of, ttl } => {
            hold(memory, &context, (*id).into(), lines(of), *ttl).is_ok()
        }
        Command::Replace { id, lines: of } => {
            replace(memory, &context, (*id).into(), lines(of)).is_ok()
        }
        Command::Extend { id, ttl } => extend(memory, &context, (*id).into(), *ttl).is_ok(),
        Command::Confirm { id } => confirm(memory, &context, (*id).into()).is_ok(),
        Command::Fulfill { id, lines: of } => {
            fulfill(memory, &context, (*id).into(), some(of)).is_ok()
        }
        Command::Cancel { id, lines: of } => {
            cancel(memory, &context, (*id).into(), some(of)).is_ok()
        }
        Command::Expire { id } => expire(memory, &context, (*id).into()).is_ok(),
    }
}

/// The levels and statuses that follow from the events alone.
#[derive(Default)]
struct Folded {
    levels: BTreeMap<StockKey, Level>,
    low: BTreeMap<StockKey, bool>,
    statuses: BTreeMap<String, Status>,
}

impl Folded {
    fn add(&mut self, event: &Event) {
        match event {
            Event::InventoryAdjusted { key, from, to }
            | Event::InventoryTransferred { key, from, to, .. } => self.level(key, *from, *to),
            Event::InventoryMoved { key, from, to, .. } => self.level(key, Some(*from), *to),
            Event::LowStockChanged { detected, key, to, .. } => {
                let was_low = self.low.insert(key.clone(), *detected).unwrap_or(false);
                assert_ne!(was_low, *detected, "detected and resolved alternate");
                assert_eq!(is_low(to), *detected);
            }
            Event::ReservationChanged { change, id, from, to } => {
                assert!(from.state.is_active(), "a final state stays");
                assert_eq!(to.version, from.version + 1);
                let ends =
                    matches!(change, Change::Fulfilled | Change::Cancelled | Change::Expired);
                assert_eq!(to.state.is_active(), !ends);
                self.statuses.insert(id.clone(), *to);
            }
        }
    }

    fn level(&mut self, key: &StockKey, from: Option<Level>, to: Level) {
        assert_eq!(self.levels.insert(key.clone(), to), from, "the levels form a chain");
        assert_eq!(to.version(), from.map_or(0, |from| from.version()) + 1);
    }
}

/// Units that active reservations have left of a stock.
fn held(memory: &Memory, key: &StockKey) -> u64 {
    let active = memory.reservations.values().filter(|it| it.status.state.is_active());
    let lines = active.flat_map(|it| &it.lines).filter(|line| line.key == *key);
    lines.map(|line| line.remaining().unwrap()).sum()
}

proptest! {
    #[test]
    fn events_tell_the_whole_state_and_the_numbers_always_add_up(
        commands in prop::collection::vec((command(), 1..3_000_u64), 1..60),
    ) {
        let mut memory = Memory::default();
        let mut folded = Folded::default();
        let mut now = 1;
        for (command, later) in commands {
            now += later;
            let due: Vec<_> = memory.reservations.values().filter(|it| it.is_due(now)).cloned().collect();
            for it in due {
                expire(&mut memory, &at(now), it.id).unwrap();
            }
            let before = memory.clone();
            if !run(&mut memory, &command, now) {
                prop_assert_eq!(&memory, &before, "a refused command leaves no trace");
            }
            for event in memory.events.drain(..) {
                folded.add(&event);
            }
            for (key, stock) in &memory.stocks {
                let level = stock.level();
                prop_assert_eq!(folded.levels.get(key), Some(&level));
                prop_assert_eq!(folded.low.get(key).copied().unwrap_or(false), is_low(&level));
                prop_assert_eq!(level.attributed().get(), held(&memory, key));
            }
            for it in memory.reservations.values() {
                let left: u64 = it.lines.iter().map(|line| line.remaining().unwrap()).sum();
                prop_assert_eq!(left > 0, it.status.state.is_active());
                let last = folded.statuses.get(&it.id);
                prop_assert!(it.status.state.is_active() || last == Some(&it.status));
            }
        }
    }

    #[test]
    fn a_cancelled_hold_gives_back_exactly_the_units_that_it_took(
        of in prop::collection::vec((prop::sample::select(vec!["a", "b"]), 1..6_u64), 1..6),
    ) {
        let mut memory = memory();
        let before: Vec<_> = ["a", "b"].map(|product| numbers(&memory, product)).to_vec();
        if hold(&mut memory, &at(2), "r".into(), lines(&of), None).is_ok() {
            cancel(&mut memory, &at(3), "r".into(), None).unwrap();
        }
        for (product, (total, reserved, unattributed, _)) in ["a", "b"].into_iter().zip(before) {
            let (total_now, reserved_now, unattributed_now, _) = numbers(&memory, product);
            prop_assert_eq!((total_now, reserved_now, unattributed_now), (total, reserved, unattributed));
        }
    }

    #[test]
    fn the_order_of_the_lines_does_not_decide_whether_a_hold_is_accepted(
        of in prop::collection::vec((prop::sample::select(vec!["a", "b"]), 1..6_u64), 1..6),
    ) {
        let reversed: Vec<_> = of.iter().rev().copied().collect();
        let outcomes = [of, reversed].map(|of| {
            let mut memory = memory();
            let accepted = hold(&mut memory, &at(2), "r".into(), lines(&of), None).is_ok();
            (accepted, memory.stocks)
        });
        prop_assert_eq!(&outcomes[0], &outcomes[1]);
    }
}

//! The invariants of the domain on the shipped component, for random commands at random times, with
//! and without sweeps. The numbers in parentheses count the invariants.

use crate::{
    component,
    harness::{
        guest,
        memory::MemoryWorld,
        model::{self, Command, Model},
        random::commands,
    },
};
use holdfast::{
    component::{Domain, Guest, Limits, Runtime},
    model::{
        Action, Due, Ended, Event, GetReservation, GetStock, Level, ListStocks, QUANTITY_MAX,
        Reservation, StockEventKind, StockKey,
    },
};
use proptest::prelude::*;
use std::collections::BTreeMap;

struct Bench {
    _runtime: Runtime,
    domain: Domain<MemoryWorld>,
}

impl Bench {
    fn new() -> Self {
        let runtime = Runtime::new(Limits::default()).unwrap();
        let domain = Domain::compile(&runtime, &component::bytes()).unwrap();
        Self { _runtime: runtime, domain }
    }

    fn guest(&self) -> Guest<MemoryWorld> {
        self.guest_over(MemoryWorld::default())
    }

    fn guest_over(&self, world: MemoryWorld) -> Guest<MemoryWorld> {
        Guest::new(&self.domain, world).map_err(|(fault, _)| fault).unwrap()
    }

    /// Expires every due hold of a world.
    fn swept(&self, world: MemoryWorld, now: u64) -> MemoryWorld {
        sweep(self.guest_over(world), now).into_world()
    }
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() }
}

/// Commands, each with the pause before it in milliseconds: most pauses are short, some are long.
fn timed() -> impl Strategy<Value = Vec<(Command, u64)>> {
    commands(true).prop_flat_map(|commands| {
        let pauses = prop_oneof![3 => Just(0_u64), 2 => 1..900_u64, 1 => 900..4_000_u64];
        let count = commands.len();
        (Just(commands), proptest::collection::vec(pauses, count))
            .prop_map(|(commands, pauses)| commands.into_iter().zip(pauses).collect())
    })
}

/// Expires every due hold.
fn sweep(mut guest: Guest<MemoryWorld>, now: u64) -> Guest<MemoryWorld> {
    let due = guest.world().reservations.iter().filter(|(_, it)| it.is_due(now));
    let mut due: Vec<_> = due.map(|(id, it)| (it.status.expires_at, id.clone())).collect();
    due.sort();
    due.into_iter().fold(guest, |guest, (_, id)| guest::expire(guest, &id, now))
}

/// Returns the state without versions. Versions count recorded changes, and the expiry of a due
/// hold may be recorded or not.
fn unversioned(mut seen: Model) -> Model {
    seen.stocks.values_mut().for_each(|stock| stock.version = 0);
    seen.reservations.values_mut().for_each(|it| it.version = 0);
    seen
}

/// Returns everything that queries show.
fn visible(guest: &mut Guest<MemoryWorld>, now: u64) -> Model {
    let mut seen = Model::default();
    let ids: Vec<_> = guest.world().reservations.keys().cloned().collect();
    for id in ids {
        let found = guest::ask(guest, &GetReservation { id: id.clone() }, now).unwrap();
        let known = ["r1", "r2", "r3", "r4"].into_iter().find(|known| *known == id).unwrap();
        seen.reservations.insert(known, guest::reservation(&found));
    }
    let all = ListStocks { limit: 500, ..ListStocks::default() };
    let page = guest::ask(guest, &all, now).unwrap();
    for (key, view) in page.items {
        let known = [("a", "default"), ("a", "north"), ("b", "default"), ("c", "default")];
        let of = known.into_iter().find(|known| guest::key(*known) == key).unwrap();
        let alone = guest::ask(guest, &GetStock { key }, now).unwrap();
        assert_eq!(alone, view, "however it is read");
        seen.stocks.insert(of, guest::stock(&view));
    }
    seen
}

/// Checks that numbers are in range (1) and that sums are right (2).
fn check_numbers(world: &MemoryWorld) {
    for (key, stock) in &world.stocks {
        let Level { total, reserved, unattributed, .. } = stock.level;
        assert!(unattributed <= reserved && reserved <= total && total <= QUANTITY_MAX);
        let held: u64 = world.reservations.values().map(|it| it.holds(key)).sum();
        assert_eq!(reserved, unattributed + held, "{key}");
    }
    for (id, it) in &world.reservations {
        let left: u64 = it.lines.iter().map(|line| line.remaining().unwrap()).sum();
        assert_eq!(left > 0, it.status.state.is_active(), "{id}");
    }
}

/// Checks that a reservation in a final state stays as it is (3).
fn check_absorbing(before: &BTreeMap<String, Reservation>, after: &BTreeMap<String, Reservation>) {
    for (id, before) in before.iter().filter(|(_, it)| !it.status.state.is_active()) {
        assert_eq!(Some(before), after.get(id));
    }
}

/// Checks that the events of each stock chain with versions that rise by one and that their fold is
/// the state (4), and that low-stock events alternate, detected first (8).
fn check_events(world: &MemoryWorld) {
    let mut folded: BTreeMap<StockKey, Level> = BTreeMap::new();
    let mut low: BTreeMap<StockKey, bool> = BTreeMap::new();
    for event in &world.events {
        let Event::Stock(event) = event else { continue };
        match event.kind {
            StockEventKind::LowStockDetected => {
                assert!(!low.insert(event.key.clone(), true).unwrap_or(false));
            }
            StockEventKind::LowStockResolved => {
                assert_eq!(low.insert(event.key.clone(), false), Some(true));
            }
            _ => {
                assert_eq!(folded.insert(event.key.clone(), event.to), event.from);
                let expected = event.from.map_or(1, |from| from.version + 1);
                assert_eq!(event.to.version, expected);
            }
        }
    }
    for (key, stock) in &world.stocks {
        assert_eq!(folded.get(key), Some(&stock.level));
        let level = stock.level;
        let is_low = level.total - level.reserved < level.minimum;
        assert_eq!(low.get(key).copied().unwrap_or(false), is_low);
    }
}

#[test]
fn the_invariants_hold_after_every_command_and_the_reference_model_agrees() {
    let bench = Bench::new();
    proptest!(config(), |(sequence in timed())| {
        let (mut guest, mut reference, mut now) = (bench.guest(), Model::default(), 1_000);
        for (command, pause) in &sequence {
            now += pause;
            let before = guest.world().clone();
            let expected = reference.execute(command, now).map_err(str::to_owned);
            let decided;
            (guest, decided) = guest::execute(&bench.domain, guest, command, now);
            prop_assert_eq!(&decided, &expected, "{:?} at {}", command, now);
            let after = guest.world().clone();
            check_numbers(&after);
            check_absorbing(&before.reservations, &after.reservations);
            if decided.is_err() {
                // Due holds may have expired; nothing else has changed.
                let [before, after] = [before, after].map(|world| bench.swept(world, now));
                prop_assert_eq!(before.events.len(), after.events.len(), "a rejection publishes nothing");
                prop_assert_eq!(&before.stocks, &after.stocks, "and writes nothing");
            }
            let seen = unversioned(visible(&mut guest, now));
            let expected = unversioned(reference.clone());
            prop_assert_eq!(&seen.stocks, &expected.stocks, "no due hold counts");
            prop_assert_eq!(&seen.reservations, &expected.reservations);
            reference.check();
        }
        check_events(guest.world());
    });
}

#[test]
fn sweeping_always_never_or_at_random_changes_no_decision() {
    let bench = Bench::new();
    let with_sweeps = timed().prop_flat_map(|sequence| {
        let count = sequence.len();
        (Just(sequence), proptest::collection::vec(any::<bool>(), count))
    });
    proptest!(config(), |((sequence, sweeps) in with_sweeps)| {
        let (mut never, mut always, mut random) = (bench.guest(), bench.guest(), bench.guest());
        let mut now = 1_000;
        for ((command, pause), swept) in sequence.iter().zip(sweeps) {
            now += pause;
            always = sweep(always, now);
            if swept {
                random = sweep(random, now);
            }
            let (decided, other);
            (never, decided) = guest::execute(&bench.domain, never, command, now);
            (always, other) = guest::execute(&bench.domain, always, command, now);
            prop_assert_eq!(&other, &decided);
            let other;
            (random, other) = guest::execute(&bench.domain, random, command, now);
            prop_assert_eq!(&other, &decided);
        }
        let [a, b, c] =
            [&mut never, &mut always, &mut random].map(|it| unversioned(visible(it, now)));
        prop_assert_eq!((&a.stocks, &a.reservations), (&b.stocks, &b.reservations));
        prop_assert_eq!((&a.stocks, &a.reservations), (&c.stocks, &c.reservations));
        check_events(always.world());
        check_events(random.world());
    });
}

#[test]
fn the_same_commands_again_give_the_same_events_byte_for_byte() {
    let bench = Bench::new();
    proptest!(config(), |(sequence in timed())| {
        let run = || {
            let (mut guest, mut now) = (bench.guest(), 1_000);
            for (command, pause) in &sequence {
                now += pause;
                guest = guest::execute(&bench.domain, guest, command, now).0;
            }
            format!("{:?}", guest.into_world().events)
        };
        prop_assert_eq!(run(), run());
    });
}

#[test]
fn several_lines_of_one_stock_decide_as_their_sum_in_any_order() {
    let bench = Bench::new();
    let lines = proptest::collection::vec(1..8_u64, 1..8);
    proptest!(config(), |((mut lines, total, rotation) in (lines, 0..30_u64, 0..8_usize))| {
        let decide = |quantities: &[u64]| {
            let mut guest = bench.guest();
            let key = ("a", "default");
            let set = model::Action::Set { key, total, minimum: None };
            let set = Command { action: set, if_version: None };
            guest = guest::execute(&bench.domain, guest, &set, 1).0;
            let lines = quantities.iter().map(|quantity| (key, *quantity)).collect();
            let hold = model::Action::Hold { id: "r1", lines, ttl: None };
            let hold = Command { action: hold, if_version: None };
            let (guest, decided) = guest::execute(&bench.domain, guest, &hold, 1);
            (decided.map(|_| ()), guest.into_world().stocks[&guest::key(key)].level)
        };
        let sum = lines.iter().sum::<u64>();
        let expected = decide(&[sum]);
        prop_assert_eq!(expected.0.is_ok(), sum <= total);
        prop_assert_eq!(&decide(&lines), &expected);
        let places = lines.len();
        lines.rotate_left(rotation % places);
        prop_assert_eq!(&decide(&lines), &expected);
    });
}

#[test]
fn units_that_are_taken_and_given_back_leave_the_numbers_as_they_were() {
    let bench = Bench::new();
    proptest!(config(), |((sequence, quantity) in (commands(false), 1..9_u64))| {
        let mut guest = bench.guest();
        for command in &sequence {
            guest = guest::execute(&bench.domain, guest, command, 1_000).0;
        }
        let key = ("b", "default");
        let numbers = |guest: &mut Guest<MemoryWorld>| {
            let Level { total, reserved, unattributed, .. } =
                guest.world().stocks[&guest::key(key)].level;
            (total, reserved, unattributed)
        };
        let pair = |mut guest: Guest<MemoryWorld>, take: model::Action, give: model::Action| {
            let before = numbers(&mut guest);
            let run = |guest, action| {
                guest::execute(&bench.domain, guest, &Command { action, if_version: None }, 1_000)
            };
            let (mut guest, taken) = run(guest, take);
            if taken.is_ok() {
                let given;
                (guest, given) = run(guest, give);
                given.unwrap();
                assert_eq!(numbers(&mut guest), before);
            }
            guest
        };
        guest = pair(
            guest,
            model::Action::Reserve { key, quantity },
            model::Action::Release { key, quantity },
        );
        pair(
            guest,
            model::Action::Hold { id: "r9", lines: vec![(key, quantity)], ttl: None },
            model::Action::Cancel { id: "r9", lines: None },
        );
    });
}

#[test]
fn a_command_that_meets_a_due_hold_ends_there_and_leaves_no_trace() {
    let bench = Bench::new();
    let mut guest = bench.guest();
    let key = guest::key(("a", "default"));
    let set = Action::AdjustSet { key: key.clone(), total: 9, minimum: None };
    guest.execute(&component::command(set, None), 1).unwrap().unwrap();
    let line = holdfast::model::LineRequest { key: key.clone(), quantity: 4 };
    let hold = Action::Hold { id: "r1".to_owned(), lines: vec![line], ttl_seconds: Some(1) };
    guest.execute(&component::command(hold, None), 1).unwrap().unwrap();
    let told = guest.world().events.len();
    let reserve = component::command(Action::Reserve { key: key.clone(), quantity: 9 }, None);
    assert_eq!(guest.execute(&reserve, 1_000).unwrap().unwrap_err().code, "insufficient-stock");
    let ended = guest.execute(&reserve, 1_001).unwrap_err();
    assert!(matches!(&ended, Ended::Due(Due::Stock(on)) if *on == key), "{ended}");
    assert_eq!(guest.world().events.len(), told);
    let world = guest.into_world();
    let mut guest = guest::expire(bench.guest_over(world), "r1", 1_001);
    guest.execute(&reserve, 1_001).unwrap().unwrap();
}

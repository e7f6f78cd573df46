//! No lawful call can use up the default fuel, because the arguments and the work of a call are
//! bounded in lines. `cargo test fuel -- --nocapture` prints the fuel that the largest calls use.

use crate::{
    component::bytes,
    harness::{guest, memory::MemoryWorld},
};
use holdfast::{
    component::{Domain, Guest, Limits, Runtime},
    model::{
        Action, Command, LineRequest, ListReservations, ListStocks, LowStock, Origin, StockKey,
    },
};

/// The most lines of a reservation, and the most items of a page.
const LINES: usize = 100;
const ITEMS: u32 = 500;

/// A page of reservations ends with the reservation that reaches this many lines.
const LINES_PER_PAGE: usize = 2_000;

/// An id of the largest length that differs from others only at its end, which costs most to
/// compare.
fn long(kind: &str, i: usize) -> String {
    format!("{}{kind}{i:05}", "x".repeat(128 - kind.len() - 5))
}

fn key(i: usize) -> StockKey {
    StockKey::parse(long("product", i), long("location", 0)).unwrap()
}

fn lines(from: usize, quantity: u64) -> Vec<LineRequest> {
    (from..from + LINES).rev().map(|i| LineRequest { key: key(i), quantity }).collect()
}

/// Calls a component and records the fuel that each kind of call uses.
struct Calls {
    guest: Guest<MemoryWorld>,
    used: Vec<(String, u64)>,
}

impl Calls {
    fn command(&mut self, what: &str, action: Action, now: u64) {
        // The longest texts: 256 characters of four bytes each.
        let text = Some("\u{1f6d2}".repeat(256).into());
        let origin = Origin { caller: None, reason: text.clone(), reference: text };
        let command = Command { id: uuid::Uuid::nil(), origin, precondition: None, action };
        let decision = self.guest.execute(&command, now).unwrap();
        let what = match decision {
            Ok(_) => what.to_owned(),
            Err(rejection) => format!("{what}: {}", rejection.code),
        };
        self.used.push((what, self.guest.fuel_used()));
    }

    fn query(&mut self, what: &str, found: usize) {
        self.used.push((format!("{what}: {found}"), self.guest.fuel_used()));
    }
}

#[test]
#[allow(clippy::print_stdout, reason = "for docs/performance.md")]
fn the_largest_lawful_calls_use_less_than_half_of_the_default_fuel() {
    let runtime = Runtime::new(Limits::default()).unwrap();
    let domain = Domain::compile(&runtime, &bytes()).unwrap();
    let guest = Guest::new(&domain, MemoryWorld::default()).map_err(|(fault, _)| fault).unwrap();
    let mut calls = Calls { guest, used: Vec::new() };
    // Each change crosses the minimum, so that each has a low-stock event.
    for i in 0..2 * LINES {
        let create = Action::AdjustSet { key: key(i), total: 100, minimum: Some(99) };
        calls.command("set one stock", create, 1);
    }
    for i in 0..usize::try_from(ITEMS).unwrap() {
        let i = i + 2 * LINES;
        let create = Action::AdjustSet { key: key(i), total: 1, minimum: Some(99) };
        calls.command("set one stock", create, 1);
    }
    let hold = |id: usize, from: usize, quantity: u64| Action::Hold {
        id: long("reservation", id),
        lines: lines(from, quantity),
        ttl_seconds: Some(60),
    };
    let id = |i: usize| long("reservation", i);
    calls.command("hold of 100 lines", hold(0, 0, 2), 2);
    calls.command("hold of 100 lines, again", hold(0, 0, 2), 2);
    calls.command("hold of 100 lines, all short", hold(1, 0, 1_000), 2);
    let replace = Action::Replace { id: id(0), lines: lines(LINES, 2) };
    calls.command("replace 100 lines by 100 others", replace, 2);
    calls.command("extend 100 lines", Action::Extend { id: id(0), ttl_seconds: 600 }, 2);
    calls.command("confirm 100 lines", Action::Confirm { id: id(0) }, 2);
    let part = Action::Fulfill { id: id(0), lines: Some(lines(LINES, 1)) };
    calls.command("fulfill 100 of 100 lines in part", part, 2);
    calls.command("cancel the rest of 100 lines", Action::Cancel { id: id(0), lines: None }, 2);
    for i in 2..24 {
        calls.command("hold of 100 lines", hold(i, LINES * (i % 2), 1), 3);
    }
    calls.command("expire 100 lines", Action::Expire { id: id(2) }, 3 + 60_000);
    calls.command("fulfill 100 lines", Action::Fulfill { id: id(3), lines: None }, 4);

    // The store ends a page at a bound of lines. This many reservations reach the bound.
    let limit = u32::try_from(LINES_PER_PAGE / LINES).unwrap();
    let all = ListReservations { limit, ..ListReservations::default() };
    let page = guest::ask(&mut calls.guest, &all, 4).unwrap();
    calls.query("list reservations of 100 lines", page.items.len());
    let page = guest::ask(&mut calls.guest, &all, 200_000).unwrap();
    calls.query("list reservations of 100 lines that are due", page.items.len());
    let all = ListStocks { limit: ITEMS, ..ListStocks::default() };
    let page = guest::ask(&mut calls.guest, &all, 4).unwrap();
    calls.query("list stocks", page.items.len());
    let low = LowStock { limit: ITEMS, ..LowStock::default() };
    let page = guest::ask(&mut calls.guest, &low, 4).unwrap();
    calls.query("list low stocks", page.items.len());

    let limit = Limits::default().fuel_per_call;
    calls.used.sort_by_key(|(_, fuel)| std::cmp::Reverse(*fuel));
    calls.used.dedup_by(|later, first| later.0 == first.0);
    for (what, fuel) in &calls.used {
        println!("{:>9} {:>5.1} %  {what}", fuel, *fuel as f64 * 100.0 / limit as f64);
    }
    let (what, most) = &calls.used[0];
    assert!(*most < limit / 2, "{what}: {most} of {limit}");
    let refused = calls.used.iter().filter(|(what, _)| what.contains("-")).count();
    assert_eq!(refused, 1, "only the hold that is short is refused: {:?}", calls.used);
}

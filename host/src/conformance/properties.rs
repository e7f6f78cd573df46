//! Properties that a component must have for every sequence of commands.

use super::{
    Finding, PromiseKind,
    harness::{Candidate, Harness},
    random::Random,
};
use crate::model::{
    Action, Command, Event, Level, LineRequest, StockEventKind, StockKey, Timestamp,
};
use std::collections::BTreeMap;

/// The number of commands in one sequence. Each sequence begins with an empty store.
const SEQUENCE_COMMANDS: u32 = 40;

type Property = fn(&Candidate, u32) -> Result<(), String>;

const PROPERTIES: [(&str, PromiseKind, Property); 5] = [
    (
        "random commands break no invariant, and the events lead to the state",
        PromiseKind::Core,
        invariants,
    ),
    (
        "the same commands give the same events, on an instance of any age",
        PromiseKind::Core,
        determinism,
    ),
    (
        "reserve and release, hold and cancel, leave a stock as it was",
        PromiseKind::Core,
        round_trips,
    ),
    ("lines of one stock count as their sum, in any order", PromiseKind::Core, sums),
    ("low stock is detected and resolved in alternation", PromiseKind::Policy, alternation),
];

pub(super) fn run(candidate: &Candidate, kinds: &[PromiseKind], commands: u32) -> Vec<Finding> {
    let bound = PROPERTIES.iter().filter(|(_, kind, _)| kinds.contains(kind));
    bound
        .map(|(name, kind, property)| Finding {
            group: "Properties".to_owned(),
            name: (*name).to_owned(),
            kind: *kind,
            failure: property(candidate, commands).err(),
        })
        .collect()
}

/// Carries out one sequence of random commands. Returns the harness with the resulting state.
fn random_sequence<'c>(
    candidate: &'c Candidate,
    seed: u64,
    fresh: bool,
) -> Result<Harness<'c>, String> {
    let mut harness = Harness::new(candidate, fresh).map_err(|fault| fault.to_string())?;
    let mut random = Random::new(seed);
    let mut now: Timestamp = 1_000;
    for index in 0..SEQUENCE_COMMANDS {
        let command = if index < 4 { random.opening() } else { random.command() };
        // The command may be accepted or rejected; only a fault breaks the property.
        let _decided = harness.execute(&command, now).map_err(|fault| {
            format!("seed {seed}, command {index}, {:?}: {fault}", command.action)
        })?;
        now += random.within(0, 900);
    }
    Ok(harness)
}

/// The seeds of the sequences that have this many commands together.
fn seeds(commands: u32) -> impl Iterator<Item = u64> {
    0..u64::from(commands / SEQUENCE_COMMANDS).max(1)
}

fn invariants(candidate: &Candidate, commands: u32) -> Result<(), String> {
    for seed in seeds(commands) {
        let mut harness = random_sequence(candidate, seed, false)?;
        let mut levels: BTreeMap<StockKey, Level> = BTreeMap::new();
        for entry in harness.log().map_err(|fault| fault.to_string())? {
            if let Event::Stock(event) = &entry.event
                && event.kind.changes_stock()
            {
                levels.insert(event.key.clone(), event.to);
            }
        }
        let stocks = &harness.store().map_err(|fault| fault.to_string())?.stocks;
        let state: BTreeMap<_, _> =
            stocks.iter().map(|(key, stock)| (key.clone(), stock.level)).collect();
        if levels != state {
            return Err(format!(
                "seed {seed}: the events lead to another state than the stored one"
            ));
        }
    }
    Ok(())
}

fn determinism(candidate: &Candidate, commands: u32) -> Result<(), String> {
    for seed in seeds(commands / 2) {
        let mut once = random_sequence(candidate, seed, false)?;
        let mut again = random_sequence(candidate, seed, true)?;
        let (once, again) = (once.log(), again.log());
        let (once, again) =
            (once.map_err(|fault| fault.to_string())?, again.map_err(|fault| fault.to_string())?);
        let differs = once.iter().zip(again).find(|(a, b)| a.event != b.event);
        if let Some((a, b)) = differs {
            return Err(format!(
                "seed {seed}, event {}: {:?}, with a new instance for each command {:?}",
                a.sequence, a.event, b.event
            ));
        }
        if once.len() != again.len() {
            let (a, b) = (once.len(), again.len());
            return Err(format!("seed {seed}: {a} events, with new instances {b}"));
        }
    }
    Ok(())
}

/// A harness with one stock that has a total of 50.
struct StockHarness<'c> {
    harness: Harness<'c>,
    random: Random,
    key: StockKey,
}

impl<'c> StockHarness<'c> {
    fn new(candidate: &'c Candidate) -> Result<Self, String> {
        let harness = Harness::new(candidate, false).map_err(|fault| fault.to_string())?;
        let mut random = Random::new(7);
        let key = random.key().ok_or("there is no stock")?;
        let mut stock = Self { harness, random, key: key.clone() };
        stock.must(Action::AdjustSet { key, total: 50, minimum: Some(0) })?;
        Ok(stock)
    }

    fn accepts(&mut self, action: Action) -> Result<bool, String> {
        let command = Command { precondition: None, ..self.random.command_of(action) };
        let (decided, _) =
            self.harness.execute(&command, 1_000).map_err(|fault| fault.to_string())?;
        Ok(decided.is_ok())
    }

    fn must(&mut self, action: Action) -> Result<(), String> {
        let shown = format!("{action:?}");
        if self.accepts(action)? { Ok(()) } else { Err(format!("it rejected {shown}")) }
    }

    /// The numbers of the stock without its version, which every change raises.
    fn numbers(&mut self) -> Result<Option<[u64; 4]>, String> {
        let store = self.harness.store().map_err(|fault| fault.to_string())?;
        let level = store.stocks.get(&self.key).map(|stock| stock.level);
        Ok(level.map(|it| [it.total, it.reserved, it.unattributed, it.minimum]))
    }

    fn line(&self, quantity: u64) -> LineRequest {
        LineRequest { key: self.key.clone(), quantity }
    }
}

fn round_trips(candidate: &Candidate, _: u32) -> Result<(), String> {
    let mut stock = StockHarness::new(candidate)?;
    let before = stock.numbers()?;
    for quantity in [1, 7, 50] {
        let key = stock.key.clone();
        stock.must(Action::Reserve { key: key.clone(), quantity })?;
        stock.must(Action::Release { key, quantity })?;
        if stock.numbers()? != before {
            return Err(format!("reserve and release of {quantity} did not restore the stock"));
        }
        let id = format!("r{quantity}");
        let lines = vec![stock.line(quantity)];
        stock.must(Action::Hold { id: id.clone(), lines, ttl_seconds: None })?;
        stock.must(Action::Cancel { id, lines: None })?;
        if stock.numbers()? != before {
            return Err(format!("hold and cancel of {quantity} did not restore the stock"));
        }
    }
    Ok(())
}

fn sums(candidate: &Candidate, _: u32) -> Result<(), String> {
    let cases: [(&[u64], bool); 4] =
        [(&[25, 25], true), (&[26, 25], false), (&[1, 49, 1], false), (&[49, 1], true)];
    for (quantities, fits) in cases {
        for backwards in [false, true] {
            let mut stock = StockHarness::new(candidate)?;
            let mut lines: Vec<_> = quantities.iter().map(|units| stock.line(*units)).collect();
            if backwards {
                lines.reverse();
            }
            let hold = Action::Hold { id: "r".to_owned(), lines, ttl_seconds: None };
            if stock.accepts(hold)? != fits {
                return Err(format!(
                    "lines of {quantities:?} of a stock of 50: decided differently from their sum"
                ));
            }
        }
    }
    Ok(())
}

fn alternation(candidate: &Candidate, commands: u32) -> Result<(), String> {
    for seed in seeds(commands) {
        let mut harness = random_sequence(candidate, seed, false)?;
        let mut low: BTreeMap<&StockKey, bool> = BTreeMap::new();
        for entry in harness.log().map_err(|fault| fault.to_string())? {
            let Event::Stock(event) = &entry.event else { continue };
            let is_low = match event.kind {
                StockEventKind::LowStockDetected => true,
                StockEventKind::LowStockResolved => false,
                _ => continue,
            };
            if low.insert(&event.key, is_low).unwrap_or(false) == is_low {
                let (key, sequence) = (&event.key, entry.sequence);
                return Err(format!(
                    "seed {seed}, event {sequence}: {key} had the same event twice in a row"
                ));
            }
        }
    }
    Ok(())
}

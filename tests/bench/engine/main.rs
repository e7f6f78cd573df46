//! How many commands a second become durable without HTTP, with the shipped component and with the
//! domain linked natively, in turn, over the same unit of work and the same store: `cargo bench
//! --bench engine`. Options: `--rounds N` measurements of each; `--component FILE` measures another
//! component.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking"
)]

#[path = "../common.rs"]
mod common;
mod native;

use common::{Unit, argument, command, decide, median, number, unit};
use holdfast::{
    component::{Domain, EMBEDDED, Limits, Runtime},
    model::{Action, Digest, StockKey},
    store::BatchKeys,
};
use std::time::{Duration, Instant};

const PRODUCTS: usize = 10_000;
const BATCHES: [usize; 4] = [1, 64, 256, 1_024];
const RUN: Duration = Duration::from_millis(1_000);
const NOW: u64 = 1_800_000_000_000;

/// The component or the native domain.
#[derive(Clone, Copy)]
enum Decider<'d> {
    Component(&'d Domain<Unit>),
    Native,
}

/// A cheap random number generator that gives the same numbers in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

/// Measures commands a second in batches of `size` commands, each committed before the next begins.
fn rate(mut unit: Unit, decider: Decider<'_>, keys: &[StockKey], size: usize) -> (f64, Unit) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut done, started) = (0, Instant::now());
    while started.elapsed() < RUN {
        let reserve = |key: &StockKey| command(Action::Reserve { key: key.clone(), quantity: 1 });
        let batch: Vec<_> = (0..size).map(|_| reserve(&keys[random.below(keys.len())])).collect();
        unit.begin(&BatchKeys::NONE).unwrap();
        unit = match decider {
            Decider::Component(domain) => decide(unit, domain, batch, NOW),
            Decider::Native => {
                for command in &batch {
                    let outcome = native::execute(&mut unit, command, NOW);
                    unit.accept(command, NOW, Digest([1; 32]), &outcome).unwrap();
                }
                unit
            }
        };
        unit.commit(NOW).unwrap();
        done += size;
    }
    (done as f64 / started.elapsed().as_secs_f64(), unit)
}

fn main() {
    let rounds = number("--rounds", 5);
    let component = argument("--component").map(|file| std::fs::read(file).expect("a component"));
    let component = component.as_deref().unwrap_or(EMBEDDED);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runtime = Runtime::new(Limits::default()).expect("a runtime");
    let domain = Domain::<Unit>::compile(&runtime, component).expect("the shipped component");
    let mut unit = unit(&folder.path().join("inventory.db"));
    let key = |i| StockKey::parse(format!("sku-{i}"), "default".to_owned()).unwrap();
    let keys: Vec<StockKey> = (0..PRODUCTS).map(key).collect();
    unit.begin(&BatchKeys::NONE).unwrap();
    for key in &keys {
        let set = Action::AdjustSet { key: key.clone(), total: 900_000_000_000, minimum: Some(0) };
        let command = command(set);
        let outcome = native::execute(&mut unit, &command, NOW);
        unit.accept(&command, NOW, domain.digest(), &outcome).unwrap();
    }
    unit.commit(NOW).unwrap();

    println!("Durable reserve commands a second, medians of {rounds} x {} ms\n", RUN.as_millis());
    println!("| products | batch | component | native | native : component |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for keys in [&keys[..1], &keys[..]] {
        for size in BATCHES {
            let (mut with, mut without) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                let rate_of = |unit, decider| rate(unit, decider, keys, size);
                let (rate, back) = rate_of(unit, Decider::Component(&domain));
                with.push(rate);
                let (rate, back) = rate_of(back, Decider::Native);
                without.push(rate);
                unit = back;
            }
            let (with, without) = (median(with), median(without));
            let ratio = without / with;
            println!("| {} | {size} | {with:.0} | {without:.0} | {ratio:.2} |", keys.len());
        }
    }
}

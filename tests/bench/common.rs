//! Functions that the benchmarks share.

use holdfast::{
    component::{Domain, Guest},
    model::{Action, Command, Origin},
    store::{Cache, Cached, Store, sqlite::SqliteLane, sqlite::SqliteStore},
    unit_of_work::UnitOfWork,
};
use std::{path::Path, sync::Arc};
use uuid::Uuid;

pub type Unit = UnitOfWork<Cached<SqliteLane>>;

/// The argument that follows `name` on the command line.
pub fn argument(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

/// The number that follows `name` on the command line; `default` where there is none.
pub fn number(name: &str, default: usize) -> usize {
    argument(name).map_or(default, |text| text.parse().expect("a number"))
}

pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// A unit of work over a database, without an engine.
pub fn unit(file: &Path) -> Unit {
    let store = SqliteStore::open(file).expect("a database");
    let lane = Cached::new(store.lane().expect("a lane"), Arc::new(Cache::default()));
    let mut unit = Unit::new(lane).expect("a unit of work");
    // Without reading ahead once, a lane knows of no time before which nothing comes due.
    unit.look_ahead(0).expect("holds read ahead");
    unit
}

pub fn command(action: Action) -> Command {
    Command { id: Uuid::now_v7(), origin: Origin::default(), precondition: None, action }
}

/// Lets the component decide a command in the current batch. Panics where the command is not
/// accepted.
pub fn decide(
    unit: Unit,
    domain: &Domain<Unit>,
    commands: impl IntoIterator<Item = Command>,
    now: u64,
) -> Unit {
    let mut guest = Guest::new(domain, unit).map_err(|(fault, _)| fault).expect("a guest");
    for command in commands {
        let outcome = guest.execute(&command, now).expect("a decision").expect("accepted");
        guest.world().accept(&command, now, domain.digest(), &outcome).expect("sound");
    }
    guest.into_world()
}

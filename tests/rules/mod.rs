//! Rules in front of the standard domain, in three languages: the commands that they decide, the
//! commands that they pass on, and the same on the running server.

use crate::{
    harness::{
        Server,
        guests::{self, per_caller_limit},
        tools,
    },
    swap::{swap, with_admin},
};
use holdfast::{
    component::{Compiled, EMBEDDED, Guest, Library, Limits, Runtime},
    conformance::{self, Depth},
    model::{Action, Command, Event, LineRequest, Origin, Outcome, StockEventKind, StockKey},
    store::MemoryLane,
    unit_of_work::UnitOfWork,
};
use std::sync::LazyLock;
use tempfile::TempDir;

/// Fuel of one call, enough for an interpreter in a component.
const FUEL: u64 = 1_000_000_000;

fn runtime() -> Runtime {
    Runtime::new(Limits { fuel_per_call: FUEL, ..Limits::default() }).unwrap()
}

fn key(text: &str) -> StockKey {
    let (product, location) = text.split_once('@').unwrap_or((text, "default"));
    StockKey::parse(product.to_owned(), location.to_owned()).unwrap()
}

/// A component with a rule, run as the host runs it.
struct RuleHarness {
    guest: Guest<UnitOfWork<MemoryLane>>,
    commands: u128,
}

impl RuleHarness {
    fn new(compiled: &Compiled) -> Self {
        let unit = UnitOfWork::new(MemoryLane::default()).unwrap();
        let guest = Guest::new(&compiled.fit().unwrap(), unit).map_err(|(fault, _)| fault).unwrap();
        Self { guest, commands: 0 }
    }

    /// Decides a command. Returns the kinds of its stock events, or the code of the rejection.
    fn decide(
        &mut self,
        caller: Option<&str>,
        action: Action,
    ) -> Result<Vec<StockEventKind>, String> {
        self.commands += 1;
        let origin = Origin { caller: caller.map(Into::into), ..Origin::default() };
        let id = uuid::Uuid::from_u128(self.commands);
        let command = Command { id, origin, precondition: None, action };
        let decided = self.guest.execute(&command, 1_000).expect("no fault");
        let unit = self.guest.world();
        let outcome: Outcome = match decided {
            Ok(outcome) => outcome,
            Err(rejection) => {
                unit.abandon();
                return Err(rejection.code);
            }
        };
        unit.accept(&command, 1_000, holdfast::model::Digest([0; 32]), &outcome)
            .expect("no broken invariant");
        let kinds = unit.entries_since(0).iter().filter_map(|entry| match &entry.event {
            Event::Stock(event) => Some(event.kind),
            _ => None,
        });
        let kinds = kinds.collect();
        unit.commit(1_000).unwrap();
        Ok(kinds)
    }

    fn set(&mut self, stock: &str, total: u64, minimum: u64) {
        let set = Action::AdjustSet { key: key(stock), total, minimum: Some(minimum) };
        self.decide(None, set).unwrap();
    }

    fn reserve(
        &mut self,
        caller: Option<&str>,
        stock: &str,
        quantity: u64,
    ) -> Result<Vec<StockEventKind>, String> {
        self.decide(caller, Action::Reserve { key: key(stock), quantity })
    }

    fn hold(
        &mut self,
        caller: Option<&str>,
        id: &str,
        lines: &[(&str, u64)],
    ) -> Result<(), String> {
        let line = |(of, quantity): &(&str, u64)| LineRequest { key: key(of), quantity: *quantity };
        let lines = lines.iter().map(line).collect();
        let hold = Action::Hold { id: id.to_owned(), lines, ttl_seconds: None };
        self.decide(caller, hold).map(|_| ())
    }
}

/// The promises of the conformance suite that a component breaks, each with its failure.
fn broken(compiled: &Compiled, depth: Depth) -> Vec<String> {
    let findings = conformance::check(compiled, depth).unwrap();
    let broken = findings.into_iter().filter(|finding| finding.failure.is_some());
    broken.map(|finding| format!("{}: {:?}", finding.name, finding.failure)).collect()
}

/// The compiled components, which the servers of these tests use too: compiling an interpreter
/// takes a minute.
static LIBRARY: LazyLock<(TempDir, Library)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let library = Library::open(folder.path().to_owned()).unwrap();
    (folder, library)
});

fn compiled(runtime: &Runtime, component: &[u8]) -> Compiled {
    LIBRARY.1.compile(runtime, component).unwrap()
}

fn on_the_server(component: &[u8]) -> Server {
    let (fuel, folder) = (FUEL.to_string(), LIBRARY.0.path().to_str().unwrap());
    let server = with_admin(&["--component-fuel-per-call", &fuel, "--component-folder", folder]);
    let mut client = server.client();
    client.stock("a", 10, 5);
    let (status, report) = swap(&mut client, component);
    assert_eq!(status, 200, "{report:#}");
    assert_eq!(client.reserve("a", 1).status, 200, "the rule passes this command on");
    server
}

#[test]
fn the_embedded_component_keeps_every_promise() {
    let runtime = Runtime::new(Limits::default()).unwrap();
    assert_eq!(broken(&compiled(&runtime, EMBEDDED), Depth::Whole), Vec::<String>::new());
}

#[test]
fn a_changed_rule_breaks_a_promise() {
    let runtime = Runtime::new(Limits::default()).unwrap();
    let found: Vec<_> = (0..6)
        .map(|rule| broken(&compiled(&runtime, &guests::altered(rule)), Depth::Admission).len())
        .collect();
    assert!(found[0] == 0 && found[1..].iter().all(|broken| *broken > 0), "{found:?}");
}

#[test]
fn a_limit_per_caller_in_rust() {
    let runtime = Runtime::new(Limits::default()).unwrap();
    let limited = compiled(&runtime, &per_caller_limit());
    assert_eq!(limited.foreign_imports(), Vec::<String>::new(), "the contract and nothing else");
    assert_eq!(
        broken(&limited, Depth::Whole),
        Vec::<String>::new(),
        "the rule passes these commands on"
    );
    let mut harness = RuleHarness::new(&limited);
    harness.set("a", 100, 0);
    assert!(
        harness.reserve(None, "a", 6).is_ok() && harness.reserve(Some("office"), "a", 6).is_ok()
    );
    assert!(harness.reserve(Some("web-7"), "a", 5).is_ok());
    assert_eq!(harness.reserve(Some("web-7"), "a", 6).unwrap_err(), "caller-limit");
    assert!(harness.hold(Some("web-7"), "r1", &[("a", 3), ("a", 2)]).is_ok());
    let summed = harness.hold(Some("web-7"), "r2", &[("a", 3), ("a", 3)]);
    assert_eq!(summed.unwrap_err(), "caller-limit", "lines of one stock count as their sum");
    on_the_server(&per_caller_limit());
}

/// The rule in a language, composed with the domain and built once in a run. `None` where the tools
/// of the language are missing.
fn built(language: &'static str) -> Option<Vec<u8>> {
    static JAVASCRIPT: LazyLock<Option<Vec<u8>>> = LazyLock::new(|| build("javascript"));
    static PYTHON: LazyLock<Option<Vec<u8>>> = LazyLock::new(|| build("python"));
    if language == "python" { PYTHON.clone() } else { JAVASCRIPT.clone() }
}

fn build(language: &str) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rule.wasm");
    tools::run(&format!("tests/rules/{language}/build.sh"), &file)?;
    Some(guests::composed(&std::fs::read(file).unwrap(), EMBEDDED))
}

#[test]
fn a_safety_stock_in_javascript() {
    let Some(component) = built("javascript") else { return };
    let runtime = runtime();
    let guarded = compiled(&runtime, &component);
    assert_eq!(guarded.foreign_imports(), Vec::<String>::new(), "the contract and nothing else");
    assert_eq!(
        broken(&guarded, Depth::Admission),
        Vec::<String>::new(),
        "the rule passes these commands on"
    );
    let mut harness = RuleHarness::new(&guarded);
    harness.set("a", 10, 0);
    harness.set("a@showroom", 10, 0);
    assert!(harness.reserve(None, "a", 10).is_ok());
    assert!(harness.reserve(None, "a@showroom", 4).is_ok());
    assert_eq!(harness.reserve(None, "a@showroom", 2).unwrap_err(), "insufficient-stock");
    let held = harness.hold(None, "r", &[("a@showroom", 1), ("a@showroom", 1)]);
    assert_eq!(held.unwrap_err(), "insufficient-stock");
    assert!(harness.hold(None, "r", &[("a@showroom", 1)]).is_ok());
    on_the_server(&component);
}

#[test]
fn an_alert_on_every_fall_in_python() {
    use StockEventKind::{InventoryReserved as Reserved, LowStockDetected as Low};
    let Some(component) = built("python") else { return };
    let runtime = runtime();
    let alerting = compiled(&runtime, &component);
    assert_eq!(alerting.foreign_imports(), Vec::<String>::new(), "the contract and nothing else");
    assert_eq!(
        broken(&alerting, Depth::Admission),
        Vec::<String>::new(),
        "the rule passes these commands on"
    );
    let mut harness = RuleHarness::new(&alerting);
    harness.set("a", 10, 9);
    assert_eq!(harness.reserve(None, "a", 1).unwrap(), [Reserved]);
    assert_eq!(harness.reserve(None, "a", 1).unwrap(), [Reserved, Low], "the event of the domain");
    assert_eq!(harness.reserve(None, "a", 1).unwrap(), [Reserved, Low], "the event of the rule");
    assert_eq!(harness.reserve(None, "a", 100).unwrap_err(), "insufficient-stock");
    on_the_server(&component);
}

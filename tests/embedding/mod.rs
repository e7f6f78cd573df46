//! The component file in other runtimes: the same session gives the same events and the same
//! answers, byte for byte.

mod canonical;

use crate::{component, harness::tools};
use holdfast::{
    component::{Guest, Limits, Runtime},
    model::{
        Action, Command, Digest, LineRequest, LocationId, Origin, ProductId, StockKey, Timestamp,
    },
    store::MemoryLane,
    unit_of_work::UnitOfWork,
};
use std::path::PathBuf;

/// Writes the component of the tests to a file.
fn component_file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("domain.wasm");
    std::fs::write(&file, component::bytes()).unwrap();
    (folder, file)
}

/// The output of the example in Rust.
fn in_rust() -> String {
    let (_folder, file) = component_file();
    let example = std::env::current_exe().unwrap();
    let example = example.parent().unwrap().parent().unwrap().join("examples/session");
    let output = std::process::Command::new(example).arg(file).output();
    let output = output.expect("the example, which `cargo build --example session` builds");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn key(product: &str, location: &str) -> StockKey {
    StockKey::parse(product.to_owned(), location.to_owned()).unwrap()
}

fn lines(lines: &[(&str, &str, u64)]) -> Vec<LineRequest> {
    let line = |(product, location, quantity): &(&str, &str, u64)| LineRequest {
        key: key(product, location),
        quantity: *quantity,
    };
    lines.iter().map(line).collect()
}

/// The commands of the session, each with its time and its reference.
fn session() -> Vec<(Timestamp, Option<&'static str>, Action)> {
    let (a, b) = (key("a", "default"), key("b", "north"));
    let hold = |id: &str, held: &[(&str, &str, u64)], ttl: u32| Action::Hold {
        id: id.to_owned(),
        lines: lines(held),
        ttl_seconds: Some(ttl),
    };
    let cart = || "cart-1".to_owned();
    let location = |id: &str| LocationId::parse(id.to_owned()).unwrap();
    vec![
        (1_000, None, Action::AdjustSet { key: a.clone(), total: 10, minimum: Some(5) }),
        (2_000, None, Action::AdjustSet { key: b, total: 4, minimum: None }),
        (3_000, Some("order-1"), Action::Reserve { key: a.clone(), quantity: 3 }),
        (4_000, None, Action::Reserve { key: a.clone(), quantity: 8 }),
        (
            5_000,
            None,
            hold("cart-1", &[("a", "default", 2), ("b", "north", 1), ("a", "default", 1)], 60),
        ),
        (
            6_000,
            None,
            Action::Replace { id: cart(), lines: lines(&[("a", "default", 1), ("b", "north", 2)]) },
        ),
        (7_000, None, Action::Extend { id: cart(), ttl_seconds: 120 }),
        (8_000, None, Action::Confirm { id: cart() }),
        (9_000, None, Action::Fulfill { id: cart(), lines: Some(lines(&[("b", "north", 1)])) }),
        (10_000, None, Action::Cancel { id: cart(), lines: None }),
        (11_000, None, hold("cart-2", &[("a", "default", 2)], 5)),
        (20_000, None, Action::Expire { id: "cart-2".to_owned() }),
        (20_000, None, Action::Reserve { key: a.clone(), quantity: 7 }),
        (21_000, None, Action::Release { key: a.clone(), quantity: 10 }),
        (22_000, None, Action::AdjustBy { key: a, delta: -4 }),
        (
            23_000,
            None,
            Action::Transfer {
                product_id: ProductId::parse("a".to_owned()).unwrap(),
                from: location("default"),
                to: location("north"),
                quantity: 2,
            },
        ),
        (24_000, None, hold("cart-3", &[("b", "north", 3)], 1)),
        (30_000, None, Action::Expire { id: "cart-3".to_owned() }),
    ]
}

/// The events of the session when the host's own code runs it, in canonical form.
fn on_the_host() -> String {
    let runtime = Runtime::new(Limits::default()).unwrap();
    let compiled = holdfast::component::Compiled::new(&runtime, &component::bytes()).unwrap();
    let unit = UnitOfWork::new(MemoryLane::default()).unwrap();
    let mut guest = Guest::new(&compiled.fit().unwrap(), unit).map_err(|(fault, _)| fault).unwrap();
    let mut events = String::new();
    for (number, (now, reference, action)) in (1..).zip(session()) {
        let origin = Origin {
            caller: Some("session".into()),
            reason: None,
            reference: reference.map(Into::into),
        };
        let id = uuid::Uuid::from_u128(number);
        let command = Command { id, origin, precondition: None, action };
        let decided = guest.execute(&command, now).unwrap();
        let unit = guest.world();
        match decided {
            Ok(outcome) => unit.accept(&command, now, Digest([0; 32]), &outcome).unwrap(),
            Err(_) => unit.abandon(),
        }
        for entry in unit.entries_since(0) {
            events += &canonical::event(&entry.event);
            events.push('\n');
        }
        unit.commit(now).unwrap();
    }
    events
}

#[test]
fn the_session_in_rust_has_the_events_of_the_host() {
    let printed = in_rust();
    let events = printed.lines().filter(|line| line.starts_with(r#"{"event":"#));
    let events: String = events.map(|line| format!("{line}\n")).collect();
    assert_eq!(events, on_the_host());
    assert_eq!(
        printed.lines().count() - events.lines().count(),
        18 + 5,
        "one answer for each command and query"
    );
}

fn same_as_in_rust(script: &str) {
    let (_folder, file) = component_file();
    if let Some(printed) = tools::run(script, &file) {
        assert_eq!(printed, in_rust());
    }
}

#[test]
fn the_session_in_node_prints_the_same() {
    same_as_in_rust("tests/embedding/node/run.sh");
}

#[test]
fn the_session_in_python_prints_the_same() {
    same_as_in_rust("tests/embedding/python/run.sh");
}

#[test]
fn the_session_in_a_browser_prints_the_same() {
    same_as_in_rust("tests/embedding/browser/run.sh");
}

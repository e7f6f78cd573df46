//! The component's file, and the component run by wasmtime over a world in memory.

use crate::harness::{guest::ask, guests::hostile, memory::MemoryWorld};
use holdfast::{
    component::{Domain, EMBEDDED, Guest, Limits, Runtime},
    model::{
        Action, Ask, Command, Ended, Event, GetReservation, GetStock, Level, ListStocks, Origin,
        Outcome, Precondition, Stock, StockEventKind, StockKey,
    },
};
use std::borrow::Cow;

/// The embedded component, or the one in the file that `HOLDFAST_TEST_COMPONENT` names.
pub fn bytes() -> Cow<'static, [u8]> {
    match std::env::var_os("HOLDFAST_TEST_COMPONENT") {
        Some(file) => std::fs::read(file).expect("the component to test").into(),
        None => EMBEDDED.into(),
    }
}

pub fn key(product: &str) -> StockKey {
    StockKey::parse(product.to_owned(), "default".to_owned()).unwrap()
}

pub fn command(action: Action, precondition: Option<Precondition>) -> Command {
    Command { id: uuid::Uuid::nil(), origin: Origin::default(), precondition, action }
}

pub fn guest() -> (Runtime, Guest<MemoryWorld>) {
    let runtime = Runtime::new(Limits::default()).unwrap();
    let domain = Domain::compile(&runtime, &bytes()).unwrap();
    let guest = Guest::new(&domain, MemoryWorld::default()).map_err(|(fault, _)| fault).unwrap();
    (runtime, guest)
}

#[test]
fn the_component_imports_the_contract_and_nothing_else() {
    let config = wasmtime::Config::new();
    let engine = wasmtime::Engine::new(&config).unwrap();
    let component = wasmtime::component::Component::from_binary(&engine, &bytes()).unwrap();
    let component_type = component.component_type();
    let mut imports: Vec<_> = component_type.imports(&engine).map(|(name, _)| name).collect();
    imports.sort_unstable();
    let ours = ["event-sink", "storage", "types"];
    assert_eq!(imports, ours.map(|name| format!("holdfast:inventory/{name}@0.2.0")));
    let exports: Vec<_> = component_type.exports(&engine).map(|(name, _)| name).collect();
    assert_eq!(exports, ["holdfast:inventory/inventory@0.2.0"]);
}

#[test]
fn the_component_stays_small() {
    let size = bytes().len();
    assert!(size <= 120 * 1024, "{size} bytes; README says why not less");
}

#[test]
fn a_reservation_is_decided_saved_and_published() {
    let (_runtime, mut guest) = guest();
    let create = Action::AdjustSet { key: key("a"), total: 10, minimum: Some(5) };
    let outcome = guest.execute(&command(create, None), 100).unwrap().unwrap();
    let Outcome::Stock { view, created } = outcome else { panic!("{outcome:?}") };
    assert!(created && !view.low);
    let reserve = command(Action::Reserve { key: key("a"), quantity: 6 }, None);
    let outcome = guest.execute(&reserve, 200).unwrap().unwrap();
    let Outcome::Stock { view, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!((view.available, view.low), (4, true));
    let world = guest.into_world();
    let kinds: Vec<_> = world
        .events
        .iter()
        .map(|event| match event {
            Event::Stock(event) => event.kind,
            _ => unreachable!("about stocks only"),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            StockEventKind::InventoryAdjusted,
            StockEventKind::InventoryReserved,
            StockEventKind::LowStockDetected
        ]
    );
    assert_eq!(world.stocks[&key("a")].level.unattributed, 6);
    assert_eq!(world.stocks[&key("a")].updated_at, 200);
}

#[test]
fn a_rejection_names_the_numbers_and_writes_nothing() {
    let (_runtime, mut guest) = guest();
    let create = Action::AdjustSet { key: key("a"), total: 10, minimum: None };
    guest.execute(&command(create, None), 1).unwrap().unwrap();
    let reserve = command(Action::Reserve { key: key("a"), quantity: 11 }, None);
    let rejection = guest.execute(&reserve, 2).unwrap().unwrap_err();
    assert_eq!(rejection.code, "insufficient-stock");
    assert_eq!(rejection.message, "11 requested of product a at location default, 10 available");
    let names: Vec<_> = rejection.details.iter().map(|detail| detail.name.as_str()).collect();
    assert_eq!(names, ["product_id", "location_id", "requested", "available"]);
    assert_eq!(guest.into_world().events.len(), 1);
}

#[test]
fn arguments_that_an_embedder_did_not_check_are_refused_all_at_once() {
    let (_runtime, mut guest) = guest();
    let set = Action::AdjustSet { key: key("a"), total: u64::MAX, minimum: Some(u64::MAX) };
    let rejection = guest.execute(&command(set, None), 1).unwrap().unwrap_err();
    assert_eq!(rejection.code, "invalid-request");
    let names: Vec<_> = rejection.details.iter().map(|detail| detail.name.as_str()).collect();
    assert_eq!(names, ["total", "minimum"]);
    let nothing = command(Action::AdjustBy { key: key("a"), delta: 0 }, None);
    assert_eq!(guest.execute(&nothing, 1).unwrap().unwrap_err().code, "invalid-request");
    let too_many = ListStocks { limit: 501, ..ListStocks::default() };
    let page = ask(&mut guest, &too_many, 1);
    assert_eq!(page.unwrap_err().code, "invalid-request");
}

/// The hostile component panics where a caller named `panic` asks for a stock.
#[test]
fn a_query_passes_its_caller_to_the_component() {
    let runtime = Runtime::new(Limits::default()).unwrap();
    let domain = Domain::compile(&runtime, &hostile()).unwrap();
    let mut guest =
        Guest::new(&domain, MemoryWorld::default()).map_err(|(fault, _)| fault).unwrap();
    let set = Action::AdjustSet { key: key("a"), total: 5, minimum: None };
    guest.execute(&command(set, None), 1).unwrap().unwrap();
    let query = GetStock { key: key("a") };
    for caller in [None, Some("web-7")] {
        let answer = guest.query(caller, query.as_query(), 1).unwrap().unwrap();
        assert_eq!(GetStock::answer(answer).unwrap().available, 5, "{caller:?}");
    }
    let ended = guest.query(Some("panic"), query.as_query(), 1);
    assert!(matches!(ended, Err(Ended::Fault(_))), "{ended:?}");
}

#[test]
fn an_answer_fits_only_its_own_kind_of_query() {
    let (_runtime, mut guest) = guest();
    let all = ListStocks { limit: 1, ..ListStocks::default() };
    let answer = guest.query(None, all.as_query(), 1).unwrap().unwrap();
    assert!(GetReservation::answer(answer.clone()).is_none());
    assert!(ListStocks::answer(answer).is_some());
}

#[test]
fn a_store_that_contradicts_itself_is_a_trap_and_not_a_decision() {
    let (_runtime, mut guest) = guest();
    let level = Level { total: 1, reserved: 2, unattributed: 0, minimum: 0, version: 1 };
    let stock = Stock { level, due: 0, created_at: 1, updated_at: 1 };
    guest.world().stocks.insert(key("a"), stock);
    let reserve = command(Action::Reserve { key: key("a"), quantity: 1 }, None);
    assert!(matches!(guest.execute(&reserve, 1), Err(Ended::Fault(_))));
}

#[test]
fn a_call_that_runs_out_of_fuel_ends() {
    let limits = Limits { fuel_per_call: 500, ..Limits::default() };
    let runtime = Runtime::new(limits).unwrap();
    let domain = Domain::compile(&runtime, &bytes()).unwrap();
    let mut guest =
        Guest::new(&domain, MemoryWorld::default()).map_err(|(fault, _)| fault).unwrap();
    let create = command(Action::AdjustSet { key: key("a"), total: 1, minimum: None }, None);
    let Err(Ended::Fault(fault)) = guest.execute(&create, 1) else {
        panic!("the call did not run out of fuel")
    };
    assert!(fault.0.contains("500 units of fuel"), "{fault}");
}

#[test]
fn a_file_that_is_no_component_of_the_contract_is_refused_with_the_reason() {
    let runtime = Runtime::new(Limits::default()).unwrap();
    let compile = |bytes: &[u8]| Domain::<MemoryWorld>::compile(&runtime, bytes).err().unwrap();
    let text = compile(b"hello").to_string();
    assert!(text.starts_with("not a usable WebAssembly component"), "{text}");
    assert!(compile(&[]).to_string().starts_with("not a usable"));
    let whole = bytes();
    assert!(compile(&whole[..whole.len() / 2]).to_string().starts_with("not a usable"));
    // An empty component: the header of layer 1 and no sections.
    let empty = compile(b"\0asm\x0d\0\x01\0").to_string();
    assert!(empty.contains("does not fit the contract"), "{empty}");
}

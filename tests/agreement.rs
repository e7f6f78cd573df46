//! The same random commands natively, through the component and over HTTP, against one
//! reference model: all four must agree on every decision and every event.

use crate::{
    component,
    harness::{
        Client, Server,
        memory::MemoryWorld,
        model::{Action, Command, Model, Outcome, Stock},
    },
};
use domain::{
    Context, DeficitScan, Event, Precondition, QUANTITY_MAX, StockKey, StockScan, World, commands,
};
use holdfast::{component::Guest, model};
use proptest::prelude::*;
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU32, Ordering},
};

fn quantities() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 1..20_u64, 1 => Just(QUANTITY_MAX), 1 => 1..=QUANTITY_MAX]
}

fn actions() -> impl Strategy<Value = Action> {
    prop_oneof![
        2 => (0..30_u64, proptest::option::of(0..12_u64))
            .prop_map(|(total, minimum)| Action::Set { total, minimum }),
        1 => Just(Action::Set { total: QUANTITY_MAX, minimum: None }),
        2 => prop_oneof![-15..0_i64, 1..15_i64].prop_map(|delta| Action::Adjust { delta }),
        1 => Just(Action::Adjust { delta: QUANTITY_MAX as i64 }),
        4 => quantities().prop_map(|quantity| Action::Reserve { quantity }),
        3 => quantities().prop_map(|quantity| Action::Release { quantity }),
    ]
}

fn commands() -> impl Strategy<Value = Command> {
    let products = prop_oneof![Just("a"), Just("b")];
    let locations = prop_oneof![3 => Just("default"), 1 => Just("north")];
    let versions = proptest::option::weighted(0.2, 1..6_u64);
    (products, locations, actions(), versions).prop_map(
        |(product, location, action, if_version)| Command {
            product: product.to_owned(),
            location: location.to_owned(),
            action,
            if_version,
        },
    )
}

/// The domain's own handlers over a map.
#[derive(Default)]
struct Native {
    stocks: BTreeMap<StockKey, domain::Stock>,
    events: Vec<&'static str>,
}

impl World for Native {
    fn stock(&mut self, key: &StockKey) -> Option<domain::Stock> {
        self.stocks.get(key).cloned()
    }

    fn scan_stocks(&mut self, _: StockScan) -> Vec<domain::Stock> {
        unreachable!("commands scan nothing")
    }

    fn scan_deficits(&mut self, _: DeficitScan) -> Vec<domain::Stock> {
        unreachable!("commands scan nothing")
    }

    fn save(&mut self, stock: domain::Stock) {
        self.stocks.insert(stock.key.clone(), stock);
    }

    fn publish(&mut self, events: Vec<Event>) {
        self.events.extend(events.iter().map(|event| match event {
            Event::InventoryAdjusted { .. } => "InventoryAdjusted",
            Event::InventoryReserved { .. } => "InventoryReserved",
            Event::InventoryReleased { .. } => "InventoryReleased",
            Event::LowStockDetected { .. } => "LowStockDetected",
            Event::LowStockResolved { .. } => "LowStockResolved",
        }));
    }
}

impl Native {
    fn execute(&mut self, command: &Command) -> Outcome {
        let precondition = command.if_version.map(|version| Precondition::VersionIn(vec![version]));
        let context = Context { now: 1, precondition };
        let key = (command.product.clone(), command.location.clone());
        let outcome = match command.action {
            Action::Set { total, minimum } => {
                commands::adjust_set(self, &context, key, total, minimum)
            }
            Action::Adjust { delta } => commands::adjust_by(self, &context, key, delta),
            Action::Reserve { quantity } => commands::reserve(self, &context, key, quantity),
            Action::Release { quantity } => commands::release(self, &context, key, quantity),
        };
        outcome
            .map(|outcome| {
                let level = outcome.stock.level();
                assert_eq!(level.reserved(), level.unattributed());
                let [total, reserved, minimum] =
                    [level.total(), level.reserved(), level.minimum()].map(domain::Quantity::get);
                (Stock { total, reserved, minimum, version: level.version() }, outcome.created)
            })
            .map_err(|rejection| rejection.code())
    }
}

/// Through wasmtime, over a map.
fn through_component(
    guest: &mut Guest<MemoryWorld>,
    command: &Command,
) -> Result<(Stock, bool), String> {
    let action = match command.action {
        Action::Set { total, minimum } => model::Action::AdjustSet { total, minimum },
        Action::Adjust { delta } => model::Action::AdjustBy { delta },
        Action::Reserve { quantity } => model::Action::Reserve { quantity },
        Action::Release { quantity } => model::Action::Release { quantity },
    };
    let precondition =
        command.if_version.map(|version| model::Precondition::VersionIn(vec![version]));
    let key = model::StockKey::parse(command.product.clone(), command.location.clone()).unwrap();
    let decision = guest.execute(&component::command(key, action, precondition), 1).unwrap();
    decision
        .map(|outcome| {
            let model::Level { total, reserved, minimum, version, .. } = outcome.view.stock.level;
            assert_eq!(outcome.view.available, total - reserved);
            let stock = Stock { total, reserved, minimum, version };
            assert_eq!(outcome.view.low, stock.low());
            (stock, outcome.created)
        })
        .map_err(|rejection| rejection.code)
}

/// Over HTTP, on products that no other case uses.
fn over_http(client: &mut Client, case: u32, command: &Command) -> Result<(Stock, bool), String> {
    let path = format!("/v1/inventory/{case}-{}", command.product);
    let location = &command.location;
    let (method, path, member) = match command.action {
        Action::Set { total, minimum } => {
            let minimum = minimum
                .map_or(String::new(), |units| format!(r#", "minimum_stock_level": {units}"#));
            ("PUT", path, format!(r#""total_quantity": {total}{minimum}"#))
        }
        Action::Adjust { delta } => ("POST", path + "/adjust", format!(r#""delta": {delta}"#)),
        Action::Reserve { quantity } => {
            ("POST", path + "/reserve", format!(r#""quantity": {quantity}"#))
        }
        Action::Release { quantity } => {
            ("POST", path + "/release", format!(r#""quantity": {quantity}"#))
        }
    };
    let body = format!(r#"{{{member}, "location_id": "{location}"}}"#);
    let tag = command.if_version.map(|version| format!("\"{version}\""));
    let headers: Vec<_> = tag.iter().map(|tag| ("if-match", tag.as_str())).collect();
    let reply = client.with(&headers, method, &path, &body);
    if reply.status >= 400 {
        return Err(reply.problem());
    }
    let json = reply.json();
    let number = |name: &str| json[name].as_u64().unwrap();
    let stock = Stock {
        total: number("total_quantity"),
        reserved: number("reserved_quantity"),
        minimum: number("minimum_stock_level"),
        version: number("version"),
    };
    assert_eq!(json["low_stock"], stock.low());
    assert_eq!(number("available_quantity"), stock.total - stock.reserved);
    assert_eq!(reply.header("etag"), format!("\"{}\"", stock.version));
    Ok((stock, reply.status == 201))
}

#[test]
fn model_native_component_and_http_agree() {
    static CASE: AtomicU32 = AtomicU32::new(0);
    let server = Server::start();
    let runtime =
        holdfast::component::Runtime::new(holdfast::component::Limits::default()).unwrap();
    let compiled = holdfast::component::Domain::compile(&runtime, &component::bytes()).unwrap();
    let config = ProptestConfig { cases: 64, ..ProptestConfig::default() };
    proptest!(config, |(sequence in proptest::collection::vec(commands(), 1..60))| {
        let case = CASE.fetch_add(1, Ordering::Relaxed);
        let mut client = server.client();
        let (mut reference, mut native) = (Model::default(), Native::default());
        let mut guest =
            Guest::new(&compiled, MemoryWorld::default()).map_err(|(fault, _)| fault).unwrap();
        for command in &sequence {
            let expected = reference.execute(command);
            prop_assert_eq!(native.execute(command), expected, "natively: {:?}", command);
            let expected = expected.map_err(str::to_owned);
            let decided = through_component(&mut guest, command);
            prop_assert_eq!(&decided, &expected, "through the component: {:?}", command);
            let decided = over_http(&mut client, case, command);
            prop_assert_eq!(&decided, &expected, "over HTTP: {:?}", command);
        }
        prop_assert_eq!(&native.events, &reference.events);
        prop_assert_eq!(guest.into_world().events.len(), reference.events.len());
        let mut served = Vec::new();
        for (product, location) in reference.stocks.keys() {
            let path = format!("/v1/inventory/{case}-{product}/events?location_id={location}&limit=500");
            served.extend(client.get(&path).json()["items"].as_array().unwrap().clone());
        }
        served.sort_by_key(|entry| entry["sequence"].as_u64());
        let served: Vec<_> = served.iter().map(|entry| entry["type"].as_str().unwrap()).collect();
        prop_assert_eq!(served, reference.events);
    });
}

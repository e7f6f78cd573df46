//! The reference model, the native domain, the component and the server get the same random
//! commands. All four must agree on every decision and every event.

use crate::{
    component,
    harness::{
        Server, guest,
        memory::MemoryWorld,
        model::Model,
        native::Native,
        over_http::{OverHttp, shown},
        random::commands,
    },
};
use holdfast::component::Guest;
use proptest::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering};

/// The host checks what a component does, so it knows these bounds itself.
#[test]
fn the_bounds_of_the_host_are_those_of_the_domain() {
    use holdfast::model;
    assert_eq!(model::LINES_MAX, domain::LINES_MAX);
    assert_eq!(model::TTL_SECONDS_MAX, domain::TTL_SECONDS_MAX);
    assert_eq!(model::PAGE_ITEMS_MAX, domain::PAGE_ITEMS_MAX);
    assert_eq!(model::QUANTITY_MAX, domain::QUANTITY_MAX);
    assert_eq!(model::ID_CHARACTERS_MAX, domain::ID_CHARACTERS_MAX);
}

#[test]
fn model_native_component_and_http_agree() {
    static CASE: AtomicU32 = AtomicU32::new(0);
    let server = Server::start();
    let runtime =
        holdfast::component::Runtime::new(holdfast::component::Limits::default()).unwrap();
    let compiled = holdfast::component::Domain::compile(&runtime, &component::bytes()).unwrap();
    let config =
        ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(sequence in commands(false))| {
        let case = CASE.fetch_add(1, Ordering::Relaxed);
        let mut client = server.client();
        let mut http = OverHttp { client: &mut client, case };
        let (mut reference, mut native) = (Model::default(), Native::default());
        let mut guest =
            Guest::new(&compiled, MemoryWorld::default()).map_err(|(fault, _)| fault).unwrap();
        for command in &sequence {
            let expected = reference.execute(command, 1);
            prop_assert_eq!(&native.execute(command, 1), &expected, "natively: {:?}", command);
            let expected = expected.map_err(str::to_owned);
            let decided;
            (guest, decided) = guest::execute(&compiled, guest, command, 1);
            prop_assert_eq!(&decided, &expected, "through the component: {:?}", command);
            let decided = http.execute(command);
            prop_assert_eq!(decided, expected.map(shown), "over HTTP: {:?}", command);
        }
        prop_assert_eq!(guest.into_world().events.len(), native.events.len());
        let served = events_of(&mut client, case);
        prop_assert_eq!(served, native.events);
    });
}

/// The types of this case's events in the whole log, in order. The ids of a case begin with its
/// number.
fn events_of(client: &mut crate::harness::Client, case: u32) -> Vec<String> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = client.get(&format!("/v1/events?limit=500{cursor}")).json();
        for entry in page["items"].as_array().unwrap() {
            let about = [&entry["product_id"], &entry["reservation_id"]];
            let prefix = format!("{case}-");
            if about.iter().any(|id| id.as_str().is_some_and(|id| id.starts_with(&prefix))) {
                found.push(entry["type"].as_str().unwrap().to_owned());
            }
        }
        let Some(next) = page["next_cursor"].as_str() else { return found };
        cursor = format!("&cursor={next}");
    }
}

//! Outside tools work with `/openapi.json`: generators of clients, and a fuzzer.

mod document;

use crate::{
    harness::{Client, Server, guests::twin, tools},
    swap::{self, TOKEN, with_admin},
};
use holdfast::component::EMBEDDED;
use serde_json::json;
use std::{collections::BTreeSet, ffi::OsStr, fs};

/// Runs a script with the path of the served document, the server's URL and further arguments.
fn run(script: &str, server: &Server, more: &[&str]) -> Option<String> {
    let document = server.folder().path().join("openapi.json");
    let served = server.client().get("/openapi.json");
    assert_eq!(served.status, 200, "{served:?}");
    fs::write(&document, served.text).unwrap();
    let url = format!("http://127.0.0.1:{}", server.port());
    let mut arguments = vec![document.as_os_str(), OsStr::new(&url)];
    arguments.extend(more.iter().map(OsStr::new));
    tools::run_with(script, &arguments)
}

/// The output of the session, which is the same through the generated client of each language.
const SESSION: &str = "\
set sku-1: 201, 10 available
hold cart-1: 201, held
hold cart-2: 409, insufficient-stock, 7 requested, 6 available
confirm cart-1: 200, confirmed
fulfill cart-1: 200, fulfilled
stocks: sku-1 6 of 6
reservations: cart-1 fulfilled
batch: 201 200 409 insufficient-stock
batch refused: 409, insufficient-stock, command 1
batch refused: 400, invalid-request, /commands/0/quantity
";

#[test]
fn a_client_generated_for_typescript_compiles_and_works() {
    let server = Server::start();
    if let Some(printed) = run("tests/interface/typescript/run.sh", &server, &[]) {
        assert_eq!(printed, SESSION);
    }
}

#[test]
fn a_client_generated_for_python_works() {
    let server = Server::start();
    if let Some(printed) = run("tests/interface/python/run.sh", &server, &[]) {
        assert_eq!(printed, SESSION);
    }
}

/// Puts stocks, reservations and a recorded history into the server: what most of the generated
/// commands are about (`fuzz/schemathesis.toml`).
fn fill(client: &mut Client) {
    for (product, location) in
        ["sku-1", "sku-2", "sku-3"].iter().flat_map(|it| [(it, "default"), (it, "north")])
    {
        let body = json!({"location_id": location, "total_quantity": 1_000_000,
            "minimum_stock_level": 10});
        let path = format!("/v1/inventory/{product}");
        assert_eq!(client.call("PUT", &path, &body.to_string()).status, 201);
    }
    for number in 1..=7 {
        let line = |product| json!({"product_id": product, "quantity": 10});
        let body = json!({"reservation_id": format!("order-{number}"), "ttl_seconds": null,
            "lines": [line("sku-1"), line("sku-2")]});
        assert_eq!(client.post("/v1/reservations", &body.to_string()).status, 201);
    }
}

#[test]
fn the_server_does_what_its_document_says_and_refuses_the_rest() {
    let server = with_admin(&["--recorded-commands-max", "10000"]);
    let mut client = server.client();
    fill(&mut client);
    let filled = swap::log(&mut client).len();
    let component = server.folder().path().join("component.wasm");
    fs::write(&component, twin(EMBEDDED, "fuzz")).unwrap();
    let more = [TOKEN, component.to_str().unwrap()];
    let Some(printed) = run("tests/interface/fuzz/run.sh", &server, &more) else { return };
    assert!(printed.contains("Test cases:"), "{printed}");
    let mut client = server.client();
    assert_eq!(client.get("/health/ready").status, 200, "the server still serves");
    let log = swap::log(&mut client);
    let kinds: BTreeSet<_> = log.iter().map(|entry| entry["type"].as_str().unwrap()).collect();
    assert!(log.len() > filled + 50 && kinds.len() > 10, "few commands were accepted: {kinds:?}");
}

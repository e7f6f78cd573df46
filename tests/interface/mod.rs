//! Outside tools work with `/openapi.json`: generators of clients, and a fuzzer.

mod document;

use crate::{
    harness::{Server, tools},
    swap::{AUTHORIZATION, TOKEN},
};
use std::{ffi::OsStr, fs};

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

#[test]
#[ignore = "the patterns of If-Match and the answers of the admin routes are still to be settled"]
fn the_server_does_what_its_document_says_and_refuses_the_rest() {
    let server = Server::start_with(&["--admin-token", TOKEN]);
    let authorization = format!("authorization: {AUTHORIZATION}");
    if let Some(printed) = run("tests/interface/fuzz/run.sh", &server, &[&authorization]) {
        assert!(printed.contains("Test cases:"), "{printed}");
    }
    assert_eq!(server.client().get("/health/ready").status, 200, "the server still serves");
}

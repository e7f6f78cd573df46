//! Swaps of the component while the server runs.

use crate::harness::{
    Client, Server, eventually,
    guests::{self, twin},
};
use holdfast::{component::EMBEDDED, model::Digest};
use serde_json::Value;
use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

pub const TOKEN: &str = "a-token-for-the-tests";
pub const AUTHORIZATION: &str = "Bearer a-token-for-the-tests";

/// A token that is not the admin token.
const OTHER_TOKEN: &str = "another-token-for-the-tests";

/// The challenge to a request without a bearer token.
const NO_TOKEN: &str = "Bearer realm=\"holdfast admin\"";

/// The challenge to a request with a wrong bearer token.
const WRONG_TOKEN: &str = "Bearer realm=\"holdfast admin\", error=\"invalid_token\"";

/// A component with the same behaviour and another digest.
fn other() -> Vec<u8> {
    twin(EMBEDDED, "other")
}

pub fn with_admin(more: &[&str]) -> Server {
    guests::prepare();
    Server::start_with(&[&["--admin-token", TOKEN], more].concat())
}

pub fn admin(client: &mut Client, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
    let headers = [("authorization", AUTHORIZATION)];
    let reply = client.try_call(method, path, &headers, body).expect("an answer");
    (reply.status, reply.json())
}

pub fn swap(client: &mut Client, component: &[u8]) -> (u16, Value) {
    admin(client, "PUT", "/v1/admin/domain", component)
}

/// Every entry of the log.
pub fn log(client: &mut Client) -> Vec<Value> {
    let (mut entries, mut from) = (Vec::new(), 1);
    loop {
        let page = client.get(&format!("/v1/events?limit=500&from_sequence={from}")).json();
        let items = page["items"].as_array().expect("items").clone();
        let Some(last) = items.last() else { return entries };
        from = last["sequence"].as_u64().unwrap() + 1;
        entries.extend(items);
    }
}

/// Checks that each entry names the component that decided it, and that each swap names the
/// component before.
fn check_components(entries: &[Value], first: &str) {
    let mut current = first.to_owned();
    for (index, entry) in entries.iter().enumerate() {
        assert_eq!(entry["sequence"], index as u64 + 1, "no gap");
        if entry["type"] == "DomainSwapped" || entry["type"] == "DomainRolledBack" {
            assert_eq!(entry["from"]["component"], current.as_str(), "{entry}");
            current = entry["to"]["component"].as_str().unwrap().to_owned();
        }
        assert_eq!(entry["component"], current.as_str(), "{entry}");
    }
}

#[test]
fn admin_routes_need_the_token_and_do_not_exist_without_one() {
    let server = with_admin(&[]);
    let mut client = server.client();
    for (given, challenge) in
        [("", NO_TOKEN), ("Basic a-token-for-the-tests", NO_TOKEN), ("Bearer wrong", WRONG_TOKEN)]
    {
        let reply = client.with(&[("authorization", given)], "GET", "/v1/admin/domain", "");
        assert_eq!((reply.status, reply.problem().as_str()), (401, "unauthenticated"));
        assert_eq!(reply.header("www-authenticate"), challenge, "{given}");
    }
    assert_eq!(admin(&mut client, "GET", "/v1/admin/domain", b"").0, 200);
    let without = Server::start_with(&[]);
    let (status, body) = admin(&mut without.client(), "GET", "/v1/admin/domain", b"");
    assert_eq!((status, &body["code"]), (404, &"route-not-found".into()));
    let (_, printed, _) = Server::run(server.folder().path(), &["config", "--admin-token", TOKEN]);
    assert!(!printed.contains(TOKEN) && printed.contains("admin_token = (set, not shown)"));
}

/// Each operation of the document that names the token, and no other under `/v1/admin`.
#[test]
fn every_route_that_needs_the_token_asks_for_it() {
    let server = with_admin(&[]);
    let mut client = server.client();
    let document = client.get("/openapi.json").json();
    let mut asked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            assert_eq!(operation["security"].is_array(), path.starts_with("/v1/admin/"), "{path}");
            if operation["security"].is_array() {
                let path = path.replace("{sequence}", "1");
                let reply = client.call(&method.to_uppercase(), &path, "");
                assert_eq!(reply.status, 401, "{method} {path}: {reply:?}");
                assert_eq!(reply.header("www-authenticate"), NO_TOKEN, "{method} {path}");
                asked += 1;
            }
        }
    }
    assert!(asked >= 11, "{asked}");
}

#[test]
fn the_command_line_says_that_its_token_is_wrong() {
    let server = with_admin(&[]);
    let port = server.port().to_string();
    let arguments = ["domain", "rollback", "--port", &port, "--admin-token", OTHER_TOKEN];
    let (status, _, errors) = Server::run(server.folder().path(), &arguments);
    assert!(!status.success() && errors.contains("401 Unauthorized"), "{errors}");
    assert!(errors.contains("not the admin token (ADMIN_TOKEN)"), "{errors}");
}

#[test]
fn a_swap_is_examined_logged_and_can_be_rolled_back() {
    let server = with_admin(&[]);
    let mut client = server.client();
    client.stock("a", 10, 0);
    let (embedded, swapped) = (Digest::of(EMBEDDED).to_string(), Digest::of(&other()).to_string());

    let (status, report) = swap(&mut client, &other());
    assert_eq!(status, 200, "{report}");
    let steps: Vec<_> =
        report["steps"].as_array().unwrap().iter().map(|it| it["step"].clone()).collect();
    assert_eq!(steps, ["size", "digest", "compile", "contract", "call", "self-check"]);
    assert_eq!(report["swapped"]["to"], swapped.as_str());
    assert_eq!(client.reserve("a", 1).status, 200);
    let (_, again) = swap(&mut client, &other());
    assert_eq!(again["swapped"], Value::Null, "the component decides already");

    let (_, domain) = admin(&mut client, "GET", "/v1/admin/domain", b"");
    assert_eq!(domain["current"], swapped.as_str());
    assert_eq!(domain["previous"], embedded.as_str());
    assert_eq!(domain["components"].as_array().unwrap().len(), 2);
    let rollback = "/v1/admin/domain/rollback?reason=enough";
    let (status, back) = admin(&mut client, "POST", rollback, b"");
    assert_eq!((status, &back["to"]), (200, &embedded.as_str().into()));
    assert_eq!(client.reserve("a", 1).status, 200);

    let entries = log(&mut client);
    check_components(&entries, &embedded);
    let kinds: Vec<_> = entries.iter().map(|entry| entry["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "InventoryAdjusted",
            "DomainSwapped",
            "InventoryReserved",
            "DomainRolledBack",
            "InventoryReserved"
        ]
    );
    assert_eq!((&entries[3]["reason"], &entries[3]["caller"]), (&"enough".into(), &"admin".into()));
    let swaps = client.get("/v1/events?type=DomainSwapped").json();
    assert_eq!(swaps["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_refused_component_changes_nothing_and_each_step_is_reported() {
    let server = with_admin(&["--component-bytes-max", "1000000"]);
    let mut client = server.client();
    client.stock("a", 10, 0);
    let truncated = &EMBEDDED[..EMBEDDED.len() / 2];
    for (component, step) in
        [(&b"hello"[..], "compile"), (truncated, "compile"), (b"\0asm\x0d\0\x01\0", "contract")]
    {
        let (status, problem) = swap(&mut client, component);
        assert_eq!((status, &problem["code"]), (422, &"component-refused".into()), "{problem}");
        let last = problem["steps"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&last["step"], &last["passed"]), (&step.into(), &false.into()));
    }
    let path = format!("/v1/admin/domain?digest={}", "0".repeat(64));
    let (status, problem) = admin(&mut client, "PUT", &path, EMBEDDED);
    assert_eq!((status, problem["steps"][1]["step"].as_str()), (422, Some("digest")));
    // A body of 500 MB is refused before it is read.
    let mut other = server.client();
    let head = format!(
        "PUT /v1/admin/domain HTTP/1.1\r\nhost: t\r\nauthorization: {AUTHORIZATION}\r\n\
         content-length: 500000000\r\n\r\n"
    );
    other.send(head.as_bytes()).unwrap();
    assert_eq!(other.receive().unwrap().problem(), "body-too-large");
    let rollback = admin(&mut client, "POST", "/v1/admin/domain/rollback", b"");
    assert_eq!((rollback.0, &rollback.1["code"]), (409, &"no-component".into()));
    assert_eq!(log(&mut client).len(), 1, "the refused components are not in the log");
    assert_eq!(client.reserve("a", 1).status, 200);
}

#[test]
fn a_swap_outlives_the_process_and_a_damaged_cache_is_no_error() {
    let server = with_admin(&[]);
    let mut client = server.client();
    client.stock("a", 10, 0);
    assert_eq!(swap(&mut client, &other()).0, 200);
    let folder = server.kill();
    let components = folder.path().join("data/components");
    let compiled = |name: &fs::DirEntry| name.path().extension().is_some_and(|it| it == "compiled");
    let files = fs::read_dir(&components).unwrap().map(Result::unwrap).filter(compiled);
    for (index, file) in files.enumerate() {
        let mut bytes = fs::read(file.path()).unwrap();
        match index {
            0 => bytes.truncate(100),
            _ => {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            }
        }
        fs::write(file.path(), bytes).unwrap();
    }
    let server = Server::start_in(&folder, &["--admin-token", TOKEN]);
    let mut client = server.client();
    let (_, domain) = admin(&mut client, "GET", "/v1/admin/domain", b"");
    assert_eq!(domain["current"], Digest::of(&other()).to_string());
    assert_eq!(client.reserve("a", 1).status, 200);
    assert_eq!(admin(&mut client, "POST", "/v1/admin/domain/rollback", b"").0, 200);
    assert!(server.log().contains("compiled code is damaged"), "{}", server.log());
    check_components(&log(&mut client), &Digest::of(EMBEDDED).to_string());

    // The library lacks the component that decides, but the program embeds that component.
    let folder = server.kill();
    fs::remove_file(components.join(format!("{}.wasm", Digest::of(EMBEDDED)))).unwrap();
    let server = Server::start_in(&folder, &[]);
    assert_eq!(server.client().reserve("a", 1).status, 200, "the embedded component decides");
}

#[test]
fn swaps_back_and_forth_fail_no_request() {
    let server = with_admin(&[]);
    server.client().stock("a", 1_000_000_000, 0);
    let (done, failed, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let mut client = server.client();
                while !stop.load(Ordering::Relaxed) {
                    let (reserve, read) = (client.reserve("a", 1), client.get("/v1/inventory/a"));
                    let well = reserve.status == 200 && read.status == 200;
                    if well { &done } else { &failed }.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let mut client = server.client();
        for round in 0..20 {
            let component = if round % 2 == 0 { other() } else { EMBEDDED.to_vec() };
            let (status, report) = swap(&mut client, &component);
            assert_eq!(status, 200, "{report}");
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(failed.load(Ordering::Relaxed), 0);
    let mut client = server.client();
    let stock = client.get("/v1/inventory/a").json();
    assert_eq!(stock["reserved_quantity"], done.load(Ordering::Relaxed));
    let entries = log(&mut client);
    let swaps = entries.iter().filter(|entry| entry["type"] == "DomainSwapped").count();
    assert_eq!(swaps, 20);
    check_components(&entries, &Digest::of(EMBEDDED).to_string());
}

#[test]
fn a_watched_file_is_swapped_in_when_it_changes_and_a_bad_one_is_not() {
    let folder = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let file = folder.path().join("domain.wasm");
    fs::write(&file, EMBEDDED).unwrap();
    let arguments = ["--component", "domain.wasm", "--watch", "--admin-token", TOKEN];
    let server = Server::start_in(&folder, &arguments);
    let mut client = server.client();
    let mut current =
        move || admin(&mut client, "GET", "/v1/admin/domain", b"").1["current"].clone();
    fs::write(&file, other()).unwrap();
    eventually("the new file decides", || current() == Digest::of(&other()).to_string());
    fs::write(&file, "rubbish").unwrap();
    eventually("the bad file is refused", || server.log().contains("not swapped in"));
    assert_eq!(current(), Digest::of(&other()).to_string());
}

#[test]
fn the_command_line_swaps_on_the_running_server() {
    let server = with_admin(&[]);
    server.client().stock("a", 10, 0);
    let folder = server.folder().path().to_owned();
    fs::write(folder.join("other.wasm"), other()).unwrap();
    let port = server.port().to_string();
    let run = |arguments: &[&str]| {
        let at = ["--port", &port, "--admin-token", TOKEN];
        Server::run(&folder, &[&["domain"], arguments, &at].concat())
    };
    let (status, output, errors) = run(&["swap", "other.wasm", "--reason", "a trial"]);
    assert!(status.success() && output.contains("self-check"), "{output}{errors}");
    let (_, output, _) = run(&["status"]);
    assert!(output.contains(&Digest::of(&other()).to_string()), "{output}");
    assert!(run(&["rollback"]).0.success());
    fs::write(folder.join("bad.wasm"), "rubbish").unwrap();
    let (status, _, errors) = run(&["swap", "bad.wasm"]);
    assert!(!status.success() && errors.contains("the component is refused"), "{errors}");
    let (status, _, errors) = Server::run(&folder, &["domain", "status", "--port", &port]);
    assert!(!status.success() && errors.contains("ADMIN_TOKEN"), "{errors}");
}

#[test]
fn a_shadow_is_compared_without_effect_and_can_be_promoted() {
    let server = with_admin(&[]);
    let mut client = server.client();
    client.stock("a", 1_000, 0);
    let shadow = "/v1/admin/domain/shadow";
    assert_eq!(admin(&mut client, "GET", shadow, b"").0, 409, "there is none yet");
    // The hostile component misbehaves only where a command has a reference.
    assert_eq!(admin(&mut client, "PUT", shadow, &guests::hostile()).0, 200);
    for _ in 0..10 {
        assert_eq!(client.reserve("a", 1).status, 200);
    }
    let body = r#"{"quantity": 1, "reference": "panic"}"#;
    assert_eq!(
        client.post("/v1/inventory/a/reserve", body).status,
        200,
        "the shadow does not affect the answer"
    );
    let (_, report) = admin(&mut client, "GET", shadow, b"");
    assert_eq!((&report["compared"], &report["differing"]), (&11.into(), &1.into()), "{report}");
    assert_eq!(report["counts"][0]["candidate"], "fault");
    assert_eq!(report["differences"][0]["command"]["action"]["quantity"], 1);
    assert_eq!(client.get("/v1/inventory/a").json()["reserved_quantity"], 11);

    assert_eq!(admin(&mut client, "PUT", shadow, &other()).0, 200);
    client.reserve("a", 1);
    let (_, report) = admin(&mut client, "GET", shadow, b"");
    assert_eq!((&report["compared"], &report["differing"]), (&1.into(), &0.into()));
    let (status, swapped) = admin(&mut client, "POST", &format!("{shadow}/promote"), b"");
    assert_eq!(status, 200, "{swapped}");
    assert_eq!(swapped["swapped"]["to"], Digest::of(&other()).to_string());
    assert_eq!(admin(&mut client, "POST", &format!("{shadow}/promote"), b"").0, 409);
}

//! The caller's name that a trusted proxy passes on reaches the rules, the events, the scope of
//! idempotency keys and the log.

use crate::{
    harness::{Client, Reply, Server, eventually, guests::per_caller_limit},
    swap::{self, swap, with_admin},
};

const PROXIED: [&str; 4] =
    ["--trusted-caller-header", "X-Caller", "--trusted-proxies", "127.0.0.1,10.0.0.0/8"];

const RESERVE: &str = "/v1/inventory/a/reserve";

/// Reserves units with this caller's name in the proxy's header.
fn reserve(client: &mut Client, caller: &str, quantity: u64) -> Reply {
    let body = format!(r#"{{"quantity": {quantity}}}"#);
    client.with(&[("x-caller", caller)], "POST", RESERVE, &body)
}

#[test]
fn a_limit_per_caller_decides_over_http() {
    let server = with_admin(&PROXIED);
    let mut client = server.client();
    client.stock("a", 100, 0);
    assert_eq!(swap(&mut client, &per_caller_limit()).0, 200);
    assert_eq!(reserve(&mut client, "web-7", 5).status, 200);
    let refused = reserve(&mut client, "web-7", 6);
    assert_eq!((refused.status, refused.problem().as_str()), (409, "caller-limit"));
    assert_eq!(reserve(&mut client, "partner-1", 50).status, 200);
    assert_eq!(reserve(&mut client, "office", 6).status, 200, "the office has no limit");
    assert_eq!(client.reserve("a", 6).status, 200, "nor who is not named");
    let batch = r#"{"mode": "independent", "commands": [
        {"type": "reserve", "product_id": "a", "quantity": 6},
        {"type": "hold", "lines": [{"product_id": "a", "quantity": 5}]}]}"#;
    let results = client.with(&[("x-caller", "web-7")], "POST", "/v1/batch", batch).json();
    assert_eq!(results["results"][0]["problem"]["code"], "caller-limit");
    assert_eq!(results["results"][1]["status"], 201);
}

#[test]
fn events_name_the_caller_and_so_does_the_log() {
    let server = Server::start_with(&[&PROXIED[..], &["--log-level", "debug"]].concat());
    let mut client = server.client();
    client.stock("a", 10, 0);
    reserve(&mut client, "web-7", 1);
    let events = swap::log(&mut client);
    assert_eq!(events[0]["caller"], "anonymous");
    assert_eq!(events[1]["caller"], "web-7");
    eventually("the request is logged", || server.log().contains(r#""caller":"web-7""#));
    assert!(server.log().contains(r#""caller":"anonymous""#));
}

#[test]
fn keys_belong_to_the_caller_who_sends_them() {
    let server = Server::start_with(&PROXIED);
    let mut client = server.client();
    client.stock("a", 10, 0);
    let mut keyed = |caller: &str, quantity: u64| {
        let headers = [("x-caller", caller), ("idempotency-key", "k")];
        client.with(&headers, "POST", RESERVE, &format!(r#"{{"quantity": {quantity}}}"#))
    };
    assert_eq!(keyed("web-7", 1).status, 200);
    let other = keyed("web-8", 2);
    assert_eq!((other.status, other.header("idempotent-replayed")), (200, ""));
    assert_eq!(keyed("web-7", 1).header("idempotent-replayed"), "true");
    assert_eq!(keyed("web-7", 2).status, 422, "the same caller's key for another request");
    assert_eq!(client.get("/v1/inventory/a").json()["reserved_quantity"], 3);
}

#[test]
fn only_a_trusted_proxy_can_name_a_caller() {
    let server = Server::start_with(&[
        "--trusted-caller-header",
        "x-caller",
        "--trusted-proxies",
        "10.0.0.0/8",
    ]);
    let mut client = server.client();
    client.stock("a", 10, 0);
    assert_eq!(reserve(&mut client, "web-7", 1).status, 200);
    assert_eq!(reserve(&mut client, "not a name", 1).status, 200, "the header is ignored");
    assert!(swap::log(&mut client).iter().all(|event| event["caller"] == "anonymous"));
}

#[test]
fn an_invalid_caller_name_is_refused() {
    let server = Server::start_with(&PROXIED);
    let mut client = server.client();
    client.stock("a", 10, 0);
    assert_eq!(reserve(&mut client, "a b", 1).pointers(), ["/x-caller"]);
    let twice = [("x-caller", "a"), ("x-caller", "b")];
    assert_eq!(client.with(&twice, "GET", "/v1/inventory/a", "").pointers(), ["/x-caller"]);
    assert_eq!(client.with(&twice, "GET", "/health/live", "").status, 200);
}

#[test]
fn a_proxied_caller_is_not_taken_for_the_operator_nor_for_nobody() {
    let server = with_admin(&PROXIED);
    let mut client = server.client();
    client.stock("a", 10, 0);
    for name in ["admin", "anonymous"] {
        let refused = reserve(&mut client, name, 1);
        assert_eq!((refused.status, refused.problem().as_str()), (400, "invalid-request"));
        assert_eq!(refused.pointers(), ["/x-caller"]);
        let detail = refused.json()["errors"][0]["detail"].as_str().unwrap().to_owned();
        assert!(
            detail.starts_with(&format!("must not be {name}: the name is reserved")),
            "{detail}"
        );
        let read = client.with(&[("x-caller", name)], "GET", "/v1/inventory/a", "");
        assert_eq!(read.status, 400, "a query has a caller too");
    }
    assert_eq!(reserve(&mut client, "admin-2", 1).status, 200);
    assert_eq!(swap::admin(&mut client, "POST", "/v1/admin/clock/accept", b"").0, 200);
    let callers: Vec<_> =
        swap::log(&mut client).iter().map(|event| event["caller"].clone()).collect();
    assert_eq!(callers, ["anonymous", "admin-2"], "nobody but an operator is `admin`");
}

//! Input that is wrong in any way gets a clear answer, never a 500, and changes nothing.

use crate::harness::{Server, eventually};
use std::io::ErrorKind;

#[test]
fn bodies_that_are_no_json_objects_are_refused() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 10, 0);
    let deep = "[".repeat(100_000);
    for body in ["", "{", "nonsense", "[]", "3", "null", "\"x\"", "{} {}", "{'quantity': 1}", &deep]
    {
        let reply = client.post("/v1/inventory/a/reserve", body);
        assert_eq!(reply.pointers().last().map(String::as_str), Some(""), "{body:.20}");
    }
    let path = "/v1/inventory/a/reserve";
    let latin =
        client.try_call("POST", path, &[], b"{\"quantity\": 1, \"reference\": \"\xe4\"}").unwrap();
    assert_eq!(latin.pointers(), [""]);
    assert_eq!(client.get("/v1/inventory/a").json()["version"], 1);
}

#[test]
fn every_invalid_member_is_named() {
    let server = Server::start();
    let mut client = server.client();
    for (body, pointers) in [
        (r#"{"quantity": 0}"#, vec!["/quantity"]),
        (r#"{"quantity": -1}"#, vec!["/quantity"]),
        (r#"{"quantity": 1.5}"#, vec!["/quantity"]),
        (r#"{"quantity": 1e12}"#, vec!["/quantity"]),
        (r#"{"quantity": 1000000000000}"#, vec!["/quantity"]),
        (r#"{"quantity": 18446744073709551616}"#, vec!["/quantity"]),
        (r#"{"quantity": "1"}"#, vec!["/quantity"]),
        (r#"{"quantity": null}"#, vec!["/quantity"]),
        (r#"{"quantity": 1, "quantity": 1}"#, vec!["/quantity"]),
        (r#"{}"#, vec!["/quantity"]),
        (r#"{"quantity": 1, "cause": "no such member"}"#, vec!["/cause"]),
        (r#"{"quantity": 1, "location_id": ""}"#, vec!["/location_id"]),
        (
            r#"{"quantity": true, "reference": 5, "location_id": [], "x": {}}"#,
            vec!["/quantity", "/reference", "/location_id", "/x"],
        ),
    ] {
        assert_eq!(client.post("/v1/inventory/a/reserve", body).pointers(), pointers, "{body}");
    }
    let put = client.call(
        "PUT",
        "/v1/inventory/a",
        r#"{"total_quantity": -1, "minimum_stock_level": 0.5}"#,
    );
    assert_eq!(put.pointers(), ["/total_quantity", "/minimum_stock_level"]);
    let adjust = client.post("/v1/inventory/a/adjust", r#"{"delta": 0}"#);
    assert_eq!(adjust.pointers(), ["/delta"]);
}

#[test]
fn ids_and_parameters_are_checked_too() {
    let server = Server::start();
    let mut client = server.client();
    let long = "x".repeat(129);
    for id in ["a%20b", "%C3%A4", "%FF", "%00", "query", "low-stock", &long] {
        let path = format!("/v1/inventory/{id}/reserve");
        assert_eq!(client.post(&path, r#"{"quantity": 1}"#).pointers(), ["/product_id"], "{id}");
    }
    // Violations in all parts of a request are told at once.
    let all = client.with(
        &[("if-match", "5")],
        "POST",
        "/v1/inventory/%20/reserve?dry=1",
        r#"{"quantity": 0}"#,
    );
    assert_eq!(all.pointers(), ["/product_id", "/if-match", "/dry", "/quantity"]);
    for query in [
        "limit=0",
        "limit=501",
        "limit=x",
        "low_stock=maybe",
        "cursor=!",
        "colour=red",
        "limit=1&limit=2",
    ] {
        assert_eq!(client.get(&format!("/v1/inventory?{query}")).status, 400, "{query}");
    }
    let keys: Vec<_> = (0..501).map(|i| format!(r#"{{"product_id": "p{i}"}}"#)).collect();
    let body = format!(r#"{{"keys": [{}]}}"#, keys.join(","));
    assert_eq!(client.post("/v1/inventory/query", &body).pointers(), ["/keys"]);
    assert_eq!(
        client.post("/v1/inventory/query", r#"{"keys": [{"product_id": "query"}]}"#).pointers(),
        ["/keys/0/product_id"]
    );
}

#[test]
fn unknown_routes_methods_and_media_types_are_problems() {
    let server = Server::start();
    let mut client = server.client();
    assert_eq!(client.get("/v2/inventory").problem(), "route-not-found");
    assert_eq!(client.get("/").problem(), "route-not-found");
    let method = client.call("DELETE", "/v1/inventory/a", "");
    assert_eq!((method.status, method.problem().as_str()), (405, "method-not-allowed"));
    assert!(method.header("allow").contains("PUT"), "{method:?}");
    let path = "/v1/inventory/a/reserve";
    let form = client.with(
        &[("content-type", "application/x-www-form-urlencoded")],
        "POST",
        path,
        "quantity=1",
    );
    assert_eq!((form.status, form.problem().as_str()), (415, "unsupported-media-type"));
    let json = client.with(
        &[("content-type", "application/json; charset=utf-8")],
        "POST",
        path,
        r#"{"quantity": 1}"#,
    );
    assert_eq!(json.status, 404, "understood");
}

#[test]
fn a_body_of_100_megabytes_is_refused_before_it_is_read() {
    let server = Server::start();
    let mut client = server.client();
    client
        .send(b"PUT /v1/inventory/a HTTP/1.1\r\nhost: x\r\ncontent-length: 104857600\r\n\r\n")
        .unwrap();
    let reply = client.receive().unwrap();
    assert_eq!((reply.status, reply.problem().as_str()), (413, "body-too-large"));
    assert_eq!(reply.json()["limit"], 1_048_576);
    // A body without a content-length is cut off at the limit.
    let mut client = server.client();
    client
        .send(b"PUT /v1/inventory/a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        .unwrap();
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 65_536], b"\r\n"].concat();
    for _ in 0..32 {
        // The server may close the connection as soon as the limit is passed.
        match client.send(&chunk) {
            Ok(()) => {}
            Err(error)
                if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) =>
            {
                break;
            }
            Err(error) => panic!("{error}"),
        }
    }
    if let Ok(reply) = client.receive() {
        assert_eq!(reply.status, 413);
    }
    assert_eq!(server.client().get("/health/ready").status, 200);
}

#[test]
fn slow_senders_are_cut_off_and_told_why() {
    let server = Server::start_with(&["--request-timeout-ms", "300", "--header-timeout-ms", "300"]);
    let mut slow_body = server.client();
    slow_body
        .send(b"POST /v1/inventory/a/reserve HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
        .unwrap();
    let reply = slow_body.receive().unwrap();
    assert_eq!((reply.status, reply.problem().as_str()), (408, "request-timeout"));
    let mut slow_head = server.client();
    slow_head.send(b"GET /health/live HTTP/1.1\r\nhost").unwrap();
    let ended = slow_head.receive();
    assert!(ended.is_err() || ended.unwrap().status == 408, "closed");
}

#[test]
fn nonsense_on_the_wire_affects_no_other_client() {
    let server = Server::start();
    let mut honest = server.client();
    honest.stock("a", 100, 0);
    for nonsense in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01".as_slice(),
        b"GET\r\n\r\n",
        b"POST /v1/inventory/a/reserve HTTP/1.1\r\ncontent-length: -5\r\n\r\n",
        b"POST /v1/inventory/a/reserve HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 7\r\n\r\n{}   ",
        b"POST /v1/inventory/a/reserve HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
        b"GET /v1/inventory/%ff%fe HTTP/1.1\r\nhost: x\r\n\r\n",
        &[0; 70_000],
    ] {
        let mut client = server.client();
        let _ = client.send(nonsense);
        drop(client);
    }
    assert_eq!(honest.reserve("a", 1).status, 200);
    assert!(!server.log().contains("panicked"));
}

#[test]
fn a_head_that_leaves_the_host_or_the_framing_open_is_refused() {
    let server = Server::start();
    server.client().stock("a", 10, 0);
    let chunked = "transfer-encoding: chunked\r\n";
    for (headers, pointer) in [
        ("content-length: 13\r\n".to_owned(), "/host"),
        ("host: a\r\nhost: b\r\ncontent-length: 13\r\n".to_owned(), "/host"),
        (format!("host: a\r\n{chunked}{chunked}"), "/transfer-encoding"),
        ("host: a\r\ntransfer-encoding: gzip, chunked\r\n".to_owned(), "/transfer-encoding"),
    ] {
        let body = if headers.contains("chunked") {
            "d\r\n{\"quantity\":1}\r\n0\r\n\r\n"
        } else {
            "{\"quantity\":1}"
        };
        let mut client = server.client();
        let request = format!("POST /v1/inventory/a/reserve HTTP/1.1\r\n{headers}\r\n{body}");
        client.send(request.as_bytes()).unwrap();
        let reply = client.receive().unwrap();
        assert_eq!(reply.pointers(), [pointer], "{headers}");
        assert_eq!(reply.header("connection"), "close");
    }
    let mut client = server.client();
    client.send(b"GET /v1/inventory/a HTTP/1.0\r\n\r\n").unwrap();
    assert_eq!(client.receive().unwrap().json()["version"], 1, "nothing was carried out");
}

#[test]
fn a_client_that_hangs_up_leaves_no_command_behind() {
    let server = Server::start();
    let mut honest = server.client();
    honest.stock("a", 1_000, 0);
    for _ in 0..100 {
        let mut client = server.client();
        client
            .send(b"POST /v1/inventory/a/reserve HTTP/1.1\r\nhost: x\r\ncontent-length: 13\r\n\r\n{\"quantity\":1}")
            .unwrap();
        drop(client);
    }
    eventually("nothing is left waiting", || {
        honest.get("/health/ready").json()["waiting_commands"] == 0
    });
    let stock = honest.get("/v1/inventory/a").json();
    assert_eq!(
        stock["reserved_quantity"].as_u64().unwrap() + 1,
        stock["version"].as_u64().unwrap()
    );
}

//! How connections end: by the client, by the reaper and by a server that stops.

use super::{RESERVE, connect_narrow, deaf, figure, is_closed, many_stocks, server};
use crate::harness::eventually;
use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
};

#[test]
fn stopping_waits_neither_for_the_idle_nor_for_those_that_do_not_read() {
    let mut server = server(&[("DRAIN_TIMEOUT_MS", "600000"), ("WRITE_TIMEOUT_MS", "300")]);
    many_stocks(&server);
    let mut used = server.client();
    assert_eq!(used.get("/health/live").status, 200);
    let _silent = server.client();
    let _head = {
        let mut client = server.client();
        client.send(b"GET /health/live HTTP/1.1\r\n").unwrap();
        client
    };
    let _deaf: Vec<_> = (0..3).map(|_| deaf(&server)).collect();
    eventually("answers wait to be read", || figure(&server, "holdfast_answers_bytes ") > 300_000);
    server.signal("-TERM");
    assert!(server.wait().success());
    assert!(is_closed(&mut used));
}

#[test]
fn what_is_asked_before_the_server_stops_is_answered_and_is_the_last() {
    let mut server = server(&[("DRAIN_TIMEOUT_MS", "60000")]);
    let mut client = server.client();
    client.stock("a", 10, 0);
    let head = format!(
        "POST /v1/inventory/a/reserve HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n\r\n",
        RESERVE.len()
    );
    client.send(head.as_bytes()).unwrap();
    // The request is being received when another one, sent later, has been answered.
    assert_eq!(server.client().get("/health/live").status, 200);
    server.signal("-TERM");
    eventually("no more are accepted", || {
        TcpStream::connect(("127.0.0.1", server.port())).is_err()
    });
    client.send(RESERVE.as_bytes()).unwrap();
    let reply = client.receive().unwrap();
    assert_eq!((reply.status, reply.header("connection")), (200, "close"));
    assert!(server.wait().success());
}

#[test]
fn a_client_that_closes_its_side_after_the_last_answer_is_done() {
    let server = server(&[]);
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    stream
        .write_all(b"GET /health/live HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(stream);
    eventually("its place is free", || figure(&server, "holdfast_connections ") == 1);
}

#[test]
fn a_client_that_closes_its_side_after_its_request_is_answered() {
    let server = server(&[]);
    server.client().stock("a", 100, 0);
    let request = format!(
        "POST /v1/inventory/a/reserve HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n\r\n{RESERVE}",
        RESERVE.len()
    );
    for _ in 0..20 {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    assert_eq!(server.client().get("/v1/inventory/a").json()["reserved_quantity"], 20);
}

#[test]
fn what_a_client_does_not_read_goes_with_its_connection() {
    let server = server(&[("WRITE_TIMEOUT_MS", "300"), ("HEADER_TIMEOUT_MS", "300")]);
    many_stocks(&server);
    // One answer is wholly in the kernel, six are more than it takes; the last one of a
    // connection is followed by its end, which either side may begin.
    for (count, last, half_closed) in
        [(1, "", false), (6, "", false), (1, "connection: close\r\n", false), (6, "", true)]
    {
        let mut stream = connect_narrow(server.port());
        let request = format!("GET /v1/inventory?limit=500 HTTP/1.1\r\nhost: test\r\n{last}\r\n");
        stream.write_all(request.repeat(count).as_bytes()).unwrap();
        if half_closed {
            stream.shutdown(Shutdown::Write).unwrap();
        }
        eventually("the answer is made", || stream.peek(&mut [0]).is_ok_and(|bytes| bytes > 0));
        eventually("it is let go", || figure(&server, "holdfast_connections ") == 1);
        let read = stream.read_to_end(&mut Vec::new());
        assert!(read.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset), "{count}");
    }
}

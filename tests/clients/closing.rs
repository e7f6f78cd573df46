//! The end of connections: closed by the client, by the server for a reason, or by a server that
//! stops.

use super::{RESERVE, connect_narrow, is_closed, many_stocks, metric, not_reading, server};
use crate::harness::eventually;
use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
};

#[test]
fn a_stop_waits_neither_for_idle_clients_nor_for_clients_that_do_not_read() {
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
    let _clients: Vec<_> = (0..3).map(|_| not_reading(&server)).collect();
    eventually("answers wait to be read", || metric(&server, "holdfast_answers_bytes ") > 300_000);
    server.signal("-TERM");
    assert!(server.wait().success());
    assert!(is_closed(&mut used));
}

#[test]
fn a_request_under_way_at_a_stop_is_answered_and_is_the_last_of_its_connection() {
    let mut server = server(&[("DRAIN_TIMEOUT_MS", "60000")]);
    let mut client = server.client();
    client.stock("a", 10, 0);
    let head = format!(
        "POST /v1/inventory/a/reserve HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n\r\n",
        RESERVE.len()
    );
    client.send(head.as_bytes()).unwrap();
    // When a later request is answered, the server has begun to receive the first one.
    assert_eq!(server.client().get("/health/live").status, 200);
    server.signal("-TERM");
    eventually("no more connections are accepted", || {
        TcpStream::connect(("127.0.0.1", server.port())).is_err()
    });
    client.send(RESERVE.as_bytes()).unwrap();
    let reply = client.receive().unwrap();
    assert_eq!((reply.status, reply.header("connection")), (200, "close"));
    assert!(server.wait().success());
}

#[test]
fn a_connection_ends_when_its_client_closes_it_after_the_last_answer() {
    let server = server(&[]);
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    stream
        .write_all(b"GET /health/live HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(stream);
    eventually("the connection is free", || metric(&server, "holdfast_connections ") == 1);
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
fn unread_answers_leave_the_kernel_with_their_connection() {
    let server = server(&[("WRITE_TIMEOUT_MS", "300"), ("HEADER_TIMEOUT_MS", "300")]);
    many_stocks(&server);
    // One answer fits the buffers of the kernel, six do not. The last answer of a connection is
    // followed by the end of the connection, which either side may begin.
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
        eventually("the connection is closed", || metric(&server, "holdfast_connections ") == 1);
        let read = stream.read_to_end(&mut Vec::new());
        assert!(read.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset), "{count}");
    }
}

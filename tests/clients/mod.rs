//! No client can harm another by the way in which it uses its connections.

mod closing;

use crate::harness::{Client, Server, eventually};
use std::{
    io::{ErrorKind, Write},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

const RESERVE: &str = r#"{"quantity": 1}"#;

fn server(settings: &[(&str, &str)]) -> Server {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let mut command = Server::command(folder.path());
    command.envs(settings.iter().copied());
    Server::start_command(command, &folder, &[])
}

/// The value of a metric.
fn metric(server: &Server, name: &str) -> u64 {
    let text = server.client().get("/metrics").text;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).trim().parse().unwrap()
}

fn resident_kib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}

/// A client that announces a body for `/v1/batch` and sends only the first bytes of it.
fn unfinished(server: &Server, announced: usize, sent: usize) -> Client {
    let mut client = server.client();
    let head =
        format!("POST /v1/batch HTTP/1.1\r\nhost: test\r\ncontent-length: {announced}\r\n\r\n");
    client.send(&[head.into_bytes(), vec![b' '; sent]].concat()).unwrap();
    client
}

/// Creates stocks whose list is larger than the buffers of the operating system.
fn many_stocks(server: &Server) {
    let mut client = server.client();
    let name = "x".repeat(100);
    let commands: Vec<_> = (0..500)
        .map(|i| format!(r#"{{"type": "set", "product_id": "{name}-{i}", "total_quantity": 1}}"#))
        .collect();
    let body = format!(r#"{{"mode": "independent", "commands": [{}]}}"#, commands.join(","));
    assert_eq!(client.post("/v1/batch", &body).status, 200);
}

/// A connection with a small receive buffer in the operating system.
fn connect_narrow(port: u16) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let connected = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4096)?;
        socket.connect(([127, 0, 0, 1], port).into()).await?.into_std()
    });
    connected.unwrap()
}

/// A client that requests lists, one after the other, and reads no answer.
fn not_reading(server: &Server) -> TcpStream {
    let mut stream = connect_narrow(server.port());
    let requests = "GET /v1/inventory?limit=500 HTTP/1.1\r\nhost: test\r\n\r\n".repeat(1_000);
    let mut rest = requests.as_bytes();
    while let Ok(sent) = stream.write(rest) {
        rest = &rest[sent..];
        if rest.is_empty() {
            break;
        }
    }
    stream
}

/// Whether the server has closed the connection, found by writing: a client that does not read
/// learns of it in no other way.
fn has_ended(stream: &mut TcpStream) -> bool {
    stream.write(b"\r\n").is_err_and(|error| error.kind() != ErrorKind::WouldBlock)
}

fn is_closed(client: &mut Client) -> bool {
    client.receive().is_err_and(|error| {
        matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset)
    })
}

#[test]
fn unfinished_bodies_have_a_common_bound() {
    let settings = [("BODY_BYTES_MAX", "262144"), ("BODIES_BYTES_MAX", "524288")];
    let server = server(&settings);
    server.client().stock("a", 1_000, 0);
    let mut clients: Vec<_> = (0..24).map(|_| unfinished(&server, 262_144, 200_000)).collect();
    eventually("the bound is reached", || metric(&server, "holdfast_bodies_refused_total ") > 0);
    assert!(metric(&server, "holdfast_bodies_bytes ") <= 524_288);
    // A small body does not wait for large ones.
    assert_eq!(server.client().reserve("a", 1).status, 200);
    // A large body does not wait either: the server closes connections that have stopped sending.
    let body = format!("{RESERVE}{}", " ".repeat(200_000));
    eventually("a large body is received", || {
        server.client().post("/v1/inventory/a/reserve", &body).status == 200
    });
    // At least one of the stopped clients gets the refusal, and the server reads no more of its
    // body.
    let mut refused = None;
    eventually("a stopped client is refused", || {
        refused = clients.iter_mut().find_map(|client| {
            client.set_read_timeout(Duration::from_millis(20));
            client.receive().ok().filter(|reply| reply.status == 503)
        });
        refused.is_some()
    });
    let refused = refused.unwrap();
    assert_eq!(refused.problem(), "overloaded");
    assert!(refused.json()["detail"].as_str().unwrap().contains("BODIES_BYTES_MAX"), "{refused:?}");
    assert_eq!((refused.header("connection"), refused.header("retry-after")), ("close", "1"));
}

#[test]
fn a_body_sent_byte_by_byte_takes_no_more_memory_than_its_bytes() {
    let server = server(&[]);
    let mut clients: Vec<_> = (0..100).map(|_| unfinished(&server, 262_144, 1)).collect();
    let before = resident_kib(&server);
    let mut honest = server.client();
    for _ in 0..300 {
        for client in &mut clients {
            client.send(b" ").unwrap();
        }
        // Until this answer comes, the server has most likely read each byte by itself.
        assert_eq!(honest.get("/health/live").status, 200);
    }
    let grown = resident_kib(&server).saturating_sub(before);
    assert!(grown < 40_000, "100 bodies of 300 bytes take {grown} KiB");
}

#[test]
fn the_refusal_of_a_slow_body_names_the_lowest_rate() {
    let server = server(&[("REQUEST_TIMEOUT_MS", "2000")]);
    let mut client = unfinished(&server, 1_000, 10);
    let reply = client.receive().unwrap();
    assert_eq!((reply.status, reply.problem().as_str()), (408, "request-timeout"));
    assert!(reply.json()["detail"].as_str().unwrap().contains("bytes/s"), "{reply:?}");
    assert_eq!(reply.header("connection"), "close");
    assert!(is_closed(&mut client));
}

#[test]
fn the_connection_of_a_client_that_does_not_read_is_closed() {
    let server = server(&[("WRITE_TIMEOUT_MS", "100")]);
    many_stocks(&server);
    let mut client = not_reading(&server);
    eventually("the connection ends", || has_ended(&mut client));
}

#[test]
fn unread_answers_have_a_common_bound() {
    let settings = [
        ("ANSWERS_BYTES_MAX", "1048576"),
        ("HEADER_TIMEOUT_MS", "1600"),
        ("WRITE_TIMEOUT_MS", "600000"),
    ];
    let server = server(&settings);
    many_stocks(&server);
    let clients: Vec<_> = (0..30).map(|_| not_reading(&server)).collect();
    eventually("answers wait to be read", || metric(&server, "holdfast_answers_bytes ") > 500_000);
    // The answers that are being made at the same time can exceed the bound.
    assert!(metric(&server, "holdfast_answers_bytes ") < 1_048_576 + 16 * 250_000);
    // Small answers do not wait for them.
    server.client().stock("a", 10, 0);
    assert_eq!(server.client().reserve("a", 1).status, 200);
    // The server closes connections that do not read, so that a client that reads is answered.
    let list = server.client().get("/v1/inventory?limit=500");
    assert_eq!(list.status, 200);
    drop(clients);
}

/// Waits until a new client is served although other clients hold all connections.
fn serves_a_new_client(server: &Server) {
    eventually("a new client is served", || {
        let reply = Client::try_connect(server.port())
            .and_then(|mut client| client.try_call("GET", "/v1/inventory/a", &[], b"").ok());
        // Until a connection is closed, the new client is answered 503.
        reply.is_some_and(|reply| match reply.status {
            200 => true,
            503 => {
                assert_eq!(reply.problem(), "overloaded");
                assert!(reply.text.contains("CONNECTIONS_MAX"), "{reply:?}");
                false
            }
            _ => panic!("{reply:?}"),
        })
    });
}

const FEW: [(&str, &str); 4] = [
    ("CONNECTIONS_MAX", "8"),
    ("HEADER_TIMEOUT_MS", "600000"),
    ("WRITE_TIMEOUT_MS", "600000"),
    ("REQUEST_TIMEOUT_MS", "600000"),
];

#[test]
fn connections_without_a_request_are_closed_for_new_ones() {
    let server = server(&FEW);
    server.client().stock("a", 10, 0);
    let _silent: Vec<_> = (0..20).map(|_| server.client()).collect();
    serves_a_new_client(&server);
}

#[test]
fn connections_with_an_unfinished_head_are_closed_for_new_ones() {
    let server = server(&FEW);
    server.client().stock("a", 10, 0);
    let mut slow: Vec<_> = (0..20).map(|_| server.client()).collect();
    for client in &mut slow {
        let _ = client.send(b"GET /v1/inventory/a HTTP/1.1\r\nhost: te");
    }
    serves_a_new_client(&server);
}

#[test]
fn connections_with_an_unfinished_body_are_closed_for_new_ones() {
    let server = server(&FEW);
    server.client().stock("a", 10, 0);
    let _slow: Vec<_> = (0..8).map(|_| unfinished(&server, 1_000, 10)).collect();
    serves_a_new_client(&server);
}

#[test]
fn connections_that_do_not_read_are_closed_for_new_ones() {
    let server = server(&FEW);
    server.client().stock("a", 10, 0);
    many_stocks(&server);
    let _clients: Vec<_> = (0..8).map(|_| not_reading(&server)).collect();
    serves_a_new_client(&server);
}

#[test]
fn idle_connections_are_closed_for_new_ones_and_busy_ones_are_not() {
    let server = server(&[("CONNECTIONS_MAX", "8"), ("HEADER_TIMEOUT_MS", "600000")]);
    server.client().stock("a", 10, 0);
    let mut idle: Vec<_> = (0..7).map(|_| server.client()).collect();
    for client in &mut idle {
        assert_eq!(client.get("/v1/inventory/a").status, 200);
    }
    let mut used = server.client();
    eventually("a new client is served", || {
        assert_eq!(used.get("/v1/inventory/a").status, 200, "the connection in use stays");
        let mut client = server.client();
        client.try_call("GET", "/v1/inventory/a", &[], b"").is_ok_and(|reply| reply.status == 200)
    });
    assert_eq!(used.get("/v1/inventory/a").status, 200);
}

#[test]
fn health_is_answered_while_all_connections_are_taken() {
    let server = server(&FEW);
    let _slow: Vec<_> = (0..8).map(|_| unfinished(&server, 1_000, 10)).collect();
    for path in ["/health/live", "/health/ready", "/metrics"] {
        assert_eq!(server.client().get(path).status, 200);
    }
}

#[test]
fn an_answer_that_comes_before_the_body_closes_the_connection() {
    let server = server(&[]);
    for (path, kind, status) in [
        ("/v1/batch", "text/plain", 415),
        ("/nowhere", "application/json", 404),
        ("/v1/events", "application/json", 405),
        ("/health/live", "application/json", 405),
    ] {
        let mut client = server.client();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: test\r\ncontent-type: {kind}\r\n\
             content-length: 200000\r\n\r\n"
        );
        client.send(head.as_bytes()).unwrap();
        let reply = client.receive().unwrap();
        assert_eq!((reply.status, reply.header("connection")), (status, "close"), "{path}");
        // The rest of the body does no harm.
        client.send(&vec![b' '; 200_000]).unwrap();
        assert!(is_closed(&mut client));
    }
}

#[test]
fn a_small_unexpected_body_is_skipped_and_the_connection_stays() {
    let server = server(&[]);
    let mut client = server.client();
    for path in ["/nowhere", "/v1/events"] {
        let reply = client.post(path, RESERVE);
        assert_eq!(reply.header("connection"), "");
        assert_eq!(client.get("/health/live").status, 200);
    }
    let reply = client.with(&[("content-type", "text/plain")], "POST", "/v1/batch", "{}");
    assert_eq!((reply.status, reply.header("connection")), (415, ""));
    assert_eq!(client.get("/health/live").status, 200);
}

#[test]
fn a_refusal_reaches_a_client_that_is_still_sending() {
    let server = server(&[("BODY_BYTES_MAX", "65536")]);
    for length in ["content-length: 4000000", "transfer-encoding: chunked"] {
        let mut client = server.client();
        let head = format!("POST /v1/batch HTTP/1.1\r\nhost: test\r\n{length}\r\n\r\n");
        let chunk = [b"3d0900\r\n".as_slice(), &vec![b' '; 4_000_000], b"\r\n"].concat();
        let body = if length.contains("chunked") { &chunk[..] } else { &chunk[8..4_000_008] };
        client.send(&[head.as_bytes(), body].concat()).unwrap();
        let reply = client.receive().unwrap();
        assert_eq!((reply.status, reply.problem().as_str()), (413, "body-too-large"));
        assert!(is_closed(&mut client));
    }
}

#[test]
fn a_head_that_is_too_large_is_answered_before_the_connection_ends() {
    let server = server(&[]);
    let mut client = server.client();
    let line = format!("X: {}\r\n", "y".repeat(2_000_000));
    let _ = client.send(format!("GET / HTTP/1.1\r\nhost: test\r\n{line}\r\n").as_bytes());
    assert_eq!(client.receive().unwrap().status, 431);
    assert!(is_closed(&mut client));
}

//! No client can hurt another by how it uses its connection.

mod endings;

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

/// A figure of the metrics.
fn figure(server: &Server, name: &str) -> u64 {
    let text = server.client().get("/metrics").text;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).trim().parse().unwrap()
}

fn resident_kib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}

/// A body of a batch that is announced, and begun.
fn unfinished(server: &Server, announced: usize, sent: usize) -> Client {
    let mut client = server.client();
    let head =
        format!("POST /v1/batch HTTP/1.1\r\nhost: test\r\ncontent-length: {announced}\r\n\r\n");
    client.send(&[head.into_bytes(), vec![b' '; sent]].concat()).unwrap();
    client
}

/// Stocks that make a page of a list larger than what the operating system buffers.
fn many_stocks(server: &Server) {
    let mut client = server.client();
    let name = "x".repeat(100);
    let commands: Vec<_> = (0..500)
        .map(|i| format!(r#"{{"type": "set", "product_id": "{name}-{i}", "total_quantity": 1}}"#))
        .collect();
    let body = format!(r#"{{"mode": "independent", "commands": [{}]}}"#, commands.join(","));
    assert_eq!(client.post("/v1/batch", &body).status, 200);
}

/// A connection for which the operating system buffers little.
fn connect_narrow(port: u16) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let connected = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4096)?;
        socket.connect(([127, 0, 0, 1], port).into()).await?.into_std()
    });
    connected.unwrap()
}

/// A client that asks for lists, one after the other, and reads none.
fn deaf(server: &Server) -> TcpStream {
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

/// Whether the server has ended the connection, as far as somebody can tell who does not read.
fn has_ended(stream: &mut TcpStream) -> bool {
    stream.write(b"\r\n").is_err_and(|error| error.kind() != ErrorKind::WouldBlock)
}

fn is_closed(client: &mut Client) -> bool {
    client.receive().is_err_and(|error| {
        matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset)
    })
}

#[test]
fn unfinished_bodies_have_a_bound_together() {
    let settings = [("BODY_BYTES_MAX", "262144"), ("BODIES_BYTES_MAX", "524288")];
    let server = server(&settings);
    server.client().stock("a", 1_000, 0);
    let mut clients: Vec<_> = (0..24).map(|_| unfinished(&server, 262_144, 200_000)).collect();
    eventually("the bound is reached", || figure(&server, "holdfast_bodies_refused_total ") > 0);
    assert!(figure(&server, "holdfast_bodies_bytes ") <= 524_288);
    // A small body does not wait for large ones.
    assert_eq!(server.client().reserve("a", 1).status, 200);
    // Nor does a large one: those that have stopped give way.
    let body = format!("{RESERVE}{}", " ".repeat(200_000));
    eventually("a large body is received", || {
        server.client().post("/v1/inventory/a/reserve", &body).status == 200
    });
    // One of them at least was told so, and no more is read of it.
    let mut refused = None;
    eventually("a refusal", || {
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
        // Meanwhile the server has most likely read each of them by itself.
        assert_eq!(honest.get("/health/live").status, 200);
    }
    let grown = resident_kib(&server).saturating_sub(before);
    assert!(grown < 40_000, "100 bodies of 300 bytes take {grown} KiB");
}

#[test]
fn a_body_that_trickles_is_told_which_rate_is_the_least() {
    let server = server(&[("REQUEST_TIMEOUT_MS", "2000")]);
    let mut client = unfinished(&server, 1_000, 10);
    let reply = client.receive().unwrap();
    assert_eq!((reply.status, reply.problem().as_str()), (408, "request-timeout"));
    assert!(reply.json()["detail"].as_str().unwrap().contains("bytes/s"), "{reply:?}");
    assert_eq!(reply.header("connection"), "close");
    assert!(is_closed(&mut client));
}

#[test]
fn a_client_that_does_not_read_is_let_go() {
    let server = server(&[("WRITE_TIMEOUT_MS", "100")]);
    many_stocks(&server);
    let mut deaf = deaf(&server);
    eventually("the connection ends", || has_ended(&mut deaf));
}

#[test]
fn answers_that_nobody_reads_have_a_bound_together() {
    let settings = [
        ("ANSWERS_BYTES_MAX", "1048576"),
        ("HEADER_TIMEOUT_MS", "1600"),
        ("WRITE_TIMEOUT_MS", "600000"),
    ];
    let server = server(&settings);
    many_stocks(&server);
    let clients: Vec<_> = (0..30).map(|_| deaf(&server)).collect();
    eventually("answers wait to be read", || figure(&server, "holdfast_answers_bytes ") > 500_000);
    // As many as are made at once can come on top.
    assert!(figure(&server, "holdfast_answers_bytes ") < 1_048_576 + 16 * 250_000);
    // Small answers do not wait for them.
    server.client().stock("a", 10, 0);
    assert_eq!(server.client().reserve("a", 1).status, 200);
    // Those that do not read give way, so that a client that does is answered.
    let list = server.client().get("/v1/inventory?limit=500");
    assert_eq!(list.status, 200);
    drop(clients);
}

/// A new client is served, whatever those that hold all connections are doing.
fn is_let_in(server: &Server) {
    eventually("a new client is served", || {
        let reply = Client::try_connect(server.port())
            .and_then(|mut client| client.try_call("GET", "/v1/inventory/a", &[], b"").ok());
        // Until somebody gives way, it is told so.
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
fn connections_without_a_request_give_way_to_new_ones() {
    let server = server(&FEW);
    server.client().stock("a", 10, 0);
    let _silent: Vec<_> = (0..20).map(|_| server.client()).collect();
    is_let_in(&server);
}

#[test]
fn heads_that_do_not_end_give_way_to_new_connections() {
    let server = server(&FEW);
    server.client().stock("a", 10, 0);
    let mut slow: Vec<_> = (0..20).map(|_| server.client()).collect();
    for client in &mut slow {
        let _ = client.send(b"GET /v1/inventory/a HTTP/1.1\r\nhost: te");
    }
    is_let_in(&server);
}

#[test]
fn bodies_that_do_not_end_give_way_to_new_connections() {
    let server = server(&FEW);
    server.client().stock("a", 10, 0);
    let _slow: Vec<_> = (0..8).map(|_| unfinished(&server, 1_000, 10)).collect();
    is_let_in(&server);
}

#[test]
fn clients_that_do_not_read_give_way_to_new_connections() {
    let server = server(&FEW);
    server.client().stock("a", 10, 0);
    many_stocks(&server);
    let _deaf: Vec<_> = (0..8).map(|_| deaf(&server)).collect();
    is_let_in(&server);
}

#[test]
fn idle_connections_give_way_to_new_ones_and_busy_ones_do_not() {
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
fn an_answer_before_the_body_says_that_it_is_the_last() {
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
        // What still comes does no harm.
        client.send(&vec![b' '; 200_000]).unwrap();
        assert!(is_closed(&mut client));
    }
}

#[test]
fn a_small_body_that_nobody_asked_for_is_read_past() {
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
fn a_refusal_reaches_a_client_that_sends_on() {
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
fn a_head_that_is_no_request_is_answered_before_the_connection_ends() {
    let server = server(&[]);
    let mut client = server.client();
    let line = format!("X: {}\r\n", "y".repeat(2_000_000));
    let _ = client.send(format!("GET / HTTP/1.1\r\nhost: test\r\n{line}\r\n").as_bytes());
    assert_eq!(client.receive().unwrap().status, 431);
    assert!(is_closed(&mut client));
}

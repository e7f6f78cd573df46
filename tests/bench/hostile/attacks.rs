//! The attacks: one function each, and the table of all.

use crate::{
    client::Client,
    pool::{self, Then},
};
use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// Where an attack takes place.
pub(crate) struct Arena<'a> {
    pub(crate) port: u16,
    /// Connections that an attacker may open.
    pub(crate) connections: usize,
    /// Becomes true when the attack is over.
    pub(crate) over: &'a AtomicBool,
    /// Bodies that were made before the clock ran.
    pub(crate) prepared: Vec<String>,
}

pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// Fills the store and makes bodies, before the clock runs.
    pub(crate) prepare: fn(u16) -> Vec<String>,
    pub(crate) run: fn(&Arena<'_>),
}

pub(crate) const ATTACKS: &[Attack] = &[
    Attack { name: "none", prepare: nothing, run: |_| {} },
    Attack { name: "idle connections", prepare: nothing, run: idle },
    Attack { name: "idle connections, answered once", prepare: nothing, run: idle_answered },
    Attack { name: "slow heads", prepare: nothing, run: slow_heads },
    Attack { name: "unfinished bodies of 1 MB", prepare: nothing, run: unfinished_bodies },
    Attack { name: "bodies sent byte by byte", prepare: nothing, run: dripping_bodies },
    Attack { name: "bodies of 100 GB", prepare: nothing, run: huge_bodies },
    Attack { name: "bodies of JSON without sense", prepare: nothing, run: senseless_json },
    Attack { name: "lists that nobody reads", prepare: many_stocks, run: deaf_lists },
    Attack { name: "files of /docs that nobody reads", prepare: nothing, run: deaf_files },
    Attack { name: "connections without pause", prepare: nothing, run: churn },
    Attack { name: "connections cut within a body", prepare: nothing, run: cut },
    Attack { name: "pipelined requests without pause", prepare: nothing, run: flood },
    Attack { name: "65 holds of 100 lines come due", prepare: products, run: coming_due },
    Attack { name: "280 holds of 100 lines in a batch", prepare: products, run: large_batches },
    Attack { name: "280 holds of 100 lines, dry run", prepare: products, run: large_dry_runs },
    Attack { name: "lists behind 20,000 replaces, hung up", prepare: replaces, run: hung_up_lists },
];

const SECOND: Duration = Duration::from_secs(1);

fn nothing(_: u16) -> Vec<String> {
    Vec::new()
}

impl Arena<'_> {
    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    /// Does something in so many threads until the attack is over.
    fn repeat(&self, threads: usize, act: impl Fn(&Self, usize) + Sync) {
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let act = &act;
                scope.spawn(move || {
                    while self.goes_on() {
                        act(self, thread);
                    }
                });
            }
        });
    }

    /// Opens connections that each send something, and holds them.
    fn hold(&self, then: Then, narrow: bool, first: &[u8]) {
        pool::hold(self.connections, self.over, then, SECOND / 4, || {
            let mut stream =
                if narrow { pool::connect_narrow(self.port) } else { pool::connect(self.port) }?;
            // Where not all of it is taken, so much the better.
            let _ = stream.write_all(first);
            Ok(stream)
        });
    }

    /// Sends requests one after the other, as fast as they are answered.
    fn ask(&self, threads: usize, method: &str, path: &str) {
        self.repeat(threads, |arena, thread| {
            let Some(mut client) = Client::try_connect(arena.port) else { return };
            client.set_read_timeout(SECOND * 5);
            let mut bodies = arena.prepared.iter().cycle().skip(thread);
            while arena.goes_on() {
                let body = bodies.next().map_or("", String::as_str);
                if client.try_call(method, path, &[], body.as_bytes()).is_err() {
                    break;
                }
            }
        });
    }
}

fn idle(arena: &Arena<'_>) {
    arena.hold(Then::Hold, false, b"");
}

fn idle_answered(arena: &Arena<'_>) {
    arena.hold(Then::Hold, false, b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n");
}

fn slow_heads(arena: &Arena<'_>) {
    arena.hold(Then::Trickle, false, b"GET /v1/inventory/honest-1 HTTP/1.1\r\nhost: x\r\nx: ");
}

const BATCH_HEAD: &str = "POST /v1/batch HTTP/1.1\r\nhost: x\r\ncontent-length: ";

fn unfinished_bodies(arena: &Arena<'_>) {
    let head = format!("{BATCH_HEAD}1048576\r\n\r\n");
    let mut bytes = head.into_bytes();
    bytes.resize(bytes.len() + 1_048_575, b' ');
    arena.hold(Then::Hold, false, &bytes);
}

fn dripping_bodies(arena: &Arena<'_>) {
    let head = format!("{BATCH_HEAD}1048576\r\n\r\n");
    pool::hold(arena.connections / 4, arena.over, Then::Trickle, Duration::from_millis(1), || {
        let mut stream = pool::connect(arena.port)?;
        stream.write_all(head.as_bytes())?;
        Ok(stream)
    });
}

fn huge_bodies(arena: &Arena<'_>) {
    let block = vec![b' '; 1 << 20];
    let chunk = [b"100000\r\n".as_slice(), &block, b"\r\n"].concat();
    arena.repeat(8, |arena, thread| {
        let Ok(mut stream) = pool::connect(arena.port) else { return };
        let (head, part) = if thread % 2 == 0 {
            (format!("{BATCH_HEAD}100000000000\r\n\r\n"), &block)
        } else {
            (
                "POST /v1/batch HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".into(),
                &chunk,
            )
        };
        let mut sent = stream.write_all(head.as_bytes());
        while sent.is_ok() && arena.goes_on() {
            sent = stream.write_all(part);
        }
    });
}

fn senseless_json(arena: &Arena<'_>) {
    let bodies = [
        format!(r#"{{"commands":[{}0]}}"#, "0,".repeat(500_000)),
        format!(r#"{{"commands":[{}{{}}]}}"#, "{},".repeat(330_000)),
        format!(r#""{}""#, r"\u0041".repeat(170_000)),
    ];
    arena.repeat(12, |arena, thread| {
        let Some(mut client) = Client::try_connect(arena.port) else { return };
        let body = &bodies[thread % bodies.len()];
        while arena.goes_on() {
            if client.try_call("POST", "/v1/batch", &[], body.as_bytes()).is_err() {
                break;
            }
        }
    });
}

/// Stocks for pages of 150 KB.
fn many_stocks(port: u16) -> Vec<String> {
    let name = "x".repeat(100);
    let commands: Vec<_> = (0..500)
        .map(|i| format!(r#"{{"type":"set","product_id":"{name}-{i}","total_quantity":1}}"#))
        .collect();
    batch(port, &commands);
    Vec::new()
}

fn batch(port: u16, commands: &[String]) {
    let body = format!(r#"{{"mode":"independent","commands":[{}]}}"#, commands.join(","));
    let reply = Client::connect(port).post("/v1/batch", &body);
    assert_eq!(reply.status, 200, "{reply:?}");
}

fn deaf_lists(arena: &Arena<'_>) {
    let request = "GET /v1/inventory?limit=500 HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100);
    arena.hold(Then::Deaf, true, request.as_bytes());
}

fn deaf_files(arena: &Arena<'_>) {
    let request = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n".repeat(20);
    arena.hold(Then::Deaf, true, request.as_bytes());
}

fn churn(arena: &Arena<'_>) {
    arena.repeat(4, |arena, _| drop(TcpStream::connect(("127.0.0.1", arena.port))));
}

fn cut(arena: &Arena<'_>) {
    let head =
        "POST /v1/inventory/honest-1/reserve HTTP/1.1\r\nhost: x\r\ncontent-length: 15\r\n\r\n";
    arena.repeat(4, |arena, _| {
        if let Ok(mut stream) = pool::connect(arena.port) {
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(b"{\"quantity\"");
        }
    });
}

fn flood(arena: &Arena<'_>) {
    let requests = "GET /v1/inventory/honest-1 HTTP/1.1\r\nhost: x\r\n\r\n".repeat(64);
    arena.repeat(16, |arena, _| {
        let Ok(mut stream) = pool::connect(arena.port) else { return };
        let Ok(mut reader) = stream.try_clone() else { return };
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut scratch = [0; 65_536];
                while reader.read(&mut scratch).is_ok_and(|bytes| bytes > 0) {}
            });
            while arena.goes_on() && stream.write_all(requests.as_bytes()).is_ok() {}
            let _ = stream.shutdown(std::net::Shutdown::Both);
        });
    });
}

/// A hundred products to hold, and bodies that do: one of single holds that come due after a
/// second, one of a batch.
fn products(port: u16) -> Vec<String> {
    let commands: Vec<_> = (0..100)
        .map(|i| format!(r#"{{"type":"set","product_id":"line-{i}","total_quantity":100000000}}"#))
        .collect();
    batch(port, &commands);
    let hold = format!(r#"{{"type":"hold","ttl_seconds":1,"lines":[{}]}}"#, lines());
    let holds = vec![hold; 280].join(",");
    vec![format!(r#"{{"mode":"atomic","commands":[{holds}]}}"#)]
}

fn lines() -> String {
    let lines: Vec<_> =
        (0..100).map(|i| format!(r#"{{"product_id":"line-{i}","quantity":1}}"#)).collect();
    lines.join(",")
}

fn coming_due(arena: &Arena<'_>) {
    let hold = format!(r#"{{"ttl_seconds":1,"lines":[{}]}}"#, lines());
    while arena.goes_on() {
        let Some(mut client) = Client::try_connect(arena.port) else { return };
        client.set_read_timeout(SECOND * 5);
        for _ in 0..65 {
            if client.try_call("POST", "/v1/reservations", &[], hold.as_bytes()).is_err() {
                break;
            }
        }
        std::thread::sleep(SECOND);
    }
}

fn large_batches(arena: &Arena<'_>) {
    arena.ask(2, "POST", "/v1/batch");
}

fn large_dry_runs(arena: &Arena<'_>) {
    arena.ask(2, "POST", "/v1/batch?dry_run=true");
}

/// One reservation whose lines were replaced many times.
fn replaces(port: u16) -> Vec<String> {
    let mut client = Client::connect(port);
    client.stock("replaced", 1_000_000, 0);
    client.stock("other", 1_000_000, 0);
    let hold = r#"{"reservation_id":"r","ttl_seconds":3600,"lines":[{"product_id":"replaced","quantity":1}]}"#;
    assert_eq!(client.post("/v1/reservations", hold).status, 201);
    for _ in 0..20 {
        let commands: Vec<_> = (0..1_000)
            .map(|i| {
                let (product, quantity) = (["other", "replaced"][i % 2], i % 7 + 1);
                format!(
                    r#"{{"type":"replace","reservation_id":"r","lines":[{{"product_id":"{product}","quantity":{quantity}}}]}}"#
                )
            })
            .collect();
        batch(port, &commands);
    }
    Vec::new()
}

fn hung_up_lists(arena: &Arena<'_>) {
    arena.repeat(8, |arena, _| {
        if let Ok(mut stream) = pool::connect(arena.port) {
            let _ = stream
                .write_all(b"GET /v1/reservations?product_id=replaced HTTP/1.1\r\nhost: x\r\n\r\n");
            std::thread::sleep(Duration::from_millis(20));
        }
    });
}

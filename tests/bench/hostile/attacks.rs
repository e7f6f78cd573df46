//! The table of all attacks, and the attacks on connections, bodies and answers.

use crate::{
    client::Client,
    commands,
    pool::{self, Then},
    queries,
    target::Target,
};
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// Fills the store and makes bodies, before the measurement. Takes the port of the server.
    pub(crate) prepare: fn(u16) -> Vec<String>,
    pub(crate) run: fn(&Target<'_>),
}

pub(crate) const ATTACKS: &[Attack] = &[
    Attack { name: "none", prepare: nothing, run: |_| {} },
    Attack { name: "idle connections", prepare: nothing, run: idle },
    Attack { name: "idle connections, answered once", prepare: nothing, run: idle_answered },
    Attack { name: "slow heads", prepare: nothing, run: slow_heads },
    Attack { name: "unfinished bodies of 1 MB", prepare: nothing, run: unfinished_bodies },
    Attack { name: "bodies sent byte by byte", prepare: nothing, run: dripping_bodies },
    Attack { name: "bodies of 100 GB", prepare: nothing, run: huge_bodies },
    Attack { name: "bodies of meaningless JSON", prepare: nothing, run: meaningless_json },
    Attack { name: "lists whose answers are not read", prepare: many_stocks, run: unread_lists },
    Attack { name: "files of /docs that are not read", prepare: nothing, run: unread_files },
    Attack { name: "connections without pause", prepare: nothing, run: churn },
    Attack { name: "connections cut within a body", prepare: nothing, run: cut },
    Attack { name: "pipelined requests without pause", prepare: nothing, run: flood },
    Attack { name: "280 holds of 100 lines", prepare: commands::too_large, run: commands::batches },
    Attack {
        name: "280 holds of 100 lines, dry run",
        prepare: commands::too_large,
        run: commands::dry_runs,
    },
    Attack { name: "5,000 lines", prepare: commands::largest, run: commands::batches },
    Attack { name: "5,000 lines, dry run", prepare: commands::largest, run: commands::dry_runs },
    Attack { name: "5,000 lines, with a key", prepare: commands::largest, run: commands::keyed },
    Attack { name: "the longest texts", prepare: commands::long_texts, run: commands::batches },
    Attack {
        name: "the longest texts, dry run",
        prepare: commands::long_texts,
        run: commands::dry_runs,
    },
    Attack {
        name: "parts of a long reservation",
        prepare: commands::parts,
        run: commands::batches,
    },
    Attack { name: "65 carts come due at once", prepare: commands::cart, run: commands::carts },
    Attack {
        name: "carts come due all the time",
        prepare: commands::cart,
        run: commands::more_carts,
    },
    Attack {
        name: "5,000 lines come due all the time",
        prepare: commands::short_lived,
        run: commands::batches,
    },
    Attack {
        name: "5,000 lines wait for due holds",
        prepare: commands::short_lived,
        run: commands::crowd,
    },
    Attack {
        name: "lists behind 20,000 replaces",
        prepare: queries::replaced,
        run: queries::lists,
    },
    Attack { name: "lists beside replaces", prepare: queries::replaces, run: queries::beside },
    Attack { name: "events that hardly match", prepare: queries::history, run: queries::events },
];

fn nothing(_: u16) -> Vec<String> {
    Vec::new()
}

fn idle(target: &Target<'_>) {
    target.hold(Then::Hold, false, b"");
}

fn idle_answered(target: &Target<'_>) {
    target.hold(Then::Hold, false, b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n");
}

fn slow_heads(target: &Target<'_>) {
    target.hold(Then::Trickle, false, b"GET /v1/inventory/honest-1 HTTP/1.1\r\nhost: x\r\nx: ");
}

const BATCH_HEAD: &str = "POST /v1/batch HTTP/1.1\r\nhost: x\r\ncontent-length: ";

fn unfinished_bodies(target: &Target<'_>) {
    let head = format!("{BATCH_HEAD}1048576\r\n\r\n");
    let mut bytes = head.into_bytes();
    bytes.resize(bytes.len() + 1_048_575, b' ');
    target.hold(Then::Hold, false, &bytes);
}

fn dripping_bodies(target: &Target<'_>) {
    let head = format!("{BATCH_HEAD}1048576\r\n\r\n");
    pool::hold(
        target.connections / 4,
        target.over,
        Then::Trickle,
        Duration::from_millis(1),
        || {
            let mut stream = pool::connect(target.port)?;
            stream.write_all(head.as_bytes())?;
            Ok(stream)
        },
    );
}

fn huge_bodies(target: &Target<'_>) {
    let block = vec![b' '; 1 << 20];
    let chunk = [b"100000\r\n".as_slice(), &block, b"\r\n"].concat();
    target.repeat(8, |target, thread| {
        let Ok(mut stream) = pool::connect(target.port) else { return };
        let (head, part) = if thread % 2 == 0 {
            (format!("{BATCH_HEAD}100000000000\r\n\r\n"), &block)
        } else {
            (
                "POST /v1/batch HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".into(),
                &chunk,
            )
        };
        let mut sent = stream.write_all(head.as_bytes());
        while sent.is_ok() && target.goes_on() {
            sent = stream.write_all(part);
        }
    });
}

fn meaningless_json(target: &Target<'_>) {
    let bodies = [
        format!(r#"{{"commands":[{}0]}}"#, "0,".repeat(500_000)),
        format!(r#"{{"commands":[{}{{}}]}}"#, "{},".repeat(330_000)),
        format!(r#""{}""#, r"\u0041".repeat(170_000)),
    ];
    target.repeat(12, |target, thread| {
        let Some(mut client) = Client::try_connect(target.port) else { return };
        let body = &bodies[thread % bodies.len()];
        while target.goes_on() {
            if client.try_call("POST", "/v1/batch", &[], body.as_bytes()).is_err() {
                break;
            }
        }
    });
}

/// Creates stocks whose list has 150 KB.
fn many_stocks(port: u16) -> Vec<String> {
    let name = "x".repeat(100);
    let commands: Vec<_> = (0..500)
        .map(|i| format!(r#"{{"type":"set","product_id":"{name}-{i}","total_quantity":1}}"#))
        .collect();
    commands::batch(port, &commands);
    Vec::new()
}

fn unread_lists(target: &Target<'_>) {
    let request = "GET /v1/inventory?limit=500 HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100);
    target.hold(Then::Unread, true, request.as_bytes());
}

fn unread_files(target: &Target<'_>) {
    let request = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n".repeat(20);
    target.hold(Then::Unread, true, request.as_bytes());
}

fn churn(target: &Target<'_>) {
    target.repeat(4, |target, _| drop(TcpStream::connect(("127.0.0.1", target.port))));
}

fn cut(target: &Target<'_>) {
    let head =
        "POST /v1/inventory/honest-1/reserve HTTP/1.1\r\nhost: x\r\ncontent-length: 15\r\n\r\n";
    target.repeat(4, |target, _| {
        if let Ok(mut stream) = pool::connect(target.port) {
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(b"{\"quantity\"");
        }
    });
}

fn flood(target: &Target<'_>) {
    let requests = "GET /v1/inventory/honest-1 HTTP/1.1\r\nhost: x\r\n\r\n".repeat(64);
    target.repeat(16, |target, _| {
        let Ok(mut stream) = pool::connect(target.port) else { return };
        let Ok(mut reader) = stream.try_clone() else { return };
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut scratch = [0; 65_536];
                while reader.read(&mut scratch).is_ok_and(|bytes| bytes > 0) {}
            });
            while target.goes_on() && stream.write_all(requests.as_bytes()).is_ok() {}
            let _ = stream.shutdown(std::net::Shutdown::Both);
        });
    });
}

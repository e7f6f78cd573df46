//! The load: 64 connections, each with one request under way, and every answer timed.

use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const CONNECTIONS: usize = 64;

const REQUEST: &[u8] = b"POST /v1/inventory/a/reserve HTTP/1.1\r\nhost: bench\r\n\
    content-type: application/json\r\ncontent-length: 14\r\n\r\n{\"quantity\":1}";

/// A load on the server at this port, for this time.
pub(crate) struct Load {
    pub(crate) port: u16,
    pub(crate) seconds: u32,
}

/// The results of a load; times in milliseconds, the rate in requests a second.
#[derive(Clone, Copy)]
pub(crate) struct Measured {
    rate: f64,
    p50: f64,
    p99: f64,
    slowest: f64,
    errors: u64,
}

impl Load {
    pub(crate) fn run(&self) -> Measured {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let (mut times, errors) = runtime.expect("a runtime").block_on(self.all());
        times.sort_unstable();
        let at = |share: f64| {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss
            )]
            let index = ((times.len() - 1) as f64 * share) as usize;
            times[index].as_secs_f64() * 1e3
        };
        #[allow(clippy::cast_precision_loss, reason = "a rate")]
        let rate = times.len() as f64 / f64::from(self.seconds);
        Measured { rate, p50: at(0.5), p99: at(0.99), slowest: at(1.0), errors }
    }

    async fn all(&self) -> (Vec<Duration>, u64) {
        let until = Instant::now() + Duration::from_secs(self.seconds.into());
        let clients: Vec<_> =
            (0..CONNECTIONS).map(|_| tokio::spawn(client(self.port, until))).collect();
        let (mut times, mut errors) = (Vec::new(), 0);
        for client in clients {
            let (own, failed) = client.await.expect("a client");
            times.extend(own);
            errors += failed;
        }
        (times, errors)
    }
}

async fn client(port: u16, until: Instant) -> (Vec<Duration>, u64) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    let (mut times, mut errors) = (Vec::new(), 0);
    let mut buffer = [0; 4_096];
    while Instant::now() < until {
        let begun = Instant::now();
        stream.write_all(REQUEST).await.expect("a request");
        // An answer is shorter than the buffer and comes in one piece.
        let length = stream.read(&mut buffer).await.expect("an answer");
        errors += u64::from(!buffer[..length].starts_with(b"HTTP/1.1 200"));
        times.push(begun.elapsed());
    }
    (times, errors)
}

impl Measured {
    /// Returns the median of each figure, and the sum of the errors.
    pub(crate) fn median(runs: Vec<Self>) -> Self {
        let of = |figure: fn(&Self) -> f64| {
            let mut figures: Vec<_> = runs.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        };
        Self {
            rate: of(|it| it.rate),
            p50: of(|it| it.p50),
            p99: of(|it| it.p99),
            slowest: of(|it| it.slowest),
            errors: runs.iter().map(|it| it.errors).sum(),
        }
    }

    pub(crate) fn row(&self, title: &str) -> String {
        let Self { rate, p50, p99, slowest, errors } = self;
        format!("| {title} | {rate:.0} | {p50:.2} | {p99:.2} | {slowest:.1} | {errors} |")
    }
}

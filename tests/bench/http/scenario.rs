use crate::{
    BATCH_CONNECTIONS, CONNECTIONS, LARGE_BATCH_CONNECTIONS, PRODUCTS, common::median,
    server::Server,
};
use std::{path::Path, process::Command};

#[derive(Clone, Copy)]
pub(crate) enum Scenario {
    Hot,
    Spread,
    Hold,
    Get,
    Mixed,
    /// Batches of this number of commands.
    Batch(u32),
}

/// The results of one run, or the medians of several runs.
pub(crate) struct Measured {
    pub(crate) rate: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// The number of statuses of 400 and above, broken connections and time-outs.
    pub(crate) errors: u64,
}

impl Scenario {
    pub(crate) const SINGLE: [Self; 5] =
        [Self::Hot, Self::Spread, Self::Hold, Self::Get, Self::Mixed];

    pub(crate) fn title(self) -> String {
        match self {
            Self::Hot => "reserve, one hot product".to_owned(),
            Self::Spread => "reserve, 10,000 products".to_owned(),
            Self::Hold => "hold of 3 lines, confirm".to_owned(),
            Self::Get => "GET, 10,000 products".to_owned(),
            Self::Mixed => "80 % GET, 10 % reserve, 10 % release".to_owned(),
            Self::Batch(size) => format!("batch of {size} reserves, 10,000 products"),
        }
    }

    fn name(self) -> String {
        match self {
            Self::Hot => "hot".to_owned(),
            Self::Spread => "spread".to_owned(),
            Self::Hold => "hold".to_owned(),
            Self::Get => "get".to_owned(),
            Self::Mixed => "mixed".to_owned(),
            Self::Batch(size) => format!("batch-{size}"),
        }
    }

    /// Runs wrk once, on [`PRODUCTS`] products whose numbers are `server.step` apart.
    pub(crate) fn run(self, server: &Server, seconds: u32) -> Measured {
        let connections = match self {
            Self::Batch(size) if size > 100 => LARGE_BATCH_CONNECTIONS,
            Self::Batch(_) => BATCH_CONNECTIONS,
            _ => CONNECTIONS,
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/bench/http/load.lua");
        let output = Command::new("wrk")
            .args([
                "-t1",
                &format!("-c{connections}"),
                &format!("-d{seconds}s"),
                "--timeout",
                "10s",
            ])
            .arg("-s")
            .arg(script)
            .arg(format!("http://127.0.0.1:{}", server.port))
            .args(["--", &self.name(), &PRODUCTS.to_string(), &server.step.to_string()])
            .output()
            .expect("wrk on the PATH (Debian: apt-get install wrk)");
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().find_map(|line| line.strip_prefix("RESULT "));
        let numbers: Vec<f64> = line
            .unwrap_or_else(|| panic!("wrk failed: {text}"))
            .split(' ')
            .map(|number| number.parse().expect("a number"))
            .collect();
        let [requests, duration_us, p50_us, p99_us, statuses, broken] = numbers[..] else {
            panic!("wrk printed something else: {text}");
        };
        Measured {
            rate: requests * 1e6 / duration_us,
            p50_ms: p50_us / 1e3,
            p99_ms: p99_us / 1e3,
            errors: (statuses + broken) as u64,
        }
    }
}

impl Measured {
    /// Returns the median of each figure, and the sum of the errors.
    pub(crate) fn median(runs: Vec<Self>) -> Self {
        let middle = |figure: fn(&Self) -> f64| median(runs.iter().map(figure).collect());
        Self {
            rate: middle(|run| run.rate),
            p50_ms: middle(|run| run.p50_ms),
            p99_ms: middle(|run| run.p99_ms),
            errors: runs.iter().map(|run| run.errors).sum(),
        }
    }
}

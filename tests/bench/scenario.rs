use crate::{CONNECTIONS, PRODUCTS, server::Server};
use std::{path::Path, process::Command};

#[derive(Clone, Copy)]
pub(crate) enum Scenario {
    Hot,
    Spread,
    Hold,
    Get,
    Mixed,
}

/// One run, or the medians of several.
pub(crate) struct Measured {
    pub(crate) rate: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Statuses of 400 and above, broken connections, time-outs.
    pub(crate) errors: u64,
}

impl Scenario {
    pub(crate) const ALL: [Self; 5] = [Self::Hot, Self::Spread, Self::Hold, Self::Get, Self::Mixed];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Hot => "reserve, one hot product",
            Self::Spread => "reserve, 10,000 products",
            Self::Hold => "hold of 3 lines, confirm",
            Self::Get => "GET, 10,000 products",
            Self::Mixed => "80 % GET, 10 % reserve, 10 % release",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Hot => "hot",
            Self::Spread => "spread",
            Self::Hold => "hold",
            Self::Get => "get",
            Self::Mixed => "mixed",
        }
    }

    pub(crate) fn run(self, server: &Server, seconds: u32) -> Measured {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/bench/load.lua");
        let output = Command::new("wrk")
            .args([
                "-t1",
                &format!("-c{CONNECTIONS}"),
                &format!("-d{seconds}s"),
                "--timeout",
                "10s",
            ])
            .arg("-s")
            .arg(script)
            .arg(format!("http://127.0.0.1:{}", server.port))
            .args(["--", self.name(), &PRODUCTS.to_string()])
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
    /// The median of each figure; of errors, the sum.
    pub(crate) fn median(runs: Vec<Self>) -> Self {
        let middle = |figure: fn(&Self) -> f64| {
            let mut figures: Vec<_> = runs.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        };
        Self {
            rate: middle(|run| run.rate),
            p50_ms: middle(|run| run.p50_ms),
            p99_ms: middle(|run| run.p99_ms),
            errors: runs.iter().map(|run| run.errors).sum(),
        }
    }
}

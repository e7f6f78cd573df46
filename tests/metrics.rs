//! `/metrics` has every metric, in two formats that monitoring systems accept.

use crate::harness::{Client, Reply, Server};
use std::{
    collections::BTreeSet,
    io::{ErrorKind, Write},
    process::{Command, Stdio},
};

const OPEN_METRICS: &str = "application/openmetrics-text";

/// The name and the labels of every sample. Dashboards and alerts are built on these names.
const SAMPLES: [&str; 26] = [
    "holdfast_answers_bytes",
    "holdfast_answers_refused_total",
    "holdfast_batches_total",
    "holdfast_bodies_bytes",
    "holdfast_bodies_refused_total",
    "holdfast_clock_following",
    "holdfast_clock_wall_ahead_seconds",
    "holdfast_commands_total",
    "holdfast_connections",
    "holdfast_connections_gave_way_total",
    "holdfast_database_checked",
    "holdfast_database_damaged",
    "holdfast_domain_faults_total",
    "holdfast_domain_info{component}",
    "holdfast_domain_rolled_back",
    "holdfast_idempotency_forgotten_early_total",
    "holdfast_idempotency_large_bytes",
    "holdfast_log_lines_held_back_total",
    "holdfast_log_lines_lost_total",
    "holdfast_log_lines_written_total",
    "holdfast_overloaded_total",
    "holdfast_waiting_commands",
    "holdfast_writer_seconds_total{stage=\"commit\"}",
    "holdfast_writer_seconds_total{stage=\"decide\"}",
    "holdfast_writer_seconds_total{stage=\"reply\"}",
    "holdfast_writer_seconds_total{stage=\"wait\"}",
];

fn scrape(client: &mut Client, accept: &str) -> Reply {
    client.try_call("GET", "/metrics", &[("accept", accept)], b"").expect("an answer")
}

/// A server that has carried out two commands, and a client of it.
fn used() -> (Server, Client) {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 10, 0);
    client.reserve("a", 1);
    (server, client)
}

#[test]
fn both_formats_have_every_metric_once() {
    let (_server, mut client) = used();
    for accept in [OPEN_METRICS, "text/plain"] {
        let text = scrape(&mut client, accept).text;
        let mut names = BTreeSet::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            value.parse::<f64>().unwrap();
            // The value of this label differs for each version of the component.
            let name = if name.starts_with("holdfast_domain_info{component=\"") {
                "holdfast_domain_info{component}"
            } else {
                name
            };
            assert!(names.insert(name.to_owned()), "{name} twice in {text}");
        }
        assert_eq!(names, SAMPLES.map(str::to_owned).into());
        let families = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        let families: Vec<_> = families.map(|it| it.split(' ').next().unwrap()).collect();
        assert_eq!(families.len(), families.iter().collect::<BTreeSet<_>>().len(), "{families:?}");
    }
}

#[test]
fn the_format_is_the_one_that_is_asked_for() {
    let (_server, mut client) = used();
    let open = scrape(&mut client, OPEN_METRICS);
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!((open.status, open.header("content-type")), (200, media_type));
    assert!(open.text.contains("\n# TYPE holdfast_commands counter\nholdfast_commands_total 2\n"));
    assert!(open.text.contains("\n# UNIT holdfast_writer_seconds seconds\n"));
    assert!(open.text.ends_with("\n# EOF\n"));
    let plain = client.get("/metrics");
    let media_type = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!((plain.status, plain.header("content-type")), (200, media_type));
    assert!(
        plain
            .text
            .contains("\n# TYPE holdfast_commands_total counter\nholdfast_commands_total 2\n")
    );
    assert!(!plain.text.contains("# EOF"));
}

#[test]
fn promtool_accepts_the_metrics() {
    let (_server, mut client) = used();
    let text = client.get("/metrics").text;
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut promtool = match promtool {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            assert!(std::env::var_os("CI").is_none(), "promtool is missing (Debian: prometheus)");
            #[allow(clippy::print_stderr, reason = "a skipped test must be visible")]
            {
                eprintln!("skipped: promtool is missing (Debian: prometheus)");
            }
            return;
        }
        started => started.unwrap(),
    };
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success() && said.is_empty(), "{said}\n{text}");
}

//! Figures for a collector, in Prometheus' text format.

use super::{App, input::Bodies, server::TrafficReading};
use crate::{
    engine::{ClockReading, ClockStatus, Reading, Stage},
    logging::{self, Counts},
    model::{Installed, Integrity},
    store::LargeAnswers,
};
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use std::fmt::{Display, Write};

const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4");

/// Figures for a collector
///
/// Commands per batch are the one divided by the other; where the writer's seconds go says what
/// bounds it.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "health",
    responses((status = 200, description = "In Prometheus' text format", body = String, content_type = "text/plain"))
)]
pub(super) async fn metrics(State(app): State<App>) -> Response {
    let domain = app.engine.domain();
    let (reading, waiting) = (app.engine.meter(), app.engine.waiting());
    let mut text = render(&reading, waiting, &domain.installed, domain.faults);
    render_clock(&mut text, app.engine.clock());
    render_log(&mut text, logging::counts());
    render_answers(&mut text, reading.answers);
    render_traffic(&mut text, app.traffic.read(), &app.bodies);
    text += &soundness(&app.admin.integrity());
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response()
}

fn figure(text: &mut String, name: &str, kind: &str, help: &str, value: impl Display) {
    // Writing to a string does not fail.
    let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
}

#[allow(clippy::cast_precision_loss, reason = "seconds of centuries fit")]
fn render_clock(text: &mut String, clock: ClockReading) {
    let following = u8::from(clock.status == ClockStatus::Following);
    let help = "Whether the time of decisions is the wall clock's.";
    figure(text, "holdfast_clock_following", "gauge", help, following);
    let ahead = clock.wall_ahead_ms as f64 / 1_000.0;
    let help = "Seconds by which the wall clock is ahead of the time of decisions.";
    figure(text, "holdfast_clock_wall_ahead_seconds", "gauge", help, format_args!("{ahead:.3}"));
}

fn render_log(text: &mut String, lines: Counts) {
    let help = "Lines of the log that were written.";
    figure(text, "holdfast_log_lines_written_total", "counter", help, lines.written);
    let help = "Lines of the log that were lost: it could not be written, or not fast enough.";
    figure(text, "holdfast_log_lines_lost_total", "counter", help, lines.lost);
    let help = "Lines of the log that were held back: there were many like them.";
    figure(text, "holdfast_log_lines_held_back_total", "counter", help, lines.held_back);
}

/// Idempotency records of large answers.
fn render_answers(text: &mut String, answers: LargeAnswers) {
    let help = "Bytes of idempotency records of 16 KiB and more.";
    figure(text, "holdfast_idempotency_large_bytes", "gauge", help, answers.bytes);
    let help = "Idempotency records of 16 KiB and more that went before their time.";
    let name = "holdfast_idempotency_forgotten_early_total";
    figure(text, name, "counter", help, answers.forgotten_early);
}

fn render(reading: &Reading, waiting: usize, installed: &Installed, faults: u64) -> String {
    let mut text = String::new();
    let mut figure =
        |name: &str, kind: &str, help: &str, value: u64| figure(&mut text, name, kind, help, value);
    figure("holdfast_batches_total", "counter", "Batches committed.", reading.batches);
    figure("holdfast_commands_total", "counter", "Commands in batches.", reading.commands);
    figure(
        "holdfast_overloaded_total",
        "counter",
        "Requests refused because the queue was full.",
        reading.overloaded,
    );
    figure("holdfast_waiting_commands", "gauge", "Commands in the queue.", waiting as u64);
    figure("holdfast_domain_faults_total", "counter", "Faults of components.", faults);
    figure(
        "holdfast_domain_rolled_back",
        "gauge",
        "Whether the component that decides is there by a rollback.",
        installed.rolled_back.into(),
    );
    let _ = write!(
        text,
        "# HELP holdfast_domain_info The component that decides.\n\
         # TYPE holdfast_domain_info gauge\nholdfast_domain_info{{component=\"{}\"}} 1\n",
        installed.current
    );
    let name = "holdfast_writer_seconds_total";
    let _ = write!(text, "# HELP {name} The writer's time by stage.\n# TYPE {name} counter\n");
    for (stage, spent) in Stage::ALL.iter().zip(reading.spent) {
        let stage = match stage {
            Stage::Wait => "wait",
            Stage::Decide => "decide",
            Stage::Commit => "commit",
            Stage::Reply => "reply",
        };
        let _ = writeln!(text, "{name}{{stage=\"{stage}\"}} {:.6}", spent.as_secs_f64());
    }
    text
}

/// What clients hold.
fn render_traffic(text: &mut String, traffic: TrafficReading, bodies: &Bodies) {
    let mut figure = |name: &str, kind: &str, help: &str, value: u64| {
        // Writing to a string does not fail.
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
    };
    let connections = traffic.connections as u64;
    figure("holdfast_connections", "gauge", "Open connections.", connections);
    figure(
        "holdfast_connections_gave_way_total",
        "counter",
        "Connections closed to make room for others.",
        traffic.gave_way,
    );
    figure(
        "holdfast_bodies_bytes",
        "gauge",
        "Bytes of bodies being received, beyond the first 16 KiB of each.",
        bodies.held() as u64,
    );
    figure(
        "holdfast_bodies_refused_total",
        "counter",
        "Bodies refused because all together were too large.",
        bodies.refused(),
    );
    figure(
        "holdfast_answers_bytes",
        "gauge",
        "Bytes of large answers that clients have not read.",
        traffic.answers_bytes as u64,
    );
    figure(
        "holdfast_answers_refused_total",
        "counter",
        "Requests refused because answers were not read.",
        traffic.answers_refused,
    );
}

/// What the check of the database after the start has found.
fn soundness(integrity: &Integrity) -> String {
    let (checked, damaged) = match integrity {
        Integrity::Unchecked => (0, 0),
        Integrity::Sound => (1, 0),
        Integrity::Damaged(_) => (1, 1),
    };
    format!(
        "# HELP holdfast_database_checked Whether the check after the start has ended.\n\
         # TYPE holdfast_database_checked gauge\nholdfast_database_checked {checked}\n\
         # HELP holdfast_database_damaged Whether it has found damage.\n\
         # TYPE holdfast_database_damaged gauge\nholdfast_database_damaged {damaged}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Digest;
    use std::time::Duration;

    #[test]
    fn each_figure_has_its_type_and_its_value() {
        let spent = [1, 2, 3, 4].map(Duration::from_millis);
        let reading =
            Reading { batches: 2, commands: 9, overloaded: 1, spent, ..Reading::default() };
        let text = render(&reading, 5, &Installed::first(Digest([0xab; 32])), 3);
        assert!(text.contains("# TYPE holdfast_commands_total counter\nholdfast_commands_total 9"));
        assert!(text.contains("holdfast_waiting_commands 5\n"));
        assert!(text.contains("holdfast_domain_faults_total 3\n"));
        assert!(text.contains("holdfast_domain_info{component=\"abab"));
        assert!(text.ends_with("holdfast_writer_seconds_total{stage=\"reply\"} 0.004000\n"));
    }
    #[test]
    fn a_clock_behind_forgotten_answers_and_lost_lines_are_figures() {
        let mut text = String::new();
        let status = ClockStatus::Behind;
        render_clock(&mut text, ClockReading { status, wall_ahead_ms: -1_500, now: 0 });
        render_answers(&mut text, LargeAnswers { bytes: 4, forgotten_early: 5 });
        render_log(&mut text, Counts { written: 1, lost: 2, held_back: 3 });
        assert!(text.contains("\nholdfast_clock_following 0\n"));
        assert!(text.contains("\nholdfast_clock_wall_ahead_seconds -1.500\n"));
        assert!(text.contains("\nholdfast_idempotency_large_bytes 4\n"));
        assert!(text.contains("\nholdfast_idempotency_forgotten_early_total 5\n"));
        assert!(text.contains("\nholdfast_log_lines_lost_total 2\n"));
        assert!(text.ends_with("\nholdfast_log_lines_held_back_total 3\n"));
    }
}

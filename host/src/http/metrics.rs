//! Figures for a collector, in Prometheus' text format.

use super::App;
use crate::{
    engine::{Reading, Stage},
    model::{Installed, Integrity},
};
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use std::fmt::Write;
use utoipa_axum::{router::OpenApiRouter, routes};

const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4");

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(metrics))
}

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
async fn metrics(State(app): State<App>) -> Response {
    let domain = app.engine.domain();
    let (reading, waiting) = (app.engine.meter(), app.engine.waiting());
    let mut text = render(&reading, waiting, &domain.installed, domain.faults);
    text += &soundness(&app.admin.integrity());
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response()
}

fn render(reading: &Reading, waiting: usize, installed: &Installed, faults: u64) -> String {
    let mut text = String::new();
    let mut figure = |name: &str, kind: &str, help: &str, value: u64| {
        // Writing to a string does not fail.
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
    };
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
        let reading = Reading { batches: 2, commands: 9, overloaded: 1, spent };
        let text = render(&reading, 5, &Installed::first(Digest([0xab; 32])), 3);
        assert!(text.contains("# TYPE holdfast_commands_total counter\nholdfast_commands_total 9"));
        assert!(text.contains("holdfast_waiting_commands 5\n"));
        assert!(text.contains("holdfast_domain_faults_total 3\n"));
        assert!(text.contains("holdfast_domain_info{component=\"abab"));
        assert!(text.ends_with("holdfast_writer_seconds_total{stage=\"reply\"} 0.004000\n"));
    }
}

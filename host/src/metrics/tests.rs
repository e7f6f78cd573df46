use super::*;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

const JOBS: Counter = Counter::new("jobs", "Jobs that were done.");
const BUSY: Counter = Counter::of_seconds("busy", "Time by stage.");
const KEPT: Gauge = Gauge::of_bytes("kept", "Bytes that are kept.");
const AHEAD: Gauge = Gauge::of_seconds("ahead", "How far the clock is ahead.");
const SOUND: Gauge = Gauge::new("sound", "Whether all is well.");
const BUILD: Info = Info::new("build", "The version.");

fn registry() -> Registry {
    let mut registry = Registry::default();
    registry.register(|encoder| {
        JOBS.encode(encoder, u64::MAX)?;
        let durations = [("wait", Duration::from_millis(1_500)), ("work", Duration::ZERO)];
        BUSY.encode_durations(encoder, "stage", durations)
    });
    registry.register(|encoder| {
        KEPT.encode(encoder, 7_u64)?;
        AHEAD.encode(encoder, -1.5)?;
        SOUND.encode_flag(encoder, true)?;
        BUILD.encode(encoder, "version", "a\"b")
    });
    registry
}

#[test]
fn each_family_has_its_type_unit_and_value_in_openmetrics() {
    assert_eq!(
        registry().encode(Format::OpenMetrics).unwrap(),
        "# HELP holdfast_jobs Jobs that were done.\n\
         # TYPE holdfast_jobs counter\n\
         holdfast_jobs_total 18446744073709551615\n\
         # HELP holdfast_busy_seconds Time by stage.\n\
         # TYPE holdfast_busy_seconds counter\n\
         # UNIT holdfast_busy_seconds seconds\n\
         holdfast_busy_seconds_total{stage=\"wait\"} 1.5\n\
         holdfast_busy_seconds_total{stage=\"work\"} 0.0\n\
         # HELP holdfast_kept_bytes Bytes that are kept.\n\
         # TYPE holdfast_kept_bytes gauge\n\
         # UNIT holdfast_kept_bytes bytes\n\
         holdfast_kept_bytes 7\n\
         # HELP holdfast_ahead_seconds How far the clock is ahead.\n\
         # TYPE holdfast_ahead_seconds gauge\n\
         # UNIT holdfast_ahead_seconds seconds\n\
         holdfast_ahead_seconds -1.5\n\
         # HELP holdfast_sound Whether all is well.\n\
         # TYPE holdfast_sound gauge\n\
         holdfast_sound 1\n\
         # HELP holdfast_build The version.\n\
         # TYPE holdfast_build info\n\
         holdfast_build_info{version=\"a\\\"b\"} 1\n\
         # EOF\n"
    );
}

#[test]
fn both_formats_have_the_same_samples() {
    let samples = |format| -> Vec<String> {
        let text = registry().encode(format).unwrap();
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    assert_eq!(samples(Format::OpenMetrics), samples(Format::Prometheus));
}

#[test]
fn numbers_are_read_at_each_scrape() {
    let jobs = Arc::new(AtomicU64::new(0));
    let mut registry = Registry::default();
    registry.register({
        let jobs = Arc::clone(&jobs);
        move |encoder| JOBS.encode(encoder, jobs.load(Ordering::Relaxed))
    });
    assert!(registry.encode(Format::Prometheus).unwrap().ends_with("holdfast_jobs_total 0\n"));
    jobs.store(3, Ordering::Relaxed);
    assert!(registry.encode(Format::Prometheus).unwrap().ends_with("holdfast_jobs_total 3\n"));
}

#[test]
fn a_failed_scrape_is_an_error_and_not_half_a_text() {
    let mut registry = registry();
    registry.register(|_| Err(fmt::Error));
    assert!(registry.encode(Format::OpenMetrics).is_err());
}

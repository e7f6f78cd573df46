//! `holdfast domain replay`.

use super::component;
use crate::{
    admission::{self, Candidate, Until},
    cli::{DatabaseAccess, open_database, print, remote},
    component::{Library, Runtime},
    config::Config,
    http::ReplayBody,
    replay::{self, Range},
    store::Store,
};
use anyhow::Context;
use hyper::Method;
use serde::Deserialize;
use std::{fmt::Write, process::ExitCode};

const REPLAY: &str = "/v1/admin/domain/replay";

/// The number of differences that are printed in full.
const SHOWN_MAX: usize = 20;

/// The report of a replay, made here or by the server's admin route.
#[derive(Deserialize)]
struct Summary {
    compared: u64,
    differing: u64,
    counts: Vec<DifferenceCount>,
    differences: Vec<serde_json::Value>,
    took_ms: u64,
}

/// The number of differences of one kind.
#[derive(Deserialize)]
struct DifferenceCount {
    command: String,
    decided: String,
    candidate: String,
    count: u64,
}

/// Replays the recorded commands of the events `from` to `to` on the configured component and
/// prints how its decisions differ. Works on the database itself, or through the server that has it
/// open. The exit code is 1 when any decision differs.
pub(super) fn run(from: Option<u64>, to: Option<u64>, config: &Config) -> anyhow::Result<ExitCode> {
    let bytes = component(config.component.as_deref())?;
    let report = match open_database(config)? {
        DatabaseAccess::Here(store) => {
            let runtime = Runtime::new(config.limits)?;
            let library = Library::open(config.component_folder.clone())?;
            let candidate = Candidate { bytes: &bytes, expected: None, until: Until::Call };
            let most = config.component_bytes_max;
            let admitted = admission::examine(&runtime, Some(&library), &candidate, most)?;
            let whole = Range::default();
            let range = Range { from: from.unwrap_or(whole.from), to: to.unwrap_or(whole.to) };
            let (snapshot, mut log) = (store.snapshot()?, store.log()?);
            let replayed =
                replay::replay(&admitted.compiled, snapshot, &mut log, range, SHOWN_MAX)?;
            serde_json::to_value(ReplayBody::from(&replayed))?
        }
        DatabaseAccess::OnServer => {
            let bound = |name, value: Option<u64>| value.map(|value| (name, value.to_string()));
            let range: Vec<_> =
                [bound("from", from), bound("to", to)].into_iter().flatten().collect();
            remote::ask(config, Method::POST, REPLAY, &range, bytes.into_owned())?
        }
    };
    let summary: Summary =
        serde_json::from_value(report).context("the report of the replay cannot be read")?;
    print(&report_text(&summary)?)?;
    Ok(if summary.differing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The report as text: a table of counts, and the first differences as JSON.
fn report_text(summary: &Summary) -> anyhow::Result<String> {
    let Summary { compared, differing, took_ms, .. } = summary;
    let mut text = format!("{compared} commands replayed in {took_ms} ms, {differing} differ");
    if !summary.counts.is_empty() {
        text.push_str("\n\n| command | decided | candidate | count |\n| --- | --- | --- | ---: |");
    }
    for DifferenceCount { command, decided, candidate, count } in &summary.counts {
        write!(text, "\n| {command} | {decided} | {candidate} | {count} |")?;
    }
    if !summary.differences.is_empty() {
        write!(text, "\n\nThe first {} in full, one a line:", summary.differences.len())?;
    }
    for difference in &summary.differences {
        write!(text, "\n{difference}")?;
    }
    Ok(text)
}

//! `holdfast domain replay`.

use super::component;
use crate::{
    admission::{self, Candidate, Until},
    cli::{Opened, opened, print, remote},
    component::{Library, Runtime},
    config::Config,
    replay::{self, Range},
    store::Store,
    trial::{Count, Difference},
};
use anyhow::Context;
use hyper::Method;
use serde::Deserialize;
use std::{fmt::Write, process::ExitCode};

const REPLAY: &str = "/v1/admin/domain/replay";

/// Number of differences that are printed in full.
const SHOWN_MAX: usize = 20;

/// The result of a replay, made here or by the server.
#[derive(Deserialize)]
struct Summary {
    compared: u64,
    differing: u64,
    counts: Vec<Count>,
    shown: Vec<serde_json::Value>,
    took_ms: u64,
}

/// Replays the recorded commands of the events `from` to `to` on the configured component and prints
/// how its decisions differ. Works on the database itself, or through the server that has it open.
/// The exit code is 1 when any decision differs.
pub(super) fn run(from: Option<u64>, to: Option<u64>, config: &Config) -> anyhow::Result<ExitCode> {
    let bytes = component(config.component.as_deref())?;
    let summary = match opened(config)? {
        Opened::Here(store) => {
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
            Summary {
                compared: replayed.comparison.compared(),
                differing: replayed.comparison.differing(),
                counts: replayed.comparison.counts(),
                shown: shown(replayed.comparison.shown())?,
                took_ms: u64::try_from(replayed.took.as_millis()).unwrap_or(u64::MAX),
            }
        }
        Opened::OnServer => {
            let bound = |name, value: Option<u64>| value.map(|value| (name, value.to_string()));
            let range: Vec<_> =
                [bound("from", from), bound("to", to)].into_iter().flatten().collect();
            let answer = remote::ask(config, Method::POST, REPLAY, &range, bytes.into_owned())?;
            serde_json::from_value(answer)
                .context("the server's answer is not the summary of a replay")?
        }
    };
    print(&told(&summary)?)?;
    Ok(if summary.differing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn shown(differences: &[Difference]) -> serde_json::Result<Vec<serde_json::Value>> {
    differences.iter().map(serde_json::to_value).collect()
}

fn told(summary: &Summary) -> anyhow::Result<String> {
    let Summary { compared, differing, took_ms, .. } = summary;
    let mut text = format!("{compared} commands replayed in {took_ms} ms, {differing} differ");
    if !summary.counts.is_empty() {
        text.push_str("\n\n| command | decided | candidate | count |\n| --- | --- | --- | ---: |");
    }
    for Count { command, decided, candidate, count } in &summary.counts {
        write!(text, "\n| {command} | {decided} | {candidate} | {count} |")?;
    }
    if !summary.shown.is_empty() {
        write!(text, "\n\nThe first {} in full, one a line:", summary.shown.len())?;
    }
    for difference in &summary.shown {
        write!(text, "\n{difference}")?;
    }
    Ok(text)
}

//! Differences between the component that counts and a candidate.

use super::{command::CommandBody, effect::EffectBody};
use crate::{
    comparison::{Count, Difference},
    engine::ShadowReport,
    model::Timestamp,
    replay::Replayed,
    wire::time::rfc3339,
};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// The number of differences of one kind.
#[derive(Serialize, ToSchema)]
struct CountBody {
    /// The name of the command, such as `reserve`.
    command: &'static str,
    /// The decision of the component that counts: `accepted`, `fault` or the code of a rejection.
    decided: String,
    /// The decision of the candidate, in the same words.
    candidate: String,
    /// The number of differences.
    count: u64,
}

fn counts(counts: Vec<Count>) -> Vec<CountBody> {
    let body = |Count { command, decided, candidate, count }| CountBody {
        command,
        decided,
        candidate,
        count,
    };
    counts.into_iter().map(body).collect()
}

/// A command with different effects by the component that counts and by the candidate.
#[derive(Serialize, ToSchema)]
struct DifferenceBody<'a> {
    /// The command's number among the recorded commands; null where it is not recorded.
    number: Option<u64>,
    /// The time of the decision (RFC 3339, UTC).
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    command: CommandBody<'a>,
    /// The effect of the command by the component that counts.
    decided: EffectBody<'a>,
    /// The effect of the command by the candidate.
    candidate: EffectBody<'a>,
}

impl<'a> From<&'a Difference> for DifferenceBody<'a> {
    fn from(difference: &'a Difference) -> Self {
        Self {
            number: difference.number,
            at: difference.at,
            command: (&difference.command).into(),
            decided: (&difference.decided).into(),
            candidate: (&difference.candidate).into(),
        }
    }
}

/// The report of a shadow so far.
#[derive(Serialize, ToSchema)]
pub(in crate::http::admin) struct ShadowBody<'a> {
    /// The SHA-256 of the candidate, in hexadecimal.
    candidate: String,
    /// The candidate decides one command in this many.
    every: u64,
    /// Whether the candidate still decides.
    running: bool,
    /// The reason for which the shadow stopped by itself; null where it has not stopped.
    stopped_for: Option<&'a str>,
    /// The number of commands that both components decided.
    compared: u64,
    /// The number of commands that had different effects.
    differing: u64,
    /// The number of commands on which the candidate failed.
    faults: u64,
    /// The differences by kind, the most frequent first.
    counts: Vec<CountBody>,
    /// The first differences, in full.
    differences: Vec<DifferenceBody<'a>>,
    /// The mean time that the component that counts took for a command, in microseconds.
    decided_us: f64,
    /// The mean time that the candidate took, in microseconds: the cost of the shadow for each
    /// command that it decides.
    candidate_us: f64,
}

impl<'a> From<&'a ShadowReport> for ShadowBody<'a> {
    fn from(report: &'a ShadowReport) -> Self {
        #[allow(clippy::cast_precision_loss, reason = "a mean need not be exact")]
        let mean = |time: Duration| time.as_secs_f64() * 1e6 / report.compared.max(1) as f64;
        Self {
            candidate: report.candidate.to_string(),
            every: report.every,
            running: report.running,
            stopped_for: report.stopped_for.as_deref(),
            compared: report.compared,
            differing: report.differing,
            faults: report.faults,
            counts: counts(report.counts.clone()),
            differences: report.shown.iter().map(DifferenceBody::from).collect(),
            decided_us: mean(report.decided_in),
            candidate_us: mean(report.candidate_in),
        }
    }
}

/// The result of a replay.
#[derive(Serialize, ToSchema)]
pub struct ReplayBody<'a> {
    /// The number of commands that were decided again.
    compared: u64,
    /// The number of commands that had a different effect by the candidate.
    differing: u64,
    /// The differences by kind, the most frequent first.
    counts: Vec<CountBody>,
    /// The first differences, in full.
    differences: Vec<DifferenceBody<'a>>,
    /// The time that the replay took, in milliseconds.
    took_ms: u64,
}

impl<'a> From<&'a Replayed> for ReplayBody<'a> {
    fn from(replayed: &'a Replayed) -> Self {
        let comparison = &replayed.comparison;
        Self {
            compared: comparison.compared(),
            differing: comparison.differing(),
            counts: counts(comparison.counts()),
            differences: comparison.examples().iter().map(DifferenceBody::from).collect(),
            took_ms: u64::try_from(replayed.took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

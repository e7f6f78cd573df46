//! What operators are told.

use crate::{
    admin::{Overview, SwapReport},
    admission::Step,
    engine::{DomainStatus, ShadowReport, Swapped},
    http::time::optional_rfc3339,
    model::Timestamp,
    replay::Replayed,
    trial::{Count, Difference},
};
use serde::Serialize;
use std::time::{Duration, UNIX_EPOCH};
use utoipa::ToSchema;

/// A step of an examination.
#[derive(Serialize, ToSchema)]
pub(super) struct StepBody {
    /// `size`, `digest`, `compile`, `contract`, `call` or `self-check`.
    step: &'static str,
    passed: bool,
    /// What was found.
    outcome: String,
    took_ms: u64,
}

pub(super) fn steps(steps: &[Step]) -> Vec<StepBody> {
    let body = |step: &Step| StepBody {
        step: step.step,
        passed: step.passed,
        outcome: step.outcome.clone(),
        took_ms: step.took_ms,
    };
    steps.iter().map(body).collect()
}

/// Another component decides.
#[derive(Serialize, ToSchema)]
pub(super) struct SwappedBody {
    /// The number of the event that says so.
    sequence: u64,
    /// SHA-256 of the component before, in hexadecimal.
    from: String,
    /// SHA-256 of the component that decides from there on.
    to: String,
}

impl From<Swapped> for SwappedBody {
    fn from(it: Swapped) -> Self {
        Self { sequence: it.sequence, from: it.from.to_string(), to: it.to.to_string() }
    }
}

/// What came of a swap.
#[derive(Serialize, ToSchema)]
pub(super) struct SwapBody {
    component: String,
    steps: Vec<StepBody>,
    /// Null where the component decided already.
    swapped: Option<SwappedBody>,
}

impl From<SwapReport> for SwapBody {
    fn from(it: SwapReport) -> Self {
        Self {
            component: it.component.to_string(),
            steps: steps(&it.steps),
            swapped: it.swapped.map(SwappedBody::from),
        }
    }
}

/// What a component may use, per call.
#[derive(Serialize, ToSchema)]
struct LimitsBody {
    memory_bytes_max: usize,
    fuel_per_call: u64,
    deadline_ms: u64,
    host_calls_max: u32,
    scanned_items_max: u32,
    transfer_bytes_max: usize,
}

/// Faults of components.
#[derive(Serialize, ToSchema)]
struct FaultsBody {
    /// Since the start of the process.
    total: u64,
    /// Of the component that decides, up to the bound.
    within_a_minute: usize,
    /// So many make it give way to the one before; 0: no number does.
    per_minute_max: usize,
}

/// A component that can be had.
#[derive(Serialize, ToSchema)]
struct ComponentFileBody {
    component: String,
    bytes: u64,
    #[serde(serialize_with = "optional_rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    since: Option<Timestamp>,
}

/// Which component decides, and how that goes.
#[derive(Serialize, ToSchema)]
pub(super) struct DomainBody {
    /// SHA-256 of the component that decides, in hexadecimal.
    current: String,
    /// The one before it: what a rollback goes back to.
    previous: Option<String>,
    /// The one that the settings name.
    configured: String,
    /// Since when, where that happened since the start of the process.
    #[serde(serialize_with = "optional_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    rolled_back: bool,
    rolled_back_for: Option<String>,
    limits: LimitsBody,
    faults: FaultsBody,
    /// Components that are kept, the latest first.
    components: Vec<ComponentFileBody>,
    shadow: Option<ShadowBody>,
}

impl From<Overview> for DomainBody {
    fn from(it: Overview) -> Self {
        let DomainStatus { installed, since, rolled_back_for, limits, .. } = it.status;
        let components = it.components.iter().map(|shelved| {
            let since = shelved.since.duration_since(UNIX_EPOCH).unwrap_or_default();
            ComponentFileBody {
                component: shelved.digest.to_string(),
                bytes: shelved.bytes,
                since: u64::try_from(since.as_millis()).ok(),
            }
        });
        Self {
            current: installed.current.to_string(),
            previous: installed.previous.map(|digest| digest.to_string()),
            configured: installed.configured.to_string(),
            since,
            rolled_back: installed.rolled_back,
            rolled_back_for,
            limits: LimitsBody {
                memory_bytes_max: limits.memory_bytes_max,
                fuel_per_call: limits.fuel_per_call,
                deadline_ms: limits.deadline_ms,
                host_calls_max: limits.host_calls_max,
                scanned_items_max: limits.scanned_items_max,
                transfer_bytes_max: limits.transfer_bytes_max,
            },
            faults: FaultsBody {
                total: it.status.faults,
                within_a_minute: it.status.faults_within_a_minute,
                per_minute_max: it.status.faults_per_minute_max,
            },
            components: components.collect(),
            shadow: it.shadow.map(ShadowBody::from),
        }
    }
}

/// How often a command was decided so and so.
#[derive(Serialize, ToSchema)]
pub(super) struct CountBody {
    /// The command, as the contract names it.
    command: String,
    /// `accepted`, `fault` or the code of the refusal.
    decided: String,
    /// What the candidate makes of it.
    candidate: String,
    count: u64,
}

fn counts(counts: Vec<Count>) -> Vec<CountBody> {
    let body = |it: Count| CountBody {
        command: it.command,
        decided: it.decided,
        candidate: it.candidate,
        count: it.count,
    };
    counts.into_iter().map(body).collect()
}

fn shown(differences: &[Difference]) -> Vec<serde_json::Value> {
    // Plain values: they can always be shown.
    differences.iter().map(|it| serde_json::to_value(it).unwrap_or_default()).collect()
}

/// What came of a shadow so far.
#[derive(Serialize, ToSchema)]
pub(super) struct ShadowBody {
    candidate: String,
    /// It decides one in so many commands.
    every: u64,
    running: bool,
    /// Why not, where it stopped by itself.
    stopped_for: Option<String>,
    compared: u64,
    differing: u64,
    faults: u64,
    /// Differences by kind, the most frequent first.
    counts: Vec<CountBody>,
    /// The first differences in full.
    #[schema(value_type = Vec<Object>)]
    shown: Vec<serde_json::Value>,
    /// What the component that counts took for a command, in microseconds.
    decided_us: f64,
    /// What the candidate took: so much longer did each take.
    candidate_us: f64,
}

impl From<ShadowReport> for ShadowBody {
    fn from(it: ShadowReport) -> Self {
        #[allow(clippy::cast_precision_loss, reason = "a mean")]
        let mean = |time: Duration| time.as_secs_f64() * 1e6 / it.compared.max(1) as f64;
        Self {
            candidate: it.candidate.to_string(),
            every: it.every,
            running: it.running,
            compared: it.compared,
            differing: it.differing,
            faults: it.faults,
            decided_us: mean(it.decided_in),
            candidate_us: mean(it.candidate_in),
            stopped_for: it.stopped_for,
            counts: counts(it.counts),
            shown: shown(&it.shown),
        }
    }
}

/// What came of a replay.
#[derive(Serialize, ToSchema)]
pub(super) struct ReplayBody {
    compared: u64,
    differing: u64,
    /// Differences by kind, the most frequent first.
    counts: Vec<CountBody>,
    /// The first differences in full.
    #[schema(value_type = Vec<Object>)]
    shown: Vec<serde_json::Value>,
    took_ms: u64,
}

impl From<Replayed> for ReplayBody {
    fn from(it: Replayed) -> Self {
        Self {
            compared: it.comparison.compared(),
            differing: it.comparison.differing(),
            counts: counts(it.comparison.counts()),
            shown: shown(it.comparison.shown()),
            took_ms: u64::try_from(it.took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

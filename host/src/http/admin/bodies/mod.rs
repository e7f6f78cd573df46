//! The bodies of the admin routes.

mod command;
mod comparison;
mod effect;
mod explanation;
#[cfg(test)]
mod tests;

pub use comparison::ReplayBody;
pub(super) use comparison::ShadowBody;
pub use explanation::ExplanationBody;

use crate::{
    admin::{Overview, SwapReport},
    admission::Step,
    engine::{DomainStatus, Swapped},
    http::body::schema::described,
    model::Timestamp,
    wire::time::optional_rfc3339,
};
use serde::Serialize;
use serde_json::json;
use std::{borrow::Cow, time::UNIX_EPOCH};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

/// The body of a request that sends a component, for the document: the bytes of the file as they
/// are.
pub(super) struct ComponentBytes;

impl PartialSchema for ComponentBytes {
    fn schema() -> RefOr<Schema> {
        described(json!({"type": "string", "format": "binary", "description": "The component"}))
    }
}

impl ToSchema for ComponentBytes {
    fn name() -> Cow<'static, str> {
        "ComponentBytes".into()
    }
}

/// A step of the admission that a component must pass.
#[derive(Serialize, ToSchema)]
pub(super) struct StepBody {
    /// `size`, `digest`, `compile`, `contract`, `call` or `self-check`.
    step: &'static str,
    passed: bool,
    /// The result of the step, in words.
    outcome: String,
    /// The time that the step took, in milliseconds.
    took_ms: u64,
}

/// Returns the bodies of the steps.
pub(super) fn steps(steps: &[Step]) -> Vec<StepBody> {
    let body = |step: &Step| StepBody {
        step: step.step,
        passed: step.passed,
        outcome: step.outcome.clone(),
        took_ms: step.took_ms,
    };
    steps.iter().map(body).collect()
}

/// The swap of one component for another.
#[derive(Serialize, ToSchema)]
pub(super) struct SwappedBody {
    /// The number of the swap's event in the log.
    sequence: u64,
    /// The SHA-256 of the component that decided before, in hexadecimal.
    from: String,
    /// The SHA-256 of the component that decides now, in hexadecimal.
    to: String,
}

impl From<Swapped> for SwappedBody {
    fn from(it: Swapped) -> Self {
        Self { sequence: it.sequence, from: it.from.to_string(), to: it.to.to_string() }
    }
}

/// The result of a swap.
#[derive(Serialize, ToSchema)]
pub(super) struct SwapBody {
    /// The SHA-256 of the component, in hexadecimal.
    component: String,
    /// The steps of the admission.
    steps: Vec<StepBody>,
    /// The swap; null where the component decided already.
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

/// The limits of one call of a component.
#[derive(Serialize, ToSchema)]
struct LimitsBody {
    memory_bytes_max: usize,
    fuel_per_call: u64,
    deadline_ms: u64,
    host_calls_max: u32,
    scanned_items_max: u32,
    transfer_bytes_max: usize,
}

/// The faults of components.
#[derive(Serialize, ToSchema)]
struct FaultsBody {
    /// The number since the start of the process.
    total: u64,
    /// The number of faults of the current component within the last minute, counted up to the
    /// bound.
    within_a_minute: usize,
    /// The number of faults within a minute at which the previous component takes over; 0 turns
    /// this off.
    per_minute_max: usize,
}

/// A component in the library.
#[derive(Serialize, ToSchema)]
struct ComponentFileBody {
    /// The SHA-256 of the component, in hexadecimal.
    component: String,
    bytes: u64,
    #[serde(serialize_with = "optional_rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    since: Option<Timestamp>,
}

/// The component that decides, with its limits and its faults.
#[derive(Serialize, ToSchema)]
pub(super) struct DomainBody<'a> {
    /// The SHA-256 of the component that decides, in hexadecimal.
    current: String,
    /// The SHA-256 of the component that a rollback goes back to; null where there is none.
    previous: Option<String>,
    /// The SHA-256 of the component that the settings name.
    configured: String,
    /// The time since which the component decides (RFC 3339, UTC); null where it decided already
    /// when the process started.
    #[serde(serialize_with = "optional_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Whether the server went back to the previous component.
    rolled_back: bool,
    /// The reason for which the server went back; null where it did not.
    rolled_back_for: Option<String>,
    limits: LimitsBody,
    faults: FaultsBody,
    /// The components in the library, the latest first.
    components: Vec<ComponentFileBody>,
    shadow: Option<ShadowBody<'a>>,
}

impl<'a> From<&'a Overview> for DomainBody<'a> {
    fn from(it: &'a Overview) -> Self {
        let DomainStatus { installed, since, rolled_back_for, limits, .. } = &it.status;
        let components = it.components.iter().map(|file| {
            let since = file.since.duration_since(UNIX_EPOCH).unwrap_or_default();
            ComponentFileBody {
                component: file.digest.to_string(),
                bytes: file.bytes,
                since: u64::try_from(since.as_millis()).ok(),
            }
        });
        Self {
            current: installed.current.to_string(),
            previous: installed.previous.map(|digest| digest.to_string()),
            configured: installed.configured.to_string(),
            since: *since,
            rolled_back: installed.rolled_back,
            rolled_back_for: rolled_back_for.clone(),
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
            shadow: it.shadow.as_ref().map(ShadowBody::from),
        }
    }
}

//! `/v1/batch`: many commands in one request.

use super::{
    App,
    answer::Subject,
    command::{Incoming, Terms, carry_out, command},
    input::{self, Faults, JsonBody},
    openapi::BatchProblems,
    problem::Problem,
    transfers,
};
use crate::{
    engine::Work,
    model::{Action, Command, Origin, Precondition},
};
use axum::{extract::State, response::Response};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

/// The most commands of one batch.
const COMMANDS_MAX: usize = 1_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(batch))
}

/// Commands, in order.
#[derive(ToSchema)]
#[schema(example = json!({
    "mode": "atomic",
    "commands": [
        {"type": "reserve", "product_id": "sku-1", "quantity": 2},
        {"type": "adjust", "product_id": "sku-2", "delta": -1, "reason": "damaged"},
        {"type": "hold", "lines": [{"product_id": "sku-3", "quantity": 1}], "ttl_seconds": 600}
    ]
}))]
#[allow(dead_code, reason = "it documents what `JsonBody` is asked for")]
struct BatchBody {
    /// `atomic`: all or none, each sees what those before it did. `independent`: each for itself.
    mode: String,
    /// Each has a `type` (`set`, `adjust`, `reserve`, `release`, `transfer`, `hold`, `replace`,
    /// `extend`, `confirm`, `fulfill`, `cancel`), the members of the single request of that
    /// type, `product_id` or `reservation_id`, and perhaps `if_version`.
    #[schema(min_items = 1, max_items = 1000, value_type = Vec<Object>)]
    commands: Vec<Value>,
}

/// One result per command, in order.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it documents what is answered")]
struct ResultsBody {
    results: Vec<ResultBody>,
}

/// What became of one command: a body where it was accepted, a problem otherwise.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it documents what is answered")]
struct ResultBody {
    status: u16,
    #[schema(value_type = Option<Object>)]
    body: Option<Value>,
    #[schema(value_type = Option<Object>)]
    problem: Option<Value>,
}

#[derive(Clone, Copy)]
enum Mode {
    Atomic,
    Independent,
}

const MODES: [(&str, Mode); 2] = [("atomic", Mode::Atomic), ("independent", Mode::Independent)];

/// Many commands
///
/// An atomic batch of which one command is refused is answered with that command's problem and
/// its `command_index`; nothing of it is written.
#[utoipa::path(
    post,
    path = "/v1/batch",
    tag = "batch",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Makes it safe to send again; the record of a large answer may go before its 24 hours"),
        ("dry_run" = Option<bool>, Query, description = "Decide only: nothing is written"),
    ),
    request_body = BatchBody,
    responses(
        (status = 200, description = "One result per command", body = ResultsBody),
        BatchProblems,
    )
)]
async fn batch(State(app): State<App>, incoming: Incoming) -> Result<Response, Problem> {
    let (terms, subjects, work) = input::work_on(incoming.body_bytes, || read(incoming)).await??;
    Ok(carry_out(&app, terms, Subject::Batch(subjects), work).await)
}

fn read(mut incoming: Incoming) -> Result<(Terms, Vec<Subject>, Work), Problem> {
    let mode = incoming.body.choice("mode", &MODES);
    let commands = incoming.body.list("commands", COMMANDS_MAX, one);
    let commands = commands.map_err(|count| {
        let detail = format!("a batch may have {COMMANDS_MAX} commands, this has {count}");
        Problem::new("batch-too-large", detail).with("limit", COMMANDS_MAX)
    })?;
    let terms = incoming.finish(Faults::default())?;
    if terms.precondition.is_some() {
        let detail = "a batch has no version: give if_version with its commands";
        return Err(Problem::new("invalid-request", detail));
    }
    let (subjects, commands): (Vec<_>, Vec<_>) = commands.into_iter().unzip();
    let work = match mode {
        Some(Mode::Atomic) => Work::Together(commands),
        Some(Mode::Independent) => Work::Each(commands),
        None => return Err(Problem::new("invalid-request", "the batch has no mode")),
    };
    Ok((terms, subjects, work))
}

#[derive(Clone, Copy)]
enum Kind {
    Set,
    Adjust,
    Reserve,
    Release,
    Transfer,
    Hold,
    Replace,
    Extend,
    Confirm,
    Fulfill,
    Cancel,
}

const KINDS: [(&str, Kind); 11] = [
    ("set", Kind::Set),
    ("adjust", Kind::Adjust),
    ("reserve", Kind::Reserve),
    ("release", Kind::Release),
    ("transfer", Kind::Transfer),
    ("hold", Kind::Hold),
    ("replace", Kind::Replace),
    ("extend", Kind::Extend),
    ("confirm", Kind::Confirm),
    ("fulfill", Kind::Fulfill),
    ("cancel", Kind::Cancel),
];

fn one(body: &mut JsonBody) -> Option<(Subject, Command)> {
    let kind = body.choice("type", &KINDS);
    let reference = body.text("reference");
    let reason = body.text("reason");
    let version = body.optional_version("if_version");
    let (subject, action) = action(kind?, body)?;
    let precondition = version.map(|version| Precondition::VersionIn(vec![version]));
    let origin = Origin {
        caller: None,
        reason: reason.map(Into::into),
        reference: reference.map(Into::into),
    };
    Some((subject, command(origin, precondition, action)))
}

fn action(kind: Kind, body: &mut JsonBody) -> Option<(Subject, Action)> {
    match kind {
        Kind::Set | Kind::Adjust | Kind::Reserve | Kind::Release => on_stock(kind, body),
        Kind::Transfer => {
            let product = body.product();
            let from = body.required_location("from_location_id");
            let to = body.required_location("to_location_id");
            let quantity = body.quantity("quantity", 1);
            Some(transfers::prepared(product?, from?, to?, quantity))
        }
        _ => on_reservation(kind, body).map(|action| (Subject::Reservation, action)),
    }
}

fn on_stock(kind: Kind, body: &mut JsonBody) -> Option<(Subject, Action)> {
    let key = body.key();
    let action = match kind {
        Kind::Set => {
            let total = body.quantity("total_quantity", 0);
            let minimum = body.optional_quantity("minimum_stock_level", 0);
            Action::AdjustSet { key: key.clone()?, total, minimum }
        }
        Kind::Adjust => {
            let delta = body.delta("delta");
            Action::AdjustBy { key: key.clone()?, delta }
        }
        Kind::Release => {
            let quantity = body.quantity("quantity", 1);
            Action::Release { key: key.clone()?, quantity }
        }
        _ => {
            let quantity = body.quantity("quantity", 1);
            Action::Reserve { key: key.clone()?, quantity }
        }
    };
    Some((Subject::Stock(key?), action))
}

fn on_reservation(kind: Kind, body: &mut JsonBody) -> Option<Action> {
    if let Kind::Hold = kind {
        let id = body.reservation_id().unwrap_or_else(|| Uuid::now_v7().to_string());
        let lines = body.lines();
        return Some(Action::Hold { id, lines, ttl_seconds: body.ttl() });
    }
    let id = body.required_reservation_id();
    Some(match kind {
        Kind::Replace => {
            let lines = body.lines();
            Action::Replace { id: id?, lines }
        }
        Kind::Extend => {
            let ttl_seconds = body.required_ttl();
            Action::Extend { id: id?, ttl_seconds }
        }
        Kind::Fulfill => {
            let lines = body.optional_lines();
            Action::Fulfil { id: id?, lines }
        }
        Kind::Cancel => {
            let lines = body.optional_lines();
            Action::Cancel { id: id?, lines }
        }
        _ => Action::Confirm { id: id? },
    })
}

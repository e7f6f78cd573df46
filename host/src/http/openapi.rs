//! The parts of the OpenAPI document that routes share. The document is made of the handlers and
//! of the types of their bodies; `router` puts it together.

use super::{
    answers::{ReservationBody, StockBody, TransferredBody},
    body::{Schema, Schemas, Value, schema::described},
    problem,
};
use crate::{model::ReservationState, wire::EventBody};
use serde_json::json;
use std::collections::BTreeMap;
use utoipa::{
    IntoResponses, Modify, OpenApi,
    openapi::{
        ContentBuilder, OpenApi as Document, RefOr, Required, Response, ResponseBuilder,
        example::ExampleBuilder,
        header::{Header, HeaderBuilder},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Holdfast",
        description = "Inventory reservations, decided by a WebAssembly component. Every \
            accepted command is on disk before it is answered. Errors are RFC 9457 problems \
            with a stable `code`.\n\n\
            The same command with the same `Idempotency-Key` is answered the same again for 24 \
            hours (`IDEMPOTENCY_HOURS`). Keys belong to the caller who sends them. Records of 16 \
            KiB and more (answer, key and 128 bytes), as of large batches, are kept up to 64 MiB \
            for each caller (`IDEMPOTENCY_CALLER_BYTES_MAX`) and 256 MiB in all \
            (`IDEMPOTENCY_BYTES_MAX`): the oldest of them go before their time. A request that is \
            sent again after its record is gone is taken as new.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(StockBody, TransferredBody, ReservationBody, EventBody)),
    modifiers(&Shared),
    tags(
        (name = "inventory", description = "Stocks: one product at one location each"),
        (name = "reservations", description = "Holds with an id, lines, an expiry and a life"),
        (name = "batch", description = "Many commands in one request"),
        (name = "events", description = "The log of every fact"),
        (name = "admin", description = "The component that decides, and the clock; with the admin token only"),
        (name = "health", description = "For the supervisor of the process"),
    )
)]
struct Description;

/// Adds what no handler names: problems, answers of dry runs, results of batches, the token.
struct Shared;

impl Modify for Shared {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let mut words = Schemas::new();
        ReservationState::named(&mut words);
        let named = problem::schemas().into_iter().chain(dry_runs()).chain(words);
        components.schemas.extend(named.map(|(name, it)| (name, described(it))));
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The admin token (`ADMIN_TOKEN`)"))
            .build();
        components.add_security_scheme(ADMIN_TOKEN, SecurityScheme::Http(token));
    }
}

/// The name of the security scheme of the admin routes.
pub(super) const ADMIN_TOKEN: &str = "admin_token";

/// The document before its routes are added.
pub(super) fn description() -> Document {
    Description::openapi()
}

/// What an accepted command is answered with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    Stock,
    Transfer,
    Reservation,
}

impl Answer {
    /// The name of the body's schema.
    pub(super) fn body(self) -> &'static str {
        match self {
            Self::Stock => "StockBody",
            Self::Transfer => "TransferredBody",
            Self::Reservation => "ReservationBody",
        }
    }

    /// The name of the schema of a dry run's body.
    pub(super) fn dry_run(self) -> &'static str {
        match self {
            Self::Stock => "StockDryRun",
            Self::Transfer => "TransferDryRun",
            Self::Reservation => "ReservationDryRun",
        }
    }

    /// What the body shows.
    pub(super) fn about(self) -> &'static str {
        match self {
            Self::Stock => "The stock after the command",
            Self::Transfer => "Both stocks after the transfer",
            Self::Reservation => "The reservation after the command",
        }
    }
}

/// The schemas of dry runs, of batches and their results.
fn dry_runs() -> Vec<(String, Schema)> {
    let reference = super::body::schema::reference;
    let dry_run = |body: Schema| {
        json!({
            "type": "object",
            "description": "What a command would be answered, and the events that it would have.",
            "required": ["dry_run", "status", "body", "events"],
            "properties": {
                "dry_run": {"type": "boolean", "enum": [true]},
                "status": {"type": "integer", "format": "int32", "minimum": 200, "maximum": 599},
                "body": body,
                "events": {"type": "array", "items": reference("EventBody")},
            },
        })
    };
    let answers = [Answer::Stock, Answer::Transfer, Answer::Reservation];
    let accepted = json!({
        "type": "object",
        "description": "The answer to a command of a batch that was accepted.",
        "required": ["status", "body"],
        "properties": {
            "status": {"type": "integer", "format": "int32", "enum": [200, 201]},
            "body": {"oneOf": answers.map(|it| reference(it.body()))},
        },
        "additionalProperties": false,
    });
    let refused = json!({
        "type": "object",
        "description": "The answer to a command of a batch that was refused.",
        "required": ["status", "problem"],
        "properties": {
            "status": {"type": "integer", "format": "int32", "minimum": 400, "maximum": 599},
            "problem": reference("Problem"),
        },
        "additionalProperties": false,
    });
    let results = json!({
        "type": "object",
        "description": "One result for each command, in order.",
        "required": ["results"],
        "properties": {"results": {"type": "array", "items": {
            "oneOf": [reference("AcceptedResult"), reference("RefusedResult")],
        }}},
    });
    let mut schemas: Vec<_> =
        answers.iter().map(|it| (it.dry_run().to_owned(), dry_run(reference(it.body())))).collect();
    schemas.extend([
        ("AcceptedResult".to_owned(), accepted),
        ("RefusedResult".to_owned(), refused),
        ("BatchResults".to_owned(), results),
        ("BatchDryRun".to_owned(), dry_run(reference("BatchResults"))),
    ]);
    schemas
}

/// Whether something is required, in the document's own type.
pub(super) fn required(required: bool) -> Required {
    if required { Required::True } else { Required::False }
}

/// A response header with a text.
pub(super) fn text_header(description: &str) -> Header {
    HeaderBuilder::new().description(Some(description)).build()
}

macro_rules! problems {
    ($($(#[$doc:meta])* $list:ident $($name:ident)?: $($code:literal)+;)+) => {
        $(
            $(#[$doc])*
            pub(super) const $list: &[&str] = &[$($code),+];

            $(
                /// The same problems, as responses of a route.
                pub(super) struct $name;

                impl IntoResponses for $name {
                    fn responses() -> BTreeMap<String, RefOr<Response>> {
                        problem_responses($list)
                    }
                }
            )?
        )+
    };
}

problems! {
    /// The problems of a command on one stock.
    ON_STOCK: "invalid-request" "product-not-found" "request-timeout"
        "insufficient-stock" "release-exceeds-reserved" "adjust-below-reserved"
        "quantity-out-of-range" "version-mismatch" "idempotency-key-reused" "body-too-large"
        "unsupported-media-type" "domain-fault" "internal-error" "overloaded"
        "read-only" "store-unavailable" "outcome-unknown" "stopping" "response-timeout";

    /// The problems of setting a stock.
    SET: "invalid-request" "request-timeout" "adjust-below-reserved" "version-mismatch"
        "precondition-required" "idempotency-key-reused" "body-too-large"
        "unsupported-media-type" "domain-fault" "internal-error" "overloaded"
        "read-only" "store-unavailable" "outcome-unknown" "stopping" "response-timeout";

    /// The problems of a command on a reservation.
    ON_RESERVATION: "invalid-request" "product-not-found" "reservation-not-found"
        "request-timeout" "insufficient-stock" "reservation-exists" "reservation-not-active"
        "reservation-expired" "quantity-exceeds-line" "version-mismatch"
        "idempotency-key-reused" "body-too-large" "unsupported-media-type" "domain-fault"
        "internal-error" "overloaded" "read-only" "store-unavailable"
        "outcome-unknown" "stopping" "response-timeout";

    /// The problems of a batch. Where its commands stand or fall together, the batch has the
    /// problem of the command that is refused.
    BATCH: "invalid-request" "product-not-found" "reservation-not-found"
        "request-timeout" "insufficient-stock" "release-exceeds-reserved"
        "adjust-below-reserved" "quantity-out-of-range" "reservation-exists"
        "reservation-not-active" "reservation-expired" "quantity-exceeds-line"
        "version-mismatch" "idempotency-key-reused" "batch-too-large" "body-too-large"
        "unsupported-media-type" "domain-fault" "internal-error" "overloaded"
        "read-only" "store-unavailable" "outcome-unknown" "stopping" "response-timeout";

    /// The problems of a query of one reservation.
    READ_RESERVATION ReservationReadProblems: "invalid-request" "reservation-not-found"
        "domain-fault" "internal-error" "overloaded" "store-unavailable" "stopping"
        "response-timeout";

    /// The problems of a query of one stock.
    READ_STOCK ReadProblems: "invalid-request" "product-not-found" "domain-fault"
        "internal-error" "overloaded" "store-unavailable" "stopping" "response-timeout";

    /// The problems of an operator's request.
    ADMIN AdminProblems: "invalid-request" "unauthenticated" "route-not-found" "not-recorded"
        "request-timeout" "swap-under-way" "no-component" "component-refused" "body-too-large"
        "internal-error" "read-only" "store-unavailable" "outcome-unknown" "stopping"
        "response-timeout";

    /// The problems of any other query.
    LIST ListProblems: "invalid-request" "request-timeout" "body-too-large"
        "unsupported-media-type" "domain-fault" "internal-error" "overloaded"
        "store-unavailable" "stopping" "response-timeout";
}

/// One response for each status of these problems, with an example of each problem.
pub(super) fn problem_responses(codes: &[&str]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for code in codes {
        by_status.entry(problem::look_up(code).0.as_u16()).or_default().push(code);
    }
    by_status
        .into_iter()
        .map(|(status, codes)| (status.to_string(), RefOr::T(problem_response(status, &codes))))
        .collect()
}

fn problem_response(status: u16, codes: &[&str]) -> Response {
    let examples = codes.iter().map(|code| {
        let example = problem::example(code);
        let title = problem::look_up(code).1;
        ((*code).to_owned(), ExampleBuilder::new().summary(title).value(Some(example)).build())
    });
    let content = ContentBuilder::new()
        .schema(described(problem::one_of(status, codes)).into())
        .examples_from_iter(examples)
        .build();
    let mut response = ResponseBuilder::new()
        .description(codes.join(", "))
        .content("application/problem+json", content);
    if status == 503 {
        response = response.header("Retry-After", text_header("Seconds to wait"));
    }
    if status == 401 {
        let about = "`Bearer`, with `error=\"invalid_token\"` where a token came that is wrong";
        response = response.header("WWW-Authenticate", text_header(about));
    }
    response.build()
}

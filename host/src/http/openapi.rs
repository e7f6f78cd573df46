//! The description of the interface, made from the handlers themselves.

use super::{
    App, admin, batch, events, health, inventory, metrics, problem, reservations, transfers,
};
use serde_json::json;
use std::collections::BTreeMap;
use utoipa::{
    IntoResponses, OpenApi, ToSchema,
    openapi::{
        ContentBuilder, Ref, RefOr, Response, ResponseBuilder, example::ExampleBuilder,
        header::HeaderBuilder,
    },
};
use utoipa_axum::router::OpenApiRouter;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Holdfast",
        description = "Inventory reservations, decided by a WebAssembly component. Every \
            accepted command is on disk before it is answered. Errors are RFC 9457 problems \
            with a stable `code`.\n\n\
            The same command with the same `Idempotency-Key` is answered the same again for 24 \
            hours (`IDEMPOTENCY_HOURS`). Records of 16 KiB and more (answer, key and 128 bytes), \
            as of large batches, are kept up to 64 MiB for each caller \
            (`IDEMPOTENCY_CALLER_BYTES_MAX`; for now all clients are one caller) and 256 MiB in \
            all (`IDEMPOTENCY_BYTES_MAX`): the oldest of them go before their time. A request \
            that is sent again after its record is gone is taken as new.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(ProblemBody, FaultBody)),
    tags(
        (name = "inventory", description = "Stocks: one product at one location each"),
        (name = "reservations", description = "Holds with an id, lines, an expiry and a life"),
        (name = "batch", description = "Many commands in one request"),
        (name = "events", description = "The log of every fact"),
        (name = "admin", description = "The component that decides, and the clock; with the admin token only"),
        (name = "health", description = "For whoever supervises the process"),
    )
)]
struct Description;

/// All routes, and the description that they make.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Description::openapi())
        .merge(inventory::routes())
        .merge(reservations::routes())
        .merge(transfers::routes())
        .merge(batch::routes())
        .merge(events::routes())
        .merge(admin::routes())
        .merge(health::routes())
        .merge(metrics::routes())
}

/// The OpenAPI document, as JSON.
///
/// # Errors
/// None that is known: the document is made of plain values.
pub fn document() -> Result<String, serde_json::Error> {
    routes().split_for_parts().1.to_pretty_json()
}

/// Why a request was not answered (RFC 9457). Some codes bring members of their own.
#[derive(ToSchema)]
#[schema(example = json!({
    "type": "urn:holdfast:problem:invalid-request", "title": "The request is not valid",
    "status": 400, "detail": "1 fault in the request", "code": "invalid-request",
    "errors": [{"in": "body", "pointer": "/quantity", "detail": "is required"}]
}))]
#[allow(dead_code, reason = "it documents what `Problem` writes")]
struct ProblemBody {
    /// `urn:holdfast:problem:` and the code.
    r#type: String,
    title: String,
    status: u16,
    /// One sentence for a person, with the numbers.
    detail: String,
    /// Stable: what a program should look at.
    code: String,
    /// For `invalid-request`: everything that is wrong.
    errors: Option<Vec<FaultBody>>,
}

/// One thing that is wrong with a request.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it documents what `Faults` writes")]
struct FaultBody {
    /// `body`, `path`, `query` or `header`.
    r#in: String,
    /// A JSON pointer (RFC 6901) into it.
    pointer: String,
    detail: String,
}

macro_rules! problems {
    ($(#[$doc:meta])* $name:ident: $($code:literal)+) => {
        $(#[$doc])*
        pub(super) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                responses(&[$($code),+])
            }
        }
    };
}

problems! {
    /// What a command on one stock can be answered.
    CommandProblems: "invalid-request" "product-not-found" "request-timeout"
        "insufficient-stock" "release-exceeds-reserved" "adjust-below-reserved"
        "quantity-out-of-range" "version-mismatch" "idempotency-key-reused" "body-too-large"
        "unsupported-media-type" "domain-fault" "internal-error" "overloaded"
        "read-only" "store-unavailable" "outcome-unknown" "stopping" "response-timeout"
}

problems! {
    /// What setting a stock can be answered.
    PutProblems: "invalid-request" "request-timeout" "adjust-below-reserved" "version-mismatch"
        "precondition-required" "idempotency-key-reused" "body-too-large"
        "unsupported-media-type" "domain-fault" "internal-error" "overloaded"
        "read-only" "store-unavailable" "outcome-unknown" "stopping" "response-timeout"
}

problems! {
    /// What a command on a reservation can be answered.
    ReservationProblems: "invalid-request" "product-not-found" "reservation-not-found"
        "request-timeout" "insufficient-stock" "reservation-exists" "reservation-not-active"
        "reservation-expired" "quantity-exceeds-line" "version-mismatch"
        "idempotency-key-reused" "body-too-large" "unsupported-media-type" "domain-fault"
        "internal-error" "overloaded" "read-only" "store-unavailable"
        "outcome-unknown" "stopping" "response-timeout"
}

problems! {
    /// What several commands at once can be answered: where they stand or fall together, also
    /// what each of them can be.
    BatchProblems: "invalid-request" "product-not-found" "reservation-not-found"
        "request-timeout" "insufficient-stock" "release-exceeds-reserved"
        "adjust-below-reserved" "quantity-out-of-range" "reservation-exists"
        "reservation-not-active" "reservation-expired" "quantity-exceeds-line"
        "version-mismatch" "idempotency-key-reused" "batch-too-large" "body-too-large"
        "unsupported-media-type" "domain-fault" "internal-error" "overloaded"
        "read-only" "store-unavailable" "outcome-unknown" "stopping" "response-timeout"
}

problems! {
    /// What a query of one reservation can be answered.
    ReservationReadProblems: "invalid-request" "reservation-not-found" "domain-fault"
        "internal-error" "store-unavailable" "stopping" "response-timeout"
}

problems! {
    /// What a query of one stock can be answered.
    ReadProblems: "invalid-request" "product-not-found" "domain-fault" "internal-error"
        "store-unavailable" "stopping" "response-timeout"
}

problems! {
    /// What operators can be answered.
    AdminProblems: "invalid-request" "forbidden" "route-not-found" "not-recorded"
        "request-timeout" "swap-under-way" "no-component" "component-refused" "body-too-large"
        "internal-error" "read-only" "store-unavailable" "outcome-unknown" "stopping"
        "response-timeout"
}

problems! {
    /// What any other query can be answered.
    ListProblems: "invalid-request" "request-timeout" "body-too-large" "unsupported-media-type"
        "domain-fault" "internal-error" "store-unavailable" "stopping"
        "response-timeout"
}

/// One response per status, with an example per code.
fn responses(codes: &[&str]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for code in codes {
        by_status.entry(problem::look_up(code).0.as_u16()).or_default().push(code);
    }
    by_status
        .into_iter()
        .map(|(status, codes)| (status.to_string(), RefOr::T(response(status, &codes))))
        .collect()
}

fn response(status: u16, codes: &[&str]) -> Response {
    let examples = codes.iter().map(|code| {
        let title = problem::look_up(code).1;
        let value = json!({
            "type": format!("{}{code}", problem::TYPE_PREFIX), "title": title, "status": status,
            "detail": title, "code": code,
        });
        ((*code).to_owned(), ExampleBuilder::new().summary(title).value(Some(value)).build())
    });
    let content = ContentBuilder::new()
        .schema(Some(RefOr::Ref(Ref::from_schema_name("ProblemBody"))))
        .examples_from_iter(examples)
        .build();
    let mut response = ResponseBuilder::new()
        .description(codes.join(", "))
        .content("application/problem+json", content);
    if status == 503 {
        let seconds = HeaderBuilder::new().description(Some("Seconds to wait")).build();
        response = response.header("Retry-After", seconds);
    }
    response.build()
}

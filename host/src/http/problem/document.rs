//! Problems in the OpenAPI document: a schema for each code, so that a client tells them apart by
//! `code`, and knows the members that each has.

use super::{
    TYPE_PREFIX,
    codes::{CODES, look_up},
};
use crate::http::body::{Part, Schema, schema::reference};
use serde_json::{Map, Value, json};

/// A member that problems of some codes have beyond the standard ones.
struct Member {
    name: &'static str,
    schema: Schema,
    example: Value,
}

fn member(name: &'static str, schema: Schema, example: impl Into<Value>) -> Member {
    Member { name, schema, example: example.into() }
}

fn count(name: &'static str, example: i64) -> Member {
    member(name, json!({"type": "integer", "format": "int64"}), example)
}

fn text(name: &'static str, example: &str) -> Member {
    member(name, json!({"type": "string"}), example)
}

/// The members that problems of this code always have.
fn required(code: &str) -> Vec<Member> {
    let stock = || vec![text("product_id", "sku-1"), text("location_id", "default")];
    let reservation = || text("reservation_id", "order-7");
    match code {
        "invalid-request" => {
            let violation = json!({"in": "body", "pointer": "/quantity", "detail": "is required"});
            let items = json!({"type": "array", "items": reference("Violation")});
            vec![member("errors", items, json!([violation]))]
        }
        "product-not-found" => stock(),
        "reservation-not-found" | "reservation-exists" => vec![reservation()],
        "insufficient-stock" => {
            let line = json!({"index": 0, "product_id": "sku-1", "location_id": "default",
                "requested": 5, "available": 3});
            let items = json!({"type": "array", "items": reference("ShortLine")});
            vec![member("lines", items, json!([line]))]
        }
        "quantity-exceeds-line" => {
            let line = json!({"index": 0, "product_id": "sku-1", "location_id": "default"});
            let items = json!({"type": "array", "items": reference("ExceededLine")});
            vec![
                count("requested", 5),
                count("remaining", 3),
                member("lines", items, json!([line])),
            ]
        }
        "release-exceeds-reserved" => {
            vec![count("requested", 5), count("releasable", 3), count("reserved", 4)]
        }
        "adjust-below-reserved" => vec![count("requested_total", 3), count("reserved", 4)],
        "quantity-out-of-range" => vec![
            count("requested_total", 1_000_000_000_000),
            count("maximum_total", 999_999_999_999),
        ],
        "reservation-not-active" => {
            vec![reservation(), member("state", reference("ReservationState"), "cancelled")]
        }
        "reservation-expired" => {
            vec![reservation(), member("state", reference("ReservationState"), "expired")]
        }

        _ => Vec::new(),
    }
}

/// The members that problems of this code have where they apply.
fn optional(code: &str) -> Vec<Member> {
    match code {
        "version-mismatch" => vec![count("current_version", 4)],
        "reservation-expired" => {
            let time = json!({"type": "string", "format": "date-time"});
            vec![member("expired_at", time, "2026-11-23T09:45:00.125Z")]
        }
        "batch-too-large" => {
            vec![count("limit", 1_000), count("lines", 6_000), count("lines_max", 5_000)]
        }
        "body-too-large" | "overloaded" => vec![count("limit", 1_048_576)],
        _ => Vec::new(),
    }
}

/// The name of the schema of a code's problems: `InsufficientStockProblem`.
fn name(code: &str) -> String {
    let words = code.split('-').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    });
    words.collect::<String>() + "Problem"
}

/// A problem of a code that only the domain component knows.
const OTHER: &str = "RuleProblem";

/// The members of every problem.
fn standard(code: Schema) -> Map<String, Value> {
    let members = json!({
        "type": {"type": "string", "description": "`urn:holdfast:problem:` and the code."},
        "title": {"type": "string"},
        "status": {"type": "integer", "format": "int32", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "One sentence for a person, with the numbers."},
        "code": code,
        "command_index": {"type": "integer", "format": "int32", "minimum": 0,
            "description": "In an atomic batch: the command that was refused."},
    });
    members.as_object().cloned().unwrap_or_default()
}

fn problem(
    description: &str,
    code: Schema,
    required: Vec<Member>,
    optional: Vec<Member>,
) -> Schema {
    let names = ["type", "title", "status", "detail", "code"].into_iter();
    let names: Vec<_> = names.chain(required.iter().map(|member| member.name)).collect();
    let mut members = standard(code);
    let others = required.into_iter().chain(optional);
    members.extend(others.map(|member| (member.name.to_owned(), member.schema)));
    json!({"type": "object", "description": description, "required": names, "properties": members})
}

/// The schemas of all problems, of their parts, and `Problem`: any of them.
pub(in crate::http) fn schemas() -> Vec<(String, Schema)> {
    let mut schemas: Vec<_> = CODES
        .iter()
        .map(|(code, _, title)| {
            let word = json!({"type": "string", "enum": [code]});
            (name(code), problem(title, word, required(code), optional(code)))
        })
        .collect();
    let other = "The domain component refused for a reason of its own.";
    schemas.push((OTHER.to_owned(), problem(other, json!({"type": "string"}), vec![], vec![])));
    let any = CODES.iter().map(|(code, _, _)| reference(&name(code)));
    let any: Vec<_> = any.chain([reference(OTHER)]).collect();
    schemas.push(("Problem".to_owned(), json!({"description": "Any problem.", "anyOf": any})));
    schemas.push((
        "Violation".to_owned(),
        json!({
            "type": "object",
            "description": "One thing that is wrong with a request.",
            "required": ["in", "pointer", "detail"],
            "properties": {
                "in": {"type": "string", "enum": Part::NAMES,
                    "description": "The part of the request."},
                "pointer": {"type": "string",
                    "description": "A JSON pointer (RFC 6901) into the part."},
                "detail": {"type": "string"},
            },
        }),
    ));
    let line = |about: &str, numbers: &[&str]| {
        let names =
            ["index", "product_id", "location_id"].into_iter().chain(numbers.iter().copied());
        let number = json!({"type": "integer", "format": "int64"});
        let mut members = json!({
            "index": {"type": "integer", "format": "int32", "minimum": 0,
                "description": "The place of the line in the request."},
            "product_id": {"type": "string"},
            "location_id": {"type": "string"},
        });
        if let Some(members) = members.as_object_mut() {
            members.extend(numbers.iter().map(|name| ((*name).to_owned(), number.clone())));
        }
        json!({"type": "object", "description": about, "required": names.collect::<Vec<_>>(),
            "properties": members})
    };
    let short = "A line that asks for more than is available.";
    schemas.push(("ShortLine".to_owned(), line(short, &["requested", "available"])));
    let exceeded = "A line that asks for more than the reservation still holds.";
    schemas.push(("ExceededLine".to_owned(), line(exceeded, &[])));
    schemas
}

/// The schema of a response with one of these codes.
pub(in crate::http) fn one_of(status: u16, codes: &[&str]) -> Schema {
    let known = codes.iter().map(|code| reference(&name(code)));
    // A code that this server does not know has the status 409.
    let other = (status == 409).then(|| reference(OTHER));
    let any: Vec<_> = known.chain(other).collect();
    match <[Schema; 1]>::try_from(any) {
        Ok([one]) => one,
        Err(any) => json!({"anyOf": any}),
    }
}

/// A problem of this code as it could be.
pub(in crate::http) fn example(code: &str) -> Value {
    let (status, title) = look_up(code);
    let mut example = json!({
        "type": format!("{TYPE_PREFIX}{code}"), "title": title, "status": status.as_u16(),
        "detail": title, "code": code,
    });
    if let Some(example) = example.as_object_mut() {
        let members = required(code).into_iter().chain(optional(code));
        example.extend(members.map(|member| (member.name.to_owned(), member.example)));
    }
    example
}

//! The document and the parsers agree: a body or a query that the OpenAPI document allows is read,
//! and one that the document does not allow is refused. An independent validator of JSON Schema
//! says what the document allows; the values are made of the schemas, and of much else.

mod values;

use super::{
    admin,
    body::{Object, Violations, read_query},
    commands::{
        AdjustBody, BatchBody, CancelBody, CommandParams, ConfirmBody, ExtendBody, FulfillBody,
        HoldBody, ReleaseBody, ReplaceBody, ReserveBody, SetBody, TransferBody,
    },
    events, input, inventory, reservations, router,
};
use jsonschema::Validator;
use proptest::{
    prop_oneof,
    strategy::{Strategy, ValueTree},
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The number of values that each body and each parameter is tried with.
const CASES: u32 = 400;

/// Of the values of a body or a parameter, at least one in so many is allowed, and at least one in
/// so many is not. Otherwise a test of values that are all refused would show nothing.
const SHARE: usize = 50;

/// Whether a parser reads a text.
type Parser = fn(&str) -> bool;

fn document() -> Value {
    serde_json::from_str(&router::document().unwrap()).unwrap()
}

/// A validator of a schema that may refer to the schemas of the document.
fn validator(document: &Value, schema: &Value) -> Validator {
    let whole = json!({"allOf": [schema], "components": document["components"]});
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(true)
        .build(&whole)
        .unwrap()
}

fn reads_body<T: Object>(text: &str) -> bool {
    let mut violations = Violations::default();
    let read = input::read_json::<T>(text.as_bytes(), &mut violations);
    violations.valid(read).is_ok()
}

fn reads_query<T: Object>(query: &str) -> bool {
    let mut violations = Violations::default();
    let read = read_query::<T>(Some(query), &mut violations);
    violations.valid(read).is_ok()
}

/// The parsers of all bodies, by the names of their schemas.
const BODIES: [(&str, Parser); 13] = [
    ("AdjustBody", reads_body::<AdjustBody>),
    ("BatchBody", reads_body::<BatchBody>),
    ("CancelBody", reads_body::<CancelBody>),
    ("ConfirmBody", reads_body::<ConfirmBody>),
    ("ExtendBody", reads_body::<ExtendBody>),
    ("FulfillBody", reads_body::<FulfillBody>),
    ("HoldBody", reads_body::<HoldBody>),
    ("QueryBody", reads_body::<inventory::query::QueryBody>),
    ("ReleaseBody", reads_body::<ReleaseBody>),
    ("ReplaceBody", reads_body::<ReplaceBody>),
    ("ReserveBody", reads_body::<ReserveBody>),
    ("SetBody", reads_body::<SetBody>),
    ("TransferBody", reads_body::<TransferBody>),
];

/// The parsers of all query strings, by operation. Commands share theirs.
const QUERIES: [(&str, Parser); 12] = [
    ("begin_shadow", reads_query::<admin::params::ShadowParams>),
    ("get_stock", reads_query::<inventory::get::StockParams>),
    ("list_events", reads_query::<events::EventListParams>),
    ("list_low_stocks", reads_query::<inventory::low_stock::LowStockParams>),
    ("list_reservations", reads_query::<reservations::list::ReservationListParams>),
    ("list_stock_events", reads_query::<inventory::events::LedgerParams>),
    ("list_stocks", reads_query::<inventory::list::StockListParams>),
    ("promote_shadow", reads_query::<admin::params::PromoteParams>),
    ("replay", reads_query::<admin::params::ReplayParams>),
    ("reserve", reads_query::<CommandParams>),
    ("roll_back_domain", reads_query::<admin::params::RollbackParams>),
    ("swap_domain", reads_query::<admin::params::SwapParams>),
];

/// The operations whose query is that of `reserve`.
const COMMANDS: [&str; 12] = [
    "adjust",
    "batch",
    "cancel",
    "confirm",
    "extend",
    "fulfill",
    "hold",
    "release",
    "replace",
    "reserve",
    "set_stock",
    "transfer",
];

/// The numbers of tried values that the document allows and refuses.
#[derive(Default, Debug)]
struct Tried {
    allowed: usize,
    refused: usize,
}

impl Tried {
    /// Holds one value against both.
    fn value(&mut self, name: &str, text: &str, allowed: bool, read: bool) {
        let (document, parser) = (say(allowed), say(read));
        assert_eq!(allowed, read, "{name} {text}: the document {document} it, the parser {parser}");
        *(if allowed { &mut self.allowed } else { &mut self.refused }) += 1;
    }

    fn shows_something(&self, name: &str) {
        let least = (self.allowed + self.refused) / SHARE;
        assert!(self.allowed >= least && self.refused >= least, "{name}: {self:?}");
    }
}

fn say(accepts: bool) -> &'static str {
    if accepts { "accepts" } else { "refuses" }
}

#[test]
fn a_body_is_read_if_and_only_if_the_document_allows_it() {
    let document = document();
    let mut runner = TestRunner::new(Config::default());
    for (name, parser) in BODIES {
        let schema = json!({"$ref": format!("#/components/schemas/{name}")});
        let validator = validator(&document, &schema);
        let values = values::of(&document, &schema);
        let mut tried = Tried::default();
        for _ in 0..CASES {
            let value = values.new_tree(&mut runner).unwrap().current();
            let text = value.to_string();
            tried.value(name, &text, validator.is_valid(&value), parser(&text));
        }
        tried.shows_something(name);
    }
}

#[test]
fn a_parameter_is_read_if_and_only_if_the_document_allows_it() {
    let document = document();
    let mut runner = TestRunner::new(Config::default());
    for (operation, parser) in QUERIES {
        for parameter in parameters(&document, operation) {
            let name = parameter["name"].as_str().unwrap();
            // No schema tells the cursors that the server has made from others: `tests/lists.rs`.
            if name == "cursor" {
                continue;
            }
            let schema = &parameter["schema"];
            let validator = validator(&document, schema);
            let values = prop_oneof![4 => values::of(&document, schema), 1 => values::scalar()];
            let mut tried = Tried::default();
            for _ in 0..CASES {
                let value = values.new_tree(&mut runner).unwrap().current();
                let Some(text) = in_a_query(&value) else { continue };
                let value = from_a_query(schema, &text);
                let query = serde_urlencoded::to_string([(name, &text)]).unwrap();
                let place = format!("{operation}?{name}");
                tried.value(&place, &text, validator.is_valid(&value), parser(&query));
            }
            tried.shows_something(&format!("{operation}?{name}"));
        }
    }
}

/// A scalar as the text of a parameter. Null stands for a parameter that is absent.
fn in_a_query(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The value that the text of a parameter stands for: an integer or a boolean where the schema
/// asks for one and the text is just as JSON would write it, otherwise a string.
fn from_a_query(schema: &Value, text: &str) -> Value {
    match serde_json::from_str::<Value>(text) {
        Ok(value) if asks_for(schema, "integer") && (value.is_u64() || value.is_i64()) => value,
        Ok(value) if asks_for(schema, "boolean") && value.is_boolean() => value,
        _ => text.into(),
    }
}

fn asks_for(schema: &Value, kind: &str) -> bool {
    let choices = schema["oneOf"].as_array();
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(|it| it == kind),
        one if one == kind => true,
        _ => choices.is_some_and(|choices| choices.iter().any(|it| asks_for(it, kind))),
    }
}

fn parameters(document: &Value, operation: &str) -> Vec<Value> {
    let found = operations(document).remove(operation).unwrap();
    let parameters = found["parameters"].as_array().cloned().unwrap_or_default();
    parameters.into_iter().filter(|it| it["in"] == "query").collect()
}

/// The operations of the document, by their ids.
fn operations(document: &Value) -> BTreeMap<String, Value> {
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    operations.map(|it| (it["operationId"].as_str().unwrap().to_owned(), it.clone())).collect()
}

#[test]
fn every_body_and_every_query_of_the_document_is_tried() {
    let document = document();
    let (mut bodies, mut queries) = (Vec::new(), Vec::new());
    for (name, operation) in operations(&document) {
        let body = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        bodies.extend(body.as_str().and_then(|it| it.rsplit('/').next()).map(str::to_owned));
        if !parameters(&document, &name).is_empty() {
            queries.push(name);
        }
    }
    bodies.sort();
    assert_eq!(bodies, BODIES.map(|(name, _)| name));
    queries.retain(|name| name == "reserve" || !COMMANDS.contains(&name.as_str()));
    assert_eq!(queries, QUERIES.map(|(name, _)| name));
    let shared = parameters(&document, "reserve");
    for command in COMMANDS {
        assert_eq!(parameters(&document, command), shared, "{command}");
    }
}

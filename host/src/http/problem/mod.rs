//! Errors as RFC 9457 problems. The code is the contract: `type` is made of it, and the
//! status is looked up by it. What the client is told is here; what the log is told was
//! logged where it happened.

mod codes;
mod document;

pub(super) use codes::look_up;
pub(super) use document::{example, one_of, schemas};

use super::buffered::BufferedResponse;
use crate::{
    engine,
    model::{Detail, Rejection, StockKey, Value},
    wire::time,
};
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

/// The part of a problem's `type` before its code.
const TYPE_PREFIX: &str = "urn:holdfast:problem:";

/// How long a client should wait before it tries again what failed for the moment.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// A problem on its way to a client.
#[derive(Debug)]
pub(super) struct Problem(Box<Content>);

#[derive(Debug)]
struct Content {
    code: String,
    detail: String,
    members: Map<String, Json>,
    /// The value of `WWW-Authenticate`; `None` for problems that are not about credentials.
    challenge: Option<&'static str>,
}

/// A problem as it is written: the standard members first.
#[derive(Serialize)]
struct ProblemBody<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    #[serde(flatten)]
    members: &'a Map<String, Json>,
}

/// What a response's problem was, for the log.
#[derive(Clone)]
pub(super) struct ProblemCode(pub(super) String);

impl Problem {
    pub(super) fn new(code: impl Into<String>, detail: impl Into<String>) -> Self {
        let (code, detail) = (code.into(), detail.into());
        Self(Box::new(Content { code, detail, members: Map::new(), challenge: None }))
    }

    /// The problem of a request that needs valid credentials and brings none. `challenge` is the
    /// value of `WWW-Authenticate`, which every 401 has (RFC 9110, 15.5.2).
    pub(super) fn unauthenticated(challenge: &'static str, detail: impl Into<String>) -> Self {
        let mut problem = Self::new("unauthenticated", detail);
        problem.0.challenge = Some(challenge);
        problem
    }

    pub(super) fn with(mut self, member: &str, value: impl Into<Json>) -> Self {
        self.0.members.insert(member.to_owned(), value.into());
        self
    }
}

impl Problem {
    /// The problem of a query of a stock that does not exist.
    pub(super) fn no_stock(key: &StockKey, detail: String) -> Self {
        Self::new("product-not-found", detail)
            .with("product_id", key.product_id.as_str())
            .with("location_id", key.location_id.as_str())
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let problem = Self::new(rejection.code, rejection.message);
        if problem.0.code == "invalid-request" {
            let errors: Vec<_> = rejection.details.into_iter().map(argument_error).collect();
            return problem.with("errors", errors);
        }
        let mut lines: Vec<(u32, Map<String, Json>)> = Vec::new();
        let mut members = problem.0.members;
        for Detail { line, name, value } in rejection.details {
            let value = match value {
                // The contract counts milliseconds; here, times are texts.
                Value::Unsigned(at) if name.ends_with("_at") => time::text(at).into(),
                other => json_value(other),
            };
            match (line, lines.last_mut()) {
                (None, _) => {
                    members.insert(name, value);
                }
                (Some(index), Some((current, line))) if *current == index => {
                    line.insert(name, value);
                }
                (Some(index), _) => {
                    let mut line = Map::new();
                    line.insert("index".to_owned(), index.into());
                    line.insert(name, value);
                    lines.push((index, line));
                }
            }
        }
        if !lines.is_empty() {
            let lines: Vec<_> = lines.into_iter().map(|(_, line)| Json::Object(line)).collect();
            members.insert("lines".to_owned(), lines.into());
        }
        Self(Box::new(Content { members, ..*problem.0 }))
    }
}

fn argument_error(detail: Detail) -> Json {
    let pointer = match detail.line {
        Some(line) => format!("/lines/{line}/{}", detail.name),
        None => format!("/{}", detail.name),
    };
    json!({ "in": "body", "pointer": pointer, "detail": json_value(detail.value) })
}

fn json_value(value: Value) -> Json {
    match value {
        Value::Text(text) => text.into(),
        Value::Unsigned(number) => number.into(),
        Value::Signed(number) => number.into(),
        Value::Flag(flag) => flag.into(),
    }
}

impl From<engine::Error> for Problem {
    fn from(error: engine::Error) -> Self {
        let code = match error {
            engine::Error::Rejected(rejection) => return rejection.into(),
            engine::Error::InBatch { index, cause } => {
                return Self::from(*cause).with("command_index", index);
            }
            engine::Error::TooManyLines { lines, most } => {
                return Self::new("batch-too-large", error.to_string())
                    .with("lines", lines)
                    .with("lines_max", most);
            }
            engine::Error::Late { .. } | engine::Error::QueryTimeout { .. } => "response-timeout",
            engine::Error::KeyReused => "idempotency-key-reused",
            engine::Error::Fault => "domain-fault",
            engine::Error::Overloaded { .. } => "overloaded",
            engine::Error::ReadOnly => "read-only",
            engine::Error::StoreUnavailable => "store-unavailable",
            engine::Error::OutcomeUnknown => "outcome-unknown",
            engine::Error::Stopping => "stopping",
        };
        Self::new(code, error.to_string())
    }
}

impl From<Problem> for Response {
    fn from(problem: Problem) -> Self {
        problem.into_response()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.into_buffered().map(Body::from)
    }
}

impl Problem {
    /// The answer.
    pub(super) fn into_buffered(self) -> BufferedResponse {
        let Content { code, detail, members, challenge } = *self.0;
        let (status, title) = look_up(&code);
        let body = ProblemBody {
            r#type: format!("{TYPE_PREFIX}{code}"),
            title,
            status: status.as_u16(),
            detail: &detail,
            code: &code,
            members: &members,
        };
        // Texts and numbers: nothing in it can fail to be written.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = BufferedResponse::new(body.into());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        if let Some(challenge) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if matches!(code.as_str(), "body-too-large" | "request-timeout") {
            // What remains of the body is not worth reading.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.extensions_mut().insert(ProblemCode(code));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(line: Option<u32>, name: &str, value: Value) -> Detail {
        Detail { line, name: name.to_owned(), value }
    }

    fn members(rejection: Rejection) -> Json {
        Json::Object(Problem::from(rejection).0.members)
    }

    #[test]
    fn details_become_members_and_those_of_lines_become_lines() {
        let rejection = Rejection {
            code: "insufficient-stock".to_owned(),
            message: String::new(),
            details: vec![
                detail(None, "note", Value::Flag(true)),
                detail(Some(0), "requested", Value::Unsigned(5)),
                detail(Some(0), "available", Value::Unsigned(2)),
                detail(Some(3), "requested", Value::Unsigned(1)),
            ],
        };
        assert_eq!(
            members(rejection),
            json!({"note": true, "lines": [
                {"index": 0, "requested": 5, "available": 2},
                {"index": 3, "requested": 1},
            ]})
        );
    }

    #[test]
    fn invalid_arguments_become_errors_with_pointers() {
        let rejection = Rejection {
            code: "invalid-request".to_owned(),
            message: String::new(),
            details: vec![detail(None, "quantity", Value::Text("must be kind".to_owned()))],
        };
        assert_eq!(
            members(rejection),
            json!({"errors": [{"in": "body", "pointer": "/quantity", "detail": "must be kind"}]})
        );
    }

    #[test]
    fn a_code_that_a_foreign_domain_brings_is_a_conflict() {
        assert_eq!(look_up("per-caller-limit").0, StatusCode::CONFLICT);
        assert_eq!(look_up("product-not-found").0, StatusCode::NOT_FOUND);
    }

    #[test]
    fn a_client_is_told_when_to_come_back() {
        let response = Problem::from(engine::Error::ReadOnly).into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key(header::RETRY_AFTER));
    }
}

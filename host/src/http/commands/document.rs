//! The description of commands in the OpenAPI document, made from their bodies and targets.

use super::{Command, batch::BatchBody, incoming::CommandParams};
use crate::http::{
    body::{Schemas, Value, parameters, schema},
    input::Target,
    openapi::{self, Answer},
    parameters::{IDEMPOTENCY_KEY, IF_MATCH, IF_NONE_MATCH_ANY, header, segment},
};
use axum::http::Method;
use utoipa::openapi::{
    RefOr, Response, ResponseBuilder,
    content::ContentBuilder,
    path::{Operation, OperationBuilder},
    request_body::RequestBodyBuilder,
};

/// Returns the description of a command's route and the schemas that it refers to. `problems` are
/// the codes of the problems that the route can be answered with.
pub(in crate::http) fn document<C: Command>(
    method: &Method,
    tag: &str,
    problems: &[&str],
) -> (Operation, Schemas) {
    let mut operation = OperationBuilder::new()
        .tag(tag)
        .operation_id(Some(C::DOC.id))
        .summary(Some(C::DOC.summary))
        .description(Some(C::DOC.description));
    if let Some(name) = C::Target::SEGMENT {
        operation = operation.parameter(segment(name));
    }
    operation = operation.parameter(header(IF_MATCH));
    if *method == Method::PUT && C::ANSWER == Answer::Stock {
        operation = operation.parameter(header(IF_NONE_MATCH_ANY));
    }
    operation = operation.parameter(header(IDEMPOTENCY_KEY));
    for parameter in parameters::<CommandParams>() {
        operation = operation.parameter(parameter);
    }
    let required = C::properties().iter().any(|property| property.required);
    let body = RequestBodyBuilder::new()
        .content(
            "application/json",
            ContentBuilder::new().schema(schema::described(C::schema()).into()).build(),
        )
        .required(Some(openapi::required(required)))
        .build();
    operation = operation.request_body(Some(body));
    let mut responses = openapi::problem_responses(problems);
    responses.insert("200".to_owned(), answer(C::ANSWER, false));
    if C::CREATES {
        responses.insert("201".to_owned(), answer(C::ANSWER, true));
    }
    for (status, response) in responses {
        operation = operation.response(status, response);
    }
    let mut schemas = Schemas::new();
    <C as Value>::named(&mut schemas);
    (operation.build(), schemas)
}

/// Describes the answer to an accepted command. The answer to a dry run has the status 200 in any
/// case.
fn answer(answer: Answer, created: bool) -> RefOr<Response> {
    let body = schema::reference(answer.body());
    let (description, body) = if created {
        (format!("{}, created", answer.about()), body)
    } else {
        let dry_run = schema::reference(answer.dry_run());
        let body = serde_json::json!({"oneOf": [body, dry_run]});
        (
            format!(
                "{}; for a dry run, the answer that the command would have had",
                answer.about()
            ),
            body,
        )
    };
    let content = ContentBuilder::new().schema(schema::described(body).into()).build();
    let mut response =
        ResponseBuilder::new().description(description).content("application/json", content);
    if answer != Answer::Transfer {
        response = response.header("ETag", openapi::text_header("The version, in double quotes"));
    }
    if created {
        response =
            response.header("Location", openapi::text_header("The address of the new resource"));
    }
    RefOr::T(response.build())
}

/// Returns the description of the route of batches and the schemas that it refers to.
pub(in crate::http) fn batch_document(problems: &[&str]) -> (Operation, Schemas) {
    let reference = schema::reference;
    let body = ContentBuilder::new().schema(schema::described(BatchBody::schema()).into()).build();
    let body = RequestBodyBuilder::new()
        .content("application/json", body)
        .required(Some(openapi::required(true)))
        .build();
    let answer =
        serde_json::json!({"oneOf": [reference("BatchResults"), reference("BatchDryRun")]});
    let content = ContentBuilder::new().schema(schema::described(answer).into()).build();
    let description =
        "One result for each command; for a dry run, the answer that the batch would have had";
    let answer =
        ResponseBuilder::new().description(description).content("application/json", content);
    let mut operation = OperationBuilder::new()
        .tag("batch")
        .operation_id(Some("batch"))
        .summary(Some("Many commands"))
        .description(Some(
            "Where one command of an atomic batch is refused, the answer is that command's problem \
            with its `command_index`, and nothing is written.",
        ))
        .parameter(header(IDEMPOTENCY_KEY))
        .request_body(Some(body))
        .response("200", answer.build());
    for parameter in parameters::<CommandParams>() {
        operation = operation.parameter(parameter);
    }
    for (status, response) in openapi::problem_responses(problems) {
        operation = operation.response(status, response);
    }
    let mut schemas = Schemas::new();
    <BatchBody as Value>::named(&mut schemas);
    (operation.build(), schemas)
}

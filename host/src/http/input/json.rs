//! Bodies that are JSON objects: their media type, and their parsing.

use super::{App, receive};
use crate::http::{
    body::{Object, Part, Reader, Violations, read_object},
    problem::Problem,
};
use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use bytes::Bytes;

/// Receives the bytes of a JSON body within the limits. The bytes are not parsed.
///
/// # Errors
/// The content type is not JSON, or the body exceeds a limit.
pub(in crate::http) async fn receive_json(
    headers: &HeaderMap,
    body: Body,
    app: &App,
) -> Result<Bytes, Problem> {
    check_media_type(headers)?;
    receive(body, &app.body_limits).await
}

/// Refuses a content type that is not JSON. A request without a content type counts as JSON.
fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let json = essence.eq_ignore_ascii_case("application/json")
        || (essence.len() > 5 && essence.to_ascii_lowercase().ends_with("+json"));
    if json {
        return Ok(());
    }
    let detail = format!("content-type is {essence:?}, expected is application/json");
    Err(Problem::new("unsupported-media-type", detail))
}

/// Reads a body. An empty body counts as `{}` where `T` has no required member. Returns `None`
/// where something is refused.
pub(in crate::http) fn read_json<T: Object>(
    bytes: &[u8],
    violations: &mut Violations,
) -> Option<T> {
    let bytes = match bytes {
        [] if T::properties().iter().any(|property| property.required) => {
            violations.add(Part::Body, "", "the body is empty, expected is a JSON object");
            return None;
        }
        [] => b"{}",
        bytes => bytes,
    };
    let mut source = serde_json::Deserializer::from_slice(bytes);
    let read = read_object(&mut source, &mut Reader::new(Part::Body, violations));
    match read.and_then(|value| source.end().map(|()| value)) {
        Ok(value) => value,
        Err(error) => {
            violations.add(Part::Body, "", format_args!("this is not JSON: {error}"));
            None
        }
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;

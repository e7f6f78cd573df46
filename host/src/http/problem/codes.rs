//! The codes of problems: each with its status and its title.

use axum::http::StatusCode;

/// Every code with its status and title. A code that the domain brings and this list lacks
/// is a conflict with the state: 409.
pub(super) const CODES: [(&str, StatusCode, &str); 33] = [
    ("invalid-request", StatusCode::BAD_REQUEST, "The request is not valid"),
    ("unauthenticated", StatusCode::UNAUTHORIZED, "The token is missing or wrong"),
    ("route-not-found", StatusCode::NOT_FOUND, "There is no such route"),
    ("product-not-found", StatusCode::NOT_FOUND, "There is no such stock"),
    ("reservation-not-found", StatusCode::NOT_FOUND, "There is no such reservation"),
    ("not-recorded", StatusCode::NOT_FOUND, "No such command is recorded"),
    ("swap-under-way", StatusCode::CONFLICT, "Another component is being examined or swapped in"),
    ("no-component", StatusCode::CONFLICT, "There is no such component"),
    ("component-refused", StatusCode::UNPROCESSABLE_ENTITY, "The component did not pass"),
    ("method-not-allowed", StatusCode::METHOD_NOT_ALLOWED, "The route has no such method"),
    ("request-timeout", StatusCode::REQUEST_TIMEOUT, "The request took too long to arrive"),
    ("insufficient-stock", StatusCode::CONFLICT, "Not enough is available"),
    ("release-exceeds-reserved", StatusCode::CONFLICT, "More than is reserved"),
    ("adjust-below-reserved", StatusCode::CONFLICT, "The total would be below what is reserved"),
    ("quantity-out-of-range", StatusCode::CONFLICT, "The total would exceed the largest quantity"),
    ("reservation-exists", StatusCode::CONFLICT, "The id names another reservation"),
    ("reservation-not-active", StatusCode::CONFLICT, "The reservation is past that"),
    ("reservation-expired", StatusCode::CONFLICT, "The reservation has expired"),
    ("quantity-exceeds-line", StatusCode::CONFLICT, "The reservation holds less"),
    ("version-mismatch", StatusCode::PRECONDITION_FAILED, "The precondition does not hold"),
    (
        "precondition-required",
        StatusCode::PRECONDITION_REQUIRED,
        "The request must say which version it is about",
    ),
    (
        "idempotency-key-reused",
        StatusCode::UNPROCESSABLE_ENTITY,
        "The key was used for another request",
    ),
    (
        "batch-too-large",
        StatusCode::PAYLOAD_TOO_LARGE,
        "The request has too many commands or lines",
    ),
    ("body-too-large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
    ("unsupported-media-type", StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is not JSON"),
    ("domain-fault", StatusCode::INTERNAL_SERVER_ERROR, "The domain component failed"),
    ("internal-error", StatusCode::INTERNAL_SERVER_ERROR, "The server failed"),
    ("overloaded", StatusCode::SERVICE_UNAVAILABLE, "Too many commands are waiting"),
    ("read-only", StatusCode::SERVICE_UNAVAILABLE, "The store cannot be written"),
    ("store-unavailable", StatusCode::SERVICE_UNAVAILABLE, "The store failed"),
    ("outcome-unknown", StatusCode::SERVICE_UNAVAILABLE, "The outcome cannot be known yet"),
    ("stopping", StatusCode::SERVICE_UNAVAILABLE, "The server is stopping"),
    ("response-timeout", StatusCode::GATEWAY_TIMEOUT, "The answer took too long"),
];

/// The status and title of a code.
pub(in crate::http) fn look_up(code: &str) -> (StatusCode, &'static str) {
    let known = CODES.iter().find(|(known, _, _)| *known == code);
    known
        .map_or((StatusCode::CONFLICT, "The domain refused"), |(_, status, title)| (*status, title))
}

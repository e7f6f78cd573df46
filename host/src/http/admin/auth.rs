//! The authentication of operators.

use crate::{
    config::Secret,
    http::{App, problem::Problem},
};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use constant_time_eq::constant_time_eq_32;
use sha2::{Digest, Sha256};

/// The application, for a caller who is an operator. This extractor refuses a request without the
/// admin token.
pub(in crate::http) struct Operator(pub(super) App);

impl FromRequestParts<App> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Some(token) = &app.admin_token else {
            let detail = "there are no admin routes: no token is configured (ADMIN_TOKEN)";
            return Err(Problem::new("route-not-found", detail));
        };
        if is_given(token, &parts.headers) {
            return Ok(Self(app.clone()));
        }
        let detail = "the header Authorization: Bearer, followed by the admin token, is required";
        Err(Problem::new("forbidden", detail))
    }
}

/// Returns whether the request has the token. The digests of the two are compared in constant time,
/// so that the duration tells neither how much of the token is right nor how long it is.
fn is_given(token: &Secret, headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.split_once(' '));
    let Some((scheme, given)) = given else { return false };
    let digest = |text: &str| -> [u8; 32] { Sha256::digest(text.as_bytes()).into() };
    let is_same = constant_time_eq_32(&digest(given.trim()), &digest(token.reveal()));
    scheme.eq_ignore_ascii_case("bearer") && is_same
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_the_whole_token_is_accepted() {
        let token: Secret = "0123456789abcdef".parse().unwrap();
        let opens = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            is_given(&token, &headers)
        };
        assert!(opens("Bearer 0123456789abcdef") && opens("bearer  0123456789abcdef"));
        for wrong in ["", "Bearer", "Bearer ", "Bearer 0123456789abcde", "Basic 0123456789abcdef"] {
            assert!(!opens(wrong), "{wrong}");
        }
        assert!(!is_given(&token, &HeaderMap::new()));
    }
}

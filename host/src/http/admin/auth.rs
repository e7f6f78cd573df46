//! Who may use the routes under `/v1/admin`.

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

/// Somebody who knows the token.
pub(in crate::http) struct Operator;

impl FromRequestParts<App> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Some(token) = &app.admin_token else {
            let detail = "there are no admin routes: none is configured (ADMIN_TOKEN)";
            return Err(Problem::new("route-not-found", detail));
        };
        if knows(&parts.headers, token) {
            return Ok(Self);
        }
        let detail = "the header Authorization: Bearer, followed by the admin token, is required";
        Err(Problem::new("forbidden", detail))
    }
}

/// Compares digests, in a time that does not depend on them: neither how much of the token is
/// right shows, nor how long it is.
fn knows(headers: &HeaderMap, token: &Secret) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.split_once(' '));
    let Some((scheme, given)) = given else { return false };
    let digest = |text: &str| -> [u8; 32] { Sha256::digest(text.as_bytes()).into() };
    let same = constant_time_eq_32(&digest(given.trim()), &digest(token.reveal()));
    scheme.eq_ignore_ascii_case("bearer") && same
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_the_whole_token_opens() {
        let token: Secret = "0123456789abcdef".parse().unwrap();
        let knows = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            knows(&headers, &token)
        };
        assert!(knows("Bearer 0123456789abcdef") && knows("bearer  0123456789abcdef"));
        for wrong in ["", "Bearer", "Bearer ", "Bearer 0123456789abcde", "Basic 0123456789abcdef"] {
            assert!(!knows(wrong), "{wrong}");
        }
        assert!(!super::knows(&HeaderMap::new(), &token));
    }
}

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

/// The challenge to a request without a bearer token (RFC 6750, section 3).
const NO_TOKEN: &str = "Bearer realm=\"holdfast admin\"";

/// The challenge to a request with another token than the admin token (RFC 6750, section 3.1).
const WRONG_TOKEN: &str = "Bearer realm=\"holdfast admin\", error=\"invalid_token\"";

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
        match bearer_token(&parts.headers) {
            Some(given) if is_same(given, token) => Ok(Self(app.clone())),
            Some(_) => {
                let detail = "the bearer token is not the admin token (ADMIN_TOKEN)";
                Err(Problem::unauthenticated(WRONG_TOKEN, detail))
            }
            None => {
                let detail =
                    "the header Authorization: Bearer, followed by the admin token, is required";
                Err(Problem::unauthenticated(NO_TOKEN, detail))
            }
        }
    }
}

/// The bearer token of a request (RFC 6750, section 2.1); `None` where the request has no
/// `Authorization` header, or one of another scheme. The scheme is spelled in any case
/// (RFC 9110, section 11.1).
fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Compares the digests of two tokens, in a time that does not depend on the tokens: the time
/// shows neither how much of a token is right nor how long it is.
fn is_same(given: &str, token: &Secret) -> bool {
    let digest = |text: &str| -> [u8; 32] { Sha256::digest(text.as_bytes()).into() };
    constant_time_eq_32(&digest(given), &digest(token.reveal()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(authorization: &str) -> HeaderMap {
        let value = HeaderValue::from_str(authorization).unwrap();
        HeaderMap::from_iter([(header::AUTHORIZATION, value)])
    }

    #[test]
    fn only_the_whole_token_is_accepted() {
        let token: Secret = "0123456789abcdef".parse().unwrap();
        let opens = |authorization: &str| {
            bearer_token(&headers(authorization)).is_some_and(|given| is_same(given, &token))
        };
        assert!(opens("Bearer 0123456789abcdef") && opens("bearer  0123456789abcdef"));
        for wrong in ["", "Bearer", "Bearer ", "Bearer 0123456789abcde", "Basic 0123456789abcdef"] {
            assert!(!opens(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_token_of_another_scheme_is_no_bearer_token() {
        assert_eq!(bearer_token(&HeaderMap::new()), None);
        for none in ["", "Bearer", "Basic abc", "Bearerabc", "abc"] {
            assert_eq!(bearer_token(&headers(none)), None, "{none}");
        }
        assert_eq!(bearer_token(&headers("BEARER abc")), Some("abc"));
    }
}

//! Checks of a request's head (request line and headers) that hyper does not make.

use crate::http::{
    body::{Part, Violations},
    problem::Problem,
};
use axum::http::{HeaderMap, Request, Version, header, uri::Authority};

/// Refuses a head that is ambiguous about the host or about the end of the body.
pub(super) fn check<B>(request: &Request<B>) -> Result<(), Problem> {
    let mut violations = Violations::default();
    let headers = request.headers();
    if !is_host_valid(request.version(), headers) {
        let detail = "must be given once and be a host, with its port or without (RFC 9112, 3.2)";
        violations.add(Part::Header, "/host", detail);
    }
    if !is_coding_valid(headers) {
        let detail = "must be chunked, given once: no other coding is understood (RFC 9112, 6.1)";
        violations.add(Part::Header, "/transfer-encoding", detail);
    }
    violations.valid(Some(()))
}

/// Returns whether there is exactly one valid `Host`, or none in a request of HTTP/1.0, which
/// allows that.
fn is_host_valid(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.is_empty() || Authority::try_from(host.as_bytes()).is_ok(),
        (None, _) => version < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

/// Returns whether `Transfer-Encoding` is absent, or `chunked` and given once. hyper looks at the
/// last coding only.
fn is_coding_valid(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_valid(version: Version, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().version(version);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        check(&request.body(()).unwrap()).is_ok()
    }

    #[test]
    fn exactly_one_valid_host_is_accepted() {
        for host in ["", "a", "a:80", "127.0.0.1:80", "[::1]:80", "a_b.example"] {
            assert!(is_valid(Version::HTTP_11, &[("host", host)]), "{host}");
        }
        assert!(is_valid(Version::HTTP_10, &[]));
        assert!(!is_valid(Version::HTTP_11, &[]));
        assert!(!is_valid(Version::HTTP_11, &[("host", "a b")]));
        assert!(!is_valid(Version::HTTP_11, &[("host", "a"), ("host", "a")]));
        assert!(!is_valid(Version::HTTP_10, &[("host", "a"), ("host", "b")]));
    }

    #[test]
    fn only_the_coding_chunked_is_accepted() {
        let coded = |codings: &[&str]| {
            let codings = codings.iter().map(|coding| ("transfer-encoding", *coding));
            let headers: Vec<_> = [("host", "a")].into_iter().chain(codings).collect();
            is_valid(Version::HTTP_11, &headers)
        };
        assert!(coded(&["chunked"]) && coded(&["Chunked "]));
        for codings in [&["chunked", "chunked"][..], &["chunked, chunked"], &["gzip, chunked"]] {
            assert!(!coded(codings), "{codings:?}");
        }
    }
}

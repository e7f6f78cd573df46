//! The identity of a request's caller.
//!
//! A trusted proxy names the caller in a header (`TRUSTED_CALLER_HEADER`, `TRUSTED_PROXIES`). The
//! header of anybody else is ignored, since anybody can send one.

use super::{
    body::{Part, Violations},
    problem::Problem,
};
use crate::{
    config::TrustedCaller,
    model::{Identity, IdentityKind, Scopes, Subject},
};
use axum::http::{Extensions, HeaderMap};
use std::net::IpAddr;

/// The address that a request came from, as the server notes it where a proxy is trusted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// The identity of a request where a proxy is trusted.
///
/// # Errors
/// The trusted proxy names the caller more than once, or by a text that is not a name of a caller:
/// too long, with spaces, or reserved.
pub(super) fn of_proxied(
    trusted: &TrustedCaller,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<Identity, Problem> {
    let peer = extensions.get::<Peer>();
    if !peer.is_some_and(|Peer(address)| trusted.proxies.contains(*address)) {
        return Ok(Identity::ANONYMOUS);
    }
    let mut values = headers.get_all(trusted.header.as_str()).iter();
    let subject = match (values.next(), values.next()) {
        (None, _) => return Ok(Identity::ANONYMOUS),
        (Some(value), None) => {
            let text = value.to_str().map_err(|_| "must be printable ASCII".to_owned());
            text.and_then(|text| Subject::parse(text).map_err(|error| error.to_string()))
        }
        (Some(_), Some(_)) => Err("must be given once".to_owned()),
    };
    let subject = subject
        .map_err(|detail| Violations::one(Part::Header, &format!("/{}", trusted.header), detail))?;
    Ok(Identity::new(subject, IdentityKind::TrustedHeader, Scopes::ALL_BUT_ADMIN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Proxies;

    fn identity(peer: &str, values: &[&str]) -> Result<String, String> {
        let trusted = TrustedCaller {
            header: "x-caller".into(),
            proxies: Proxies::parse("10.0.0.0/8,::1").unwrap(),
        };
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("x-caller", value.parse().unwrap());
        }
        let mut extensions = Extensions::new();
        extensions.insert(Peer(peer.parse().unwrap()));
        let identity = of_proxied(&trusted, &headers, &extensions);
        identity.map(|it| it.subject().to_owned()).map_err(|problem| format!("{problem:?}"))
    }

    #[test]
    fn a_trusted_proxy_names_the_caller() {
        assert_eq!(identity("10.1.2.3", &["web"]), Ok("web".into()));
        assert_eq!(identity("::1", &["web"]), Ok("web".into()));
        assert_eq!(identity("10.1.2.3", &[]), Ok("anonymous".into()));
    }

    #[test]
    fn the_header_of_anybody_else_is_ignored() {
        assert_eq!(identity("11.1.2.3", &["web"]), Ok("anonymous".into()));
        assert_eq!(identity("11.1.2.3", &["a b"]), Ok("anonymous".into()));
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        let long = "x".repeat(129);
        for bad in [&["a b"][..], &[""], &["a", "b"], &[&long], &["admin"], &["anonymous"]] {
            assert!(identity("10.1.2.3", bad).unwrap_err().contains("/x-caller"), "{bad:?}");
        }
    }
}

//! The one place where a request is told who asks: the extractor of [`Identity`].
//!
//! A trusted proxy names the caller in a header (`TRUSTED_CALLER_HEADER`, `TRUSTED_PROXIES`). The
//! header of anybody else is ignored: everybody can send one.

use super::{
    App,
    body::{Part, Violations},
    problem::Problem,
};
use crate::{
    config::TrustedCaller,
    model::{Identity, IdentityKind, Scopes, Subject},
};
use axum::{
    extract::FromRequestParts,
    http::{Extensions, HeaderMap, request::Parts},
};
use std::net::IpAddr;

/// The address that a request came from, as the server notes it where a proxy is trusted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// The name that a request's log line shows, noted in the response.
#[derive(Clone, Debug)]
pub(super) struct Asked(pub(super) Identity);

impl FromRequestParts<App> for Identity {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Some(trusted) = &app.trusted_caller else { return Ok(Self::ANONYMOUS) };
        named(trusted, &parts.headers, &parts.extensions)
    }
}

/// The identity of a request where a proxy is trusted.
///
/// # Errors
/// The trusted proxy names the caller more than once, or by something that is no name.
pub(super) fn named(
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
    let subject = subject.map_err(|detail| {
        Violations::one(Part::Header, &format!("/{}", trusted.header), detail)
    })?;
    Ok(Identity::new(subject, IdentityKind::TrustedHeader, Scopes::ALL_BUT_ADMIN))
}

//! The query parameters of the admin routes.

use crate::{
    admission::Until,
    http::{
        App,
        body::{Object, Query, Sequence, Text, leaf, object},
        problem::Problem,
    },
    model::{Digest, Identity, Origin},
};
use axum::{extract::FromRequestParts, http::request::Parts};
use serde_json::json;

/// The extractor of valid query parameters. It answers invalid ones with their problem.
pub(in crate::http) struct Params<T>(pub(super) T);

impl<T: Object> FromRequestParts<App> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        Query::from_request_parts(parts, app).await?.valid().map(Self)
    }
}

leaf! { Digest,
    json!({"type": "string", "pattern": "^[0-9a-fA-F]{64}$"});
    |scalar| Self::parse(&scalar.text()?)
        .ok_or_else(|| "must be a SHA-256: 64 hexadecimal digits".to_owned())
}

/// The sampling interval of a shadow: it decides one command in this many; at least 1.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Every(pub(super) u64);

leaf! { Every,
    json!({"type": "integer", "format": "int64", "minimum": 1, "maximum": i64::MAX, "default": 1}),
    absent = Self(1);
    |scalar| match Sequence::parse(scalar)? {
        Sequence(0) => Err("must be at least 1, is 0".to_owned()),
        Sequence(every) => Ok(Self(every)),
    }
}

object! {
    /// The options of a swap.
    pub(in crate::http) struct SwapParams {
        /// The SHA-256 that the body must have, in hexadecimal.
        digest: Option<Digest>,
        /// The reason for the swap, in the operator's words; kept with the event.
        reason: Option<Text>,
        /// Whether the component has to pass the self-check, which tests the rules that every
        /// domain must keep; `true` where absent. Give `false` for a component that differs from
        /// them on purpose.
        self_check: Option<bool>,
    }
}

object! {
    /// The options of a promotion.
    pub(in crate::http) struct PromoteParams {
        /// The reason for the promotion, in the operator's words; kept with the event.
        reason: Option<Text>,
        /// Whether the component has to pass the self-check, which tests the rules that every
        /// domain must keep; `true` where absent.
        self_check: Option<bool>,
    }
}

object! {
    /// The options of a rollback.
    pub(in crate::http) struct RollbackParams {
        /// The reason for the rollback, in the operator's words; kept with the event.
        reason: Option<Text>,
    }
}

object! {
    /// The options of a shadow.
    pub(in crate::http) struct ShadowParams {
        /// The SHA-256 that the body must have, in hexadecimal.
        digest: Option<Digest>,
        /// The shadow decides one command in this many; every command where absent.
        every: Every,
    }
}

object! {
    /// The range of recorded commands to replay.
    pub(in crate::http) struct ReplayParams {
        /// The first event whose command is replayed.
        from: Option<Sequence>,
        /// The last event whose command is replayed.
        to: Option<Sequence>,
    }
}

/// Returns the origin of a swap by an operator who gives this reason.
pub(super) fn origin(reason: Option<Text>) -> Origin {
    let reason = reason.map(|text| text.0.into());
    Origin { reason, ..Origin::of(&Identity::operator()) }
}

/// Returns the last step of the admission that a component must pass.
pub(super) fn until(self_check: Option<bool>) -> Until {
    match self_check {
        Some(false) => Until::Call,
        _ => Until::SelfCheck,
    }
}

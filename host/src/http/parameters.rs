//! Headers and path segments that several routes have, described once.

use super::body::{ReservationId, Value};
use serde_json::json;
use utoipa::openapi::{
    Required,
    path::{Parameter, ParameterBuilder, ParameterIn},
};

/// A request header: its name, what it does, and a pattern of its values.
pub(super) struct RequestHeader {
    name: &'static str,
    about: &'static str,
    schema: fn() -> serde_json::Value,
}

/// What `If-Match` may say.
const TAGS: &str = r#"^(\*|(W/)?"[^"]*"(, *(W/)?"[^"]*")*)$"#;

pub(super) const IF_MATCH: RequestHeader = RequestHeader {
    name: "If-Match",
    about: "Entity tags, one of which must be the current one, or `*`: there must be one at all. \
        Weak tags never match.",
    schema: || json!({"type": "string", "pattern": TAGS}),
};

pub(super) const IF_NONE_MATCH_ANY: RequestHeader = RequestHeader {
    name: "If-None-Match",
    about: "`*`: the stock must not exist yet.",
    schema: || json!({"type": "string", "enum": ["*"]}),
};

pub(super) const IF_NONE_MATCH: RequestHeader = RequestHeader {
    name: "If-None-Match",
    about: "Entity tags of copies that the client has, or `*`.",
    schema: || json!({"type": "string", "pattern": TAGS}),
};

pub(super) const IDEMPOTENCY_KEY: RequestHeader = RequestHeader {
    name: "Idempotency-Key",
    about: "Makes the request safe to send again: the same key and request give the same answer.",
    schema: || {
        json!({"type": "string", "minLength": 1, "maxLength": 255,
        "pattern": "^[!#-~]([ !#-~]*[!#-~])?$"})
    },
};

/// A header as a parameter.
pub(super) fn header(header: RequestHeader) -> Parameter {
    ParameterBuilder::new()
        .name(header.name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(header.about))
        .schema(super::body::schema::described((header.schema)()).into())
        .build()
}

/// The variable segment of a path, which names a product or a reservation.
pub(super) fn segment(name: &str) -> Parameter {
    let about = match name {
        "product_id" => "The product: 1 to 128 printable ASCII characters without spaces",
        _ => "The reservation: 1 to 128 printable ASCII characters without spaces",
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(about))
        .schema(super::body::schema::described(ReservationId::schema()).into())
        .build()
}

macro_rules! as_params {
    ($($(#[$doc:meta])* $name:ident => $parameter:expr;)+) => {
        $(
            $(#[$doc])*
            pub(super) struct $name;

            impl utoipa::IntoParams for $name {
                fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
                    vec![$parameter]
                }
            }
        )+
    };
}

as_params! {
    /// The product in a path.
    ProductSegment => segment("product_id");
    /// The reservation in a path.
    ReservationSegment => segment("reservation_id");
    /// `If-None-Match` of a query.
    IfNoneMatch => header(IF_NONE_MATCH);
}

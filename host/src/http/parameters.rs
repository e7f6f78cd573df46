//! Headers and path segments that several routes have, described once.

use super::body::{EventNumber, ReservationId, Value};
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

/// The values of `If-Match` and `If-None-Match` (RFC 9110, sections 13.1.1 and 13.1.2).
const TAGS: &str = r#"^(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)$"#;

pub(super) const IF_MATCH: RequestHeader = RequestHeader {
    name: "If-Match",
    about: "`*`: the stock or the reservation must exist. Entity tags: one of them must be the \
        current one. Weak tags never match. Not together with `If-None-Match`.",
    schema: || json!({"type": "string", "pattern": TAGS, "examples": ["*", "\"4\""]}),
};

pub(super) const IF_NONE_MATCH_ANY: RequestHeader = RequestHeader {
    name: "If-None-Match",
    about: "`*`: the stock must not exist yet.",
    schema: || json!({"type": "string", "enum": ["*"]}),
};

pub(super) const IF_NONE_MATCH: RequestHeader = RequestHeader {
    name: "If-None-Match",
    about: "Entity tags of copies that the client has, or `*`.",
    schema: || json!({"type": "string", "pattern": TAGS, "examples": ["\"4\"", "*"]}),
};

pub(super) const IDEMPOTENCY_KEY: RequestHeader = RequestHeader {
    name: "Idempotency-Key",
    about: "Makes the request safe to send again: the same key and request give the same answer. 1 \
        to 255 printable ASCII characters, as they are or as a string of RFC 9651: in double \
        quotes, with a backslash before each double quote and each backslash.",
    schema: || json!({"type": "string", "pattern": KEY}),
};

/// The values of `Idempotency-Key`: a key as it is, or in quotes.
const KEY: &str = r#"^([!#-~]([ -~]{0,253}[!-~])?|"([ !#-\[\]-~]|\\["\\]){1,255}")$"#;

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

/// The variable segment of a path, which names a product, a reservation or an event.
pub(super) fn segment(name: &str) -> Parameter {
    let (about, mut schema, example) = match name {
        "product_id" => (
            "The product: 1 to 128 printable ASCII characters without spaces, and not `query` or \
            `low-stock`, which name routes",
            ReservationId::schema(),
            json!("sku-1"),
        ),
        "sequence" => ("The number of the event", EventNumber::schema(), json!(1)),
        _ => (
            "The reservation: 1 to 128 printable ASCII characters without spaces",
            ReservationId::schema(),
            json!("order-7"),
        ),
    };
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("examples".to_owned(), json!([example]));
    }
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(about))
        .schema(super::body::schema::described(schema).into())
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
    /// The event in a path.
    EventSegment => segment("sequence");
    /// `If-None-Match` of a query.
    IfNoneMatch => header(IF_NONE_MATCH);
}

//! Pages of lists.

use super::{ReservationBody, StockBody, json};
use crate::{
    http::{
        body::schema::{described, reference},
        buffered::BufferedResponse,
    },
    wire::LogEntryBody,
};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use serde::Serialize;
use serde_json::json;
use std::borrow::Cow;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

/// A page of a list.
#[derive(Serialize)]
struct Page<T> {
    items: Vec<T>,
    /// The `cursor` of the next page; null on the last page.
    next_cursor: Option<String>,
}

/// Declares the schemas of pages for the OpenAPI document.
macro_rules! pages {
    ($($(#[$doc:meta])* $name:ident of $item:ty;)+) => {
        $(
            $(#[$doc])*
            pub(in crate::http) struct $name;

            impl ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                    schemas.push((<$item>::name().into(), <$item>::schema()));
                    <$item>::schemas(schemas);
                }
            }

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    page_of(&<$item>::name())
                }
            }
        )+
    };
}

pages! {
    /// A page of stocks.
    StockPage of StockBody<'static>;
    /// A page of reservations.
    ReservationPage of ReservationBody<'static>;
    /// A page of events.
    EventPage of LogEntryBody<'static>;
}

/// Returns the schema of a page whose items have the schema of this name.
fn page_of(item: &str) -> RefOr<Schema> {
    described(json!({
        "type": "object",
        "description": "A page of a list.",
        "required": ["items", "next_cursor"],
        "properties": {
            "items": {"type": "array", "items": reference(item)},
            "next_cursor": {
                "type": ["string", "null"],
                "description": "The `cursor` of the next page; null on the last page.",
            },
        },
    }))
}

/// Returns a page, with a link to the next one where there is one (RFC 8288).
pub(in crate::http) fn page<T: Serialize>(
    uri: &Uri,
    items: Vec<T>,
    next_cursor: Option<String>,
) -> BufferedResponse {
    let link = next_cursor.as_deref().and_then(|cursor| next_link(uri, cursor));
    let mut response = json(StatusCode::OK, &Page { items, next_cursor });
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// Returns the link to the next page: the same request with another cursor.
fn next_link(uri: &Uri, cursor: &str) -> Option<HeaderValue> {
    let kept = uri.query().unwrap_or_default().split('&');
    let kept: Vec<_> =
        kept.filter(|pair| !pair.is_empty() && !pair.starts_with("cursor=")).collect();
    let cursor = format!("cursor={cursor}");
    let query: Vec<_> = kept.into_iter().chain([cursor.as_str()]).collect();
    HeaderValue::try_from(format!("<{}?{}>; rel=\"next\"", uri.path(), query.join("&"))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_to_the_next_page_keeps_the_filters() {
        let uri = "/v1/inventory?limit=2&cursor=old&prefix=a".parse().unwrap();
        let link = next_link(&uri, "new").unwrap();
        assert_eq!(link, "</v1/inventory?limit=2&prefix=a&cursor=new>; rel=\"next\"");
    }
}

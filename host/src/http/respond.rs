//! Answers: the host's values as JSON bodies.

use super::conditional::Tag;
use super::problem::Problem;
use super::time::rfc3339;
use crate::model::{StockKey, StockView, Timestamp};
use axum::http::{HeaderValue, StatusCode, header};
use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

/// An answer whose body is there as a whole.
pub(super) type Whole = axum::http::Response<Bytes>;

/// A stock: one product at one location.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "product_id": "sku-1", "location_id": "default", "total_quantity": 100,
    "reserved_quantity": 30, "available_quantity": 70, "minimum_stock_level": 20,
    "low_stock": false, "version": 4, "updated_at": "2026-11-23T09:30:00.125Z"
}))]
pub(super) struct StockBody<'a> {
    product_id: &'a str,
    location_id: &'a str,
    /// What is there.
    total_quantity: u64,
    /// What of it is spoken for, without holds that are due.
    reserved_quantity: u64,
    /// What can still be reserved: total less reserved.
    available_quantity: u64,
    /// Below this many available the stock is low; 0: never.
    minimum_stock_level: u64,
    /// Whether it is low.
    low_stock: bool,
    /// Counts the accepted changes, from 1.
    version: u64,
    /// When it last changed (RFC 3339, UTC).
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl<'a> StockBody<'a> {
    pub(super) fn of(key: &'a StockKey, view: &StockView) -> Self {
        let level = view.stock.level;
        Self {
            product_id: key.product_id.as_str(),
            location_id: key.location_id.as_str(),
            total_quantity: level.total,
            reserved_quantity: view.reserved,
            available_quantity: view.available,
            minimum_stock_level: level.minimum,
            low_stock: view.low,
            version: level.version,
            updated_at: view.stock.updated_at,
        }
    }
}

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(super) struct PageBody<T> {
    pub(super) items: Vec<T>,
    /// Give it as `cursor` to read on; null at the end.
    pub(super) next_cursor: Option<String>,
}

/// From this many lines, events or results on, an answer is a large one.
const LARGE_ITEMS: usize = 200;

/// Makes an answer of so many lines, events or results. A large one takes milliseconds: it is made
/// on a thread that may take its time, so that no other connection waits for it.
pub(super) async fn made(items: usize, make: impl FnOnce() -> Whole + Send + 'static) -> Whole {
    if items < LARGE_ITEMS {
        return make();
    }
    tokio::task::spawn_blocking(make).await.unwrap_or_else(|error| {
        tracing::error!(%error, "making an answer panicked");
        Problem::new("internal-error", "the answer could not be made").into_whole()
    })
}

/// A JSON body.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Whole {
    match serde_json::to_vec(body) {
        Ok(bytes) => {
            let mut response = Whole::new(bytes.into());
            *response.status_mut() = status;
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            Problem::new("internal-error", "the answer could not be written").into_whole()
        }
    }
}

/// A JSON body and its entity tag.
pub(super) fn tagged(status: StatusCode, tag: Tag, body: &impl Serialize) -> Whole {
    let mut response = json(status, body);
    response.headers_mut().insert(header::ETAG, tag.header());
    response
}

/// The entity tag of a stock.
pub(super) fn stock_tag(view: &StockView) -> Tag {
    Tag { version: view.stock.level.version, due_units: view.stock.due }
}

/// A stock and its entity tag.
pub(super) fn stock(status: StatusCode, key: &StockKey, view: &StockView) -> Whole {
    tagged(status, stock_tag(view), &StockBody::of(key, view))
}

/// A page, and where there is a next one, a link to it (RFC 8288).
pub(super) fn page<T: Serialize>(
    uri: &axum::http::Uri,
    items: Vec<T>,
    next_cursor: Option<String>,
) -> Whole {
    let link = next_cursor.as_deref().and_then(|cursor| next_link(uri, cursor));
    let mut response = json(StatusCode::OK, &PageBody { items, next_cursor });
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

fn next_link(uri: &axum::http::Uri, cursor: &str) -> Option<HeaderValue> {
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
    use std::thread;

    #[tokio::test]
    async fn a_large_answer_is_made_on_another_thread() {
        let here = thread::current().id();
        let make = move || {
            let elsewhere = thread::current().id() != here;
            json(StatusCode::OK, &elsewhere)
        };
        assert_eq!(made(LARGE_ITEMS - 1, make).await.body(), "false");
        assert_eq!(made(LARGE_ITEMS, make).await.body(), "true");
    }

    #[tokio::test]
    async fn an_answer_whose_making_panics_is_an_error() {
        let answer = made(LARGE_ITEMS, || panic!("a defect")).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[test]
    fn the_link_to_the_next_page_keeps_the_filters() {
        let uri = "/v1/inventory?limit=2&cursor=old&prefix=a".parse().unwrap();
        let link = next_link(&uri, "new").unwrap();
        assert_eq!(link, "</v1/inventory?limit=2&prefix=a&cursor=new>; rel=\"next\"");
    }
}

//! Answers: the host's values as JSON bodies.

mod page;
mod reservation;
mod stock;

pub(super) use page::{EventPage, ReservationPage, StockPage, page};
pub(super) use reservation::ReservationBody;
pub(super) use stock::{StockBody, TransferredBody, stock, stock_tag};

use super::{conditional::Tag, problem::Problem, whole::Whole};
use axum::http::{HeaderValue, StatusCode, header};
use serde::Serialize;

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
}

//! Answers: the model's values as JSON bodies.

mod page;
mod reservation;
mod stock;

pub(super) use page::{EventPage, ReservationPage, StockPage, page};
pub(super) use reservation::ReservationBody;
pub(super) use stock::{StockBody, TransferredBody, stock, stock_tag};

use super::{buffered::BufferedResponse, conditional::Tag, problem::Problem};
use axum::http::{HeaderValue, StatusCode, header};
use serde::Serialize;

/// The number of items (lines, events or results) from which on an answer is rendered on a thread
/// for blocking work.
const LARGE_ITEMS_MIN: usize = 200;

/// Renders an answer with this many items. A large one takes milliseconds, so that it is rendered
/// on a thread for blocking work, where no other connection waits for it.
pub(super) async fn rendered(
    items: usize,
    render: impl FnOnce() -> BufferedResponse + Send + 'static,
) -> BufferedResponse {
    if items < LARGE_ITEMS_MIN {
        return render();
    }
    tokio::task::spawn_blocking(render).await.unwrap_or_else(|error| {
        tracing::error!(%error, "rendering an answer panicked");
        Problem::new("internal-error", "the answer could not be rendered").into_buffered()
    })
}

/// Returns an answer with a JSON body.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> BufferedResponse {
    match serde_json::to_vec(body) {
        Ok(bytes) => {
            let mut response = BufferedResponse::new(bytes.into());
            *response.status_mut() = status;
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            Problem::new("internal-error", "the answer could not be written").into_buffered()
        }
    }
}

/// Returns an answer with a JSON body and its entity tag.
pub(super) fn tagged(status: StatusCode, tag: Tag, body: &impl Serialize) -> BufferedResponse {
    let mut response = json(status, body);
    response.headers_mut().insert(header::ETAG, tag.header());
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[tokio::test]
    async fn a_large_answer_is_rendered_on_another_thread() {
        let here = thread::current().id();
        let render = move || {
            let elsewhere = thread::current().id() != here;
            json(StatusCode::OK, &elsewhere)
        };
        assert_eq!(rendered(LARGE_ITEMS_MIN - 1, render).await.body(), "false");
        assert_eq!(rendered(LARGE_ITEMS_MIN, render).await.body(), "true");
    }

    #[tokio::test]
    async fn an_answer_whose_rendering_panics_is_an_error() {
        let answer = rendered(LARGE_ITEMS_MIN, || panic!("a defect")).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}

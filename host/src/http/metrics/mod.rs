//! `GET /metrics`: the registry's families as text.
//!
//! The response is in the OpenMetrics format where the request names that format, and in the older
//! Prometheus text format otherwise. Both have the same samples. Prometheus requests OpenMetrics by
//! default; a browser or `curl` gets text that it can show.

pub(super) mod families;

use super::{App, problem::Problem};
use crate::metrics::Format;
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};

/// Metrics for monitoring
///
/// `holdfast_commands_total` divided by `holdfast_batches_total` is the mean number of commands in
/// a batch; `holdfast_writer_seconds_total` says which stage of the writer bounds the throughput.
/// The answer is in the OpenMetrics format when `Accept` names it, in the older Prometheus text
/// format otherwise.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "health",
    responses((
        status = 200,
        description = "All metrics",
        content((String = "text/plain"), (String = "application/openmetrics-text")),
    ))
)]
pub(super) async fn metrics(State(app): State<App>, headers: HeaderMap) -> Response {
    let format = negotiate(&headers);
    match app.metrics.encode(format) {
        Ok(text) => {
            let media_type = HeaderValue::from_static(format.media_type());
            let vary = HeaderValue::from_static("accept");
            ([(header::CONTENT_TYPE, media_type), (header::VARY, vary)], text).into_response()
        }
        Err(_) => Problem::new("internal-error", "the metrics could not be encoded").into(),
    }
}

/// Chooses OpenMetrics where `Accept` names it with a weight that is at least that of plain text
/// (RFC 9110, section 12.5.1). A range such as `*/*` does not count.
fn negotiate(headers: &HeaderMap) -> Format {
    let (mut open_metrics, mut plain) = (0.0_f32, 0.0_f32);
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for range in values.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        let weight = parts
            .filter_map(|parameter| parameter.split_once('='))
            .find(|(name, _)| name.eq_ignore_ascii_case("q"))
            .map_or(1.0, |(_, weight)| weight.parse().unwrap_or(0.0));
        if media_type.eq_ignore_ascii_case("application/openmetrics-text") {
            open_metrics = open_metrics.max(weight);
        } else if media_type.eq_ignore_ascii_case("text/plain") {
            plain = plain.max(weight);
        }
    }
    if open_metrics > 0.0 && open_metrics >= plain {
        Format::OpenMetrics
    } else {
        Format::Prometheus
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiated(accept: &[&'static str]) -> Format {
        let values = accept.iter().map(|value| HeaderValue::from_static(value));
        negotiate(&values.map(|value| (header::ACCEPT, value)).collect())
    }

    #[test]
    fn openmetrics_is_returned_where_accept_names_it() {
        for accept in [
            // Prometheus 2.42 and 3.
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;\
             q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
             text/plain;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
            "Application/OpenMetrics-Text; Q=0.2",
        ] {
            assert_eq!(negotiated(&[accept]), Format::OpenMetrics, "{accept}");
        }
        assert_eq!(
            negotiated(&["*/*", "application/openmetrics-text"]),
            Format::OpenMetrics,
            "the header may come twice"
        );
    }

    #[test]
    fn plain_text_is_returned_otherwise() {
        for accept in [
            "*/*",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "text/plain, application/openmetrics-text;q=0.5",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=much",
            "",
        ] {
            assert_eq!(negotiated(&[accept]), Format::Prometheus, "{accept}");
        }
        assert_eq!(negotiated(&[]), Format::Prometheus);
    }
}

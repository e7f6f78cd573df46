//! The answer to a command: rendered for the client, and stored in an idempotency record so that
//! the same request gets the same answer again.

use crate::{
    engine::{Done, Error},
    http::{
        answers::{self, ReservationBody, StockBody, TransferredBody},
        buffered::BufferedResponse,
        conditional::Tag,
        problem::Problem,
    },
    model::{Outcome, StockKey},
    wire::EventBody,
};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The header of an answer that comes from an idempotency record.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The keys of the stocks in the answer to a command. The outcome of a command has the stocks
/// without their keys.
#[derive(Clone, Debug)]
pub(super) enum AnswerKeys {
    /// The key of the one stock that the command is about.
    Stock(StockKey),
    /// The keys of both stocks of a transfer.
    Transfer { source: StockKey, target: StockKey },
    /// No key: the outcome has the reservation together with its id.
    Reservation,
    /// The keys for each command of a batch.
    Batch(Vec<Self>),
}

/// Renders the answer to a command or to a batch.
pub(super) fn render(keys: &AnswerKeys, result: &Result<Done, Error>) -> BufferedResponse {
    match result {
        Err(error) => Problem::from(error.clone()).into_buffered(),
        Ok(Done::One(outcome)) => one(keys, outcome),
        Ok(Done::Many(results)) => many(keys, results),
        Ok(Done::DryRun(done, events)) => {
            let answer = match &**done {
                Done::One(outcome) => one(keys, outcome),
                Done::Many(results) => many(keys, results),
                Done::DryRun(..) | Done::Recorded { .. } => return unexpected(),
            };
            let events: Vec<_> = events.iter().map(EventBody::from).collect();
            let status = answer.status().as_u16();
            let Some(body) = raw(&answer) else { return unexpected() };
            answers::json(StatusCode::OK, &DryRun { dry_run: true, status, body, events })
        }
        Ok(Done::Recorded { response, replayed }) => {
            let Some(mut answer) = from_record(response) else { return unexpected() };
            if *replayed {
                answer.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
            }
            answer
        }
    }
}

/// The number of bytes of an idempotency record that take about as long to read as one item takes
/// to render.
const RECORD_BYTES_PER_ITEM: usize = 512;

/// The approximate number of details that a rejection has for each line.
const DETAILS_PER_ITEM: usize = 5;

/// Returns the approximate number of items (lines, events or results) in the answer to a command.
pub(super) fn items(result: &Result<Done, Error>) -> usize {
    result.as_ref().map_or_else(|error| outcome_items(Err(error)), done_items)
}

fn done_items(done: &Done) -> usize {
    match done {
        Done::One(outcome) => outcome_items(Ok(outcome)),
        Done::Many(results) => results.iter().map(|it| outcome_items(it.as_ref())).sum(),
        Done::DryRun(done, events) => done_items(done) + events.len(),
        Done::Recorded { response, .. } => response.len() / RECORD_BYTES_PER_ITEM,
    }
}

fn outcome_items(result: Result<&Outcome, &Error>) -> usize {
    match result {
        Ok(Outcome::Reservation { reservation, .. }) => reservation.lines.len(),
        Ok(_) => 1,
        Err(Error::Rejected(rejection)) => rejection.details.len() / DETAILS_PER_ITEM + 1,
        Err(Error::InBatch { cause, .. }) => outcome_items(Err(cause)),
        Err(_) => 1,
    }
}

/// Returns the body of an answer, to be embedded in another one.
fn raw(answer: &BufferedResponse) -> Option<Box<RawValue>> {
    RawValue::from_string(String::from_utf8(answer.body().to_vec()).ok()?).ok()
}

/// Returns the answer to a result that does not fit its command, which only a defect can cause.
fn unexpected() -> BufferedResponse {
    tracing::error!("the result of a command does not fit the command");
    Problem::new("internal-error", "the answer could not be read").into_buffered()
}

/// The answer to a dry run: the answer and the events that the command would have had.
#[derive(Serialize)]
struct DryRun<'a> {
    dry_run: bool,
    status: u16,
    body: Box<RawValue>,
    events: Vec<EventBody<'a>>,
}

#[derive(Serialize)]
struct Results<'a> {
    results: Vec<Item<'a>>,
}

/// The answer to one command of a batch.
#[derive(Serialize)]
struct Item<'a> {
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Box<RawValue>>,
}

impl<'a> Item<'a> {
    fn of(keys: &'a AnswerKeys, result: Result<&'a Outcome, &Error>) -> Option<Self> {
        let (status, body, problem) = match result {
            Ok(outcome) => {
                let content = Content::of(keys, outcome)?;
                (status(outcome), Some(content), None)
            }
            Err(error) => {
                let answer = Problem::from(error.clone()).into_buffered();
                (answer.status(), None, Some(raw(&answer)?))
            }
        };
        Some(Self { status: status.as_u16(), body, problem })
    }
}

/// The body of the answer to an accepted command.
#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Stock(StockBody<'a>),
    Transfer(TransferredBody<'a>),
    Reservation(ReservationBody<'a>),
}

impl<'a> Content<'a> {
    /// Returns `None` where the outcome does not fit the keys.
    fn of(keys: &'a AnswerKeys, outcome: &'a Outcome) -> Option<Self> {
        Some(match (keys, outcome) {
            (AnswerKeys::Stock(key), Outcome::Stock { view, .. }) => {
                Self::Stock(StockBody::of(key, view))
            }
            (
                AnswerKeys::Transfer { source: from, target: to },
                Outcome::Transfer { source, target },
            ) => {
                let (from, to) = (StockBody::of(from, source), StockBody::of(to, target));
                Self::Transfer(TransferredBody { from, to })
            }
            (AnswerKeys::Reservation, Outcome::Reservation { id, reservation, .. }) => {
                Self::Reservation(ReservationBody::of(id, reservation))
            }
            _ => return None,
        })
    }
}

/// Returns the status of an accepted command: 201 where it has created something.
fn status(outcome: &Outcome) -> StatusCode {
    match outcome {
        Outcome::Stock { created: true, .. } | Outcome::Reservation { created: true, .. } => {
            StatusCode::CREATED
        }
        _ => StatusCode::OK,
    }
}

/// Renders the answer to a single accepted command.
fn one(keys: &AnswerKeys, outcome: &Outcome) -> BufferedResponse {
    let Some(content) = Content::of(keys, outcome) else { return unexpected() };
    let (tag, address) = match (keys, outcome) {
        (AnswerKeys::Stock(key), Outcome::Stock { view, created }) => {
            (answers::stock_tag(view), created.then(|| stock_address(key)))
        }
        (_, Outcome::Reservation { id, reservation, created }) => {
            let address = || format!("/v1/reservations/{}", percent_encoded(id));
            (Tag::of(reservation.status.version), created.then(address))
        }
        _ => return answers::json(status(outcome), &content),
    };
    let mut response = answers::tagged(status(outcome), tag, &content);
    if let Some(address) = address {
        set_location(&mut response, &address);
    }
    response
}

/// Renders the answer to a batch.
fn many(keys: &AnswerKeys, results: &[Result<Outcome, Error>]) -> BufferedResponse {
    let AnswerKeys::Batch(keys) = keys else { return unexpected() };
    let items = keys.iter().zip(results);
    match items.map(|(keys, result)| Item::of(keys, result.as_ref())).collect() {
        Some(results) => answers::json(StatusCode::OK, &Results { results }),
        None => unexpected(),
    }
}

/// Sets the header `Location`.
fn set_location(response: &mut BufferedResponse, address: &str) {
    if let Ok(location) = HeaderValue::try_from(address) {
        response.headers_mut().insert(header::LOCATION, location);
    }
}

/// Returns the address of a stock.
fn stock_address(key: &StockKey) -> String {
    let product = percent_encoded(key.product_id.as_str());
    match key.location_id.as_str() {
        "default" => format!("/v1/inventory/{product}"),
        other => format!("/v1/inventory/{product}?location_id={}", percent_encoded(other)),
    }
}

/// The bytes that are encoded in an address: all but the unreserved ones (RFC 3986, section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Encodes an id for a path segment or a query value.
fn percent_encoded(id: &str) -> PercentEncode<'_> {
    utf8_percent_encode(id, ENCODED)
}

/// The form of an answer in an idempotency record.
#[derive(Serialize, Deserialize)]
struct RecordedAnswer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// Returns the bytes of an answer for an idempotency record; `None` for an answer that is not
/// recorded.
pub(super) fn to_record(answer: &BufferedResponse) -> Option<Vec<u8>> {
    // A failure is not recorded: the same request may succeed later.
    if answer.status().is_server_error() {
        return None;
    }
    let headers = answer.headers().iter();
    let recorded = RecordedAnswer {
        status: answer.status().as_u16(),
        headers: headers
            .filter_map(|(name, value)| {
                Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
            })
            .collect(),
        body: String::from_utf8(answer.body().to_vec()).ok()?,
    };
    serde_json::to_vec(&recorded).ok()
}

/// Returns the answer in an idempotency record; `None` where the bytes are not an answer.
fn from_record(bytes: &[u8]) -> Option<BufferedResponse> {
    let recorded: RecordedAnswer = serde_json::from_slice(bytes).ok()?;
    let mut answer = BufferedResponse::new(Bytes::from(recorded.body));
    *answer.status_mut() = StatusCode::from_u16(recorded.status).ok()?;
    for (name, value) in recorded.headers {
        let (name, value) = (HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
        answer.headers_mut().append(name, value);
    }
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Detail, Rejection, Value};
    use serde_json::json;

    #[test]
    fn a_recorded_answer_is_the_same_byte_for_byte() {
        let mut answer = answers::json(StatusCode::CREATED, &json!({"a": [1, "ü\n"], "b": null}));
        set_location(&mut answer, "/v1/reservations/x%2F1");
        let restored = from_record(&to_record(&answer).unwrap()).unwrap();
        assert_eq!(restored.status(), answer.status());
        assert_eq!(restored.headers(), answer.headers());
        assert_eq!(restored.body(), answer.body());
    }

    #[test]
    fn a_failure_is_not_recorded() {
        let problem = |code| Problem::new(code, "").into_buffered();
        assert!(to_record(&problem("domain-fault")).is_none());
        assert!(to_record(&problem("store-unavailable")).is_none());
        assert!(to_record(&problem("insufficient-stock")).is_some());
    }

    #[test]
    fn the_size_of_an_answer_is_the_number_of_its_items() {
        let rejection = || Rejection {
            code: String::new(),
            message: String::new(),
            details: (0..500)
                .map(|line| Detail {
                    line: Some(line / 5),
                    name: String::new(),
                    value: Value::Unsigned(1),
                })
                .collect(),
        };
        let refused = Error::Rejected(rejection());
        assert_eq!(items(&Err(Error::ReadOnly)), 1);
        assert_eq!(items(&Err(refused.clone())), 101);
        let many = Done::Many(vec![Err(refused), Err(Error::Fault)]);
        assert_eq!(items(&Ok(many.clone())), 102);
        assert_eq!(items(&Ok(Done::DryRun(Box::new(many), Vec::new()))), 102);
        let response = vec![0; 512 * 7];
        assert_eq!(items(&Ok(Done::Recorded { response, replayed: true })), 7);
    }

    #[test]
    fn addresses_are_encoded() {
        let key = StockKey::parse("a/b?c%".into(), "n&1".into()).unwrap();
        assert_eq!(stock_address(&key), "/v1/inventory/a%2Fb%3Fc%25?location_id=n%261");
    }
}

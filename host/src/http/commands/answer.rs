//! What was done, as an answer: for the client at once, or kept to be given again.

use crate::{
    engine::{Done, Error},
    http::{
        answers::{self, ReservationBody, StockBody, TransferredBody},
        conditional::Tag,
        problem::Problem,
        whole::Whole,
    },
    model::{Outcome, StockKey},
    wire::EventBody,
};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The header of an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// What an answer says that the outcome does not.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    /// The stock that the command was about.
    Stock(StockKey),
    /// Both stocks of a transfer.
    Transfer { source: StockKey, target: StockKey },
    /// A reservation says itself what it is.
    Reservation,
    /// The subjects of several commands.
    Batch(Vec<Self>),
}

/// The whole answer to a command.
pub(super) fn whole(subject: &Subject, result: &Result<Done, Error>) -> Whole {
    match result {
        Err(error) => Problem::from(error.clone()).into_whole(),
        Ok(Done::One(outcome)) => one(subject, outcome),
        Ok(Done::Many(results)) => many(subject, results),
        Ok(Done::DryRun(done, facts)) => {
            let answer = match &**done {
                Done::One(outcome) => one(subject, outcome),
                Done::Many(results) => many(subject, results),
                Done::DryRun(..) | Done::Recorded { .. } => return unexpected(),
            };
            let events: Vec<_> = facts.iter().map(EventBody::from).collect();
            let status = answer.status().as_u16();
            let Some(body) = raw(&answer) else { return unexpected() };
            answers::json(StatusCode::OK, &DryRun { dry_run: true, status, body, events })
        }
        Ok(Done::Recorded { response, replayed }) => {
            let Some(mut whole) = restore(response) else { return unexpected() };
            if *replayed {
                whole.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
            }
            whole
        }
    }
}

/// Bytes of an idempotency record that take about as long to read as a line takes to write.
const BYTES_PER_ITEM: usize = 512;

/// Facts that a rejection states of each line, about.
const DETAILS_PER_ITEM: usize = 5;

/// How many lines, events or results the answer to a command has, about.
pub(super) fn items(result: &Result<Done, Error>) -> usize {
    result.as_ref().map_or_else(|error| outcome_items(Err(error)), done_items)
}

fn done_items(done: &Done) -> usize {
    match done {
        Done::One(outcome) => outcome_items(Ok(outcome)),
        Done::Many(results) => results.iter().map(|it| outcome_items(it.as_ref())).sum(),
        Done::DryRun(done, facts) => done_items(done) + facts.len(),
        Done::Recorded { response, .. } => response.len() / BYTES_PER_ITEM,
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

/// The body of an answer, as it is, for another one.
fn raw(whole: &Whole) -> Option<Box<RawValue>> {
    RawValue::from_string(String::from_utf8(whole.body().to_vec()).ok()?).ok()
}

fn unexpected() -> Whole {
    tracing::error!("an answer is not what it should be");
    Problem::new("internal-error", "the answer could not be read").into_whole()
}

/// What a dry run would have been answered, and the events that it would have had.
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

/// An answer within an answer.
#[derive(Serialize)]
struct Item<'a> {
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Box<RawValue>>,
}

impl<'a> Item<'a> {
    fn of(subject: &'a Subject, result: Result<&'a Outcome, &Error>) -> Option<Self> {
        let (status, body, problem) = match result {
            Ok(outcome) => {
                let content = Content::of(subject, outcome)?;
                (status(outcome), Some(content), None)
            }
            Err(error) => {
                let whole = Problem::from(error.clone()).into_whole();
                (whole.status(), None, Some(raw(&whole)?))
            }
        };
        Some(Self { status: status.as_u16(), body, problem })
    }
}

/// What the body of an answer to a command says.
#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Stock(StockBody<'a>),
    Transfer(TransferredBody<'a>),
    Reservation(ReservationBody<'a>),
}

impl<'a> Content<'a> {
    /// None where the outcome is not of the kind that the subject is.
    fn of(subject: &'a Subject, outcome: &'a Outcome) -> Option<Self> {
        Some(match (subject, outcome) {
            (Subject::Stock(key), Outcome::Stock { view, .. }) => {
                Self::Stock(StockBody::of(key, view))
            }
            (
                Subject::Transfer { source: from, target: to },
                Outcome::Transfer { source, target },
            ) => {
                let (from, to) = (StockBody::of(from, source), StockBody::of(to, target));
                Self::Transfer(TransferredBody { from, to })
            }
            (Subject::Reservation, Outcome::Reservation { id, reservation, .. }) => {
                Self::Reservation(ReservationBody::of(id, reservation))
            }
            _ => return None,
        })
    }
}

fn status(outcome: &Outcome) -> StatusCode {
    match outcome {
        Outcome::Stock { created: true, .. } | Outcome::Reservation { created: true, .. } => {
            StatusCode::CREATED
        }
        _ => StatusCode::OK,
    }
}

fn one(subject: &Subject, outcome: &Outcome) -> Whole {
    let Some(content) = Content::of(subject, outcome) else { return unexpected() };
    let (tag, place) = match (subject, outcome) {
        (Subject::Stock(key), Outcome::Stock { view, created }) => {
            (answers::stock_tag(view), created.then(|| address(key)))
        }
        (_, Outcome::Reservation { id, reservation, created }) => {
            let place = || format!("/v1/reservations/{}", percent_encoded(id));
            (Tag::of(reservation.status.version), created.then(place))
        }
        _ => return answers::json(status(outcome), &content),
    };
    let mut response = answers::tagged(status(outcome), tag, &content);
    if let Some(place) = place {
        locate(&mut response, &place);
    }
    response
}

fn many(subject: &Subject, results: &[Result<Outcome, Error>]) -> Whole {
    let Subject::Batch(subjects) = subject else { return unexpected() };
    let items = subjects.iter().zip(results);
    match items.map(|(subject, result)| Item::of(subject, result.as_ref())).collect() {
        Some(results) => answers::json(StatusCode::OK, &Results { results }),
        None => unexpected(),
    }
}

fn locate(response: &mut Whole, address: &str) {
    if let Ok(location) = HeaderValue::try_from(address) {
        response.headers_mut().insert(header::LOCATION, location);
    }
}

fn address(key: &StockKey) -> String {
    let product = percent_encoded(key.product_id.as_str());
    match key.location_id.as_str() {
        "default" => format!("/v1/inventory/{product}"),
        other => format!("/v1/inventory/{product}?location_id={}", percent_encoded(other)),
    }
}

/// An id, which has no spaces, so that the encoding of forms is that of paths.
fn percent_encoded(id: &str) -> String {
    let pair = serde_urlencoded::to_string([("", id)]).unwrap_or_default();
    pair.trim_start_matches('=').to_owned()
}

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// The answer in a form that can be kept; none where it is one that is not.
pub(super) fn keep(whole: &Whole) -> Option<Vec<u8>> {
    // What failed may succeed when it is tried again.
    if whole.status().is_server_error() {
        return None;
    }
    let headers = whole.headers().iter();
    let kept = Kept {
        status: whole.status().as_u16(),
        headers: headers
            .filter_map(|(name, value)| {
                Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
            })
            .collect(),
        body: String::from_utf8(whole.body().to_vec()).ok()?,
    };
    serde_json::to_vec(&kept).ok()
}

fn restore(bytes: &[u8]) -> Option<Whole> {
    let kept: Kept = serde_json::from_slice(bytes).ok()?;
    let mut whole = Whole::new(Bytes::from(kept.body));
    *whole.status_mut() = StatusCode::from_u16(kept.status).ok()?;
    for (name, value) in kept.headers {
        let (name, value) = (HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
        whole.headers_mut().append(name, value);
    }
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Detail, Rejection, Value};
    use serde_json::json;

    #[test]
    fn a_kept_answer_is_the_same_byte_for_byte() {
        let mut whole = answers::json(StatusCode::CREATED, &json!({"a": [1, "ü\n"], "b": null}));
        locate(&mut whole, "/v1/reservations/x%2F1");
        let restored = restore(&keep(&whole).unwrap()).unwrap();
        assert_eq!(restored.status(), whole.status());
        assert_eq!(restored.headers(), whole.headers());
        assert_eq!(restored.body(), whole.body());
    }

    #[test]
    fn what_failed_is_not_kept() {
        let problem = |code| Problem::new(code, "").into_whole();
        assert!(keep(&problem("domain-fault")).is_none());
        assert!(keep(&problem("store-unavailable")).is_none());
        assert!(keep(&problem("insufficient-stock")).is_some());
    }

    #[test]
    fn the_size_of_an_answer_is_about_what_is_in_it() {
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
        assert_eq!(address(&key), "/v1/inventory/a%2Fb%3Fc%25?location_id=n%261");
    }
}

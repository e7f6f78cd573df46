//! `/v1/events`: the log of all events.

use super::{
    App,
    answers::{self, EventPage},
    body::{Limit, Query, ReservationId, Sequence, Text, leaf, object},
    cursor::{self, EventCursor},
    openapi::ListProblems,
    problem::Problem,
};
use crate::{
    model::{EventKind, ProductId},
    store::EventScan,
    wire::{EVENT_TYPES, LogEntryBody},
};
use axum::{
    body::Body,
    extract::{OriginalUri, State},
    response::Response,
};
use serde_json::json;

/// The kinds of events that have one `type` in the JSON of events.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventType(&'static [EventKind]);

leaf! { EventType,
    json!({"type": "string", "enum": EVENT_TYPES.map(|(name, _)| name)});
    |scalar| {
        let given = scalar.text()?;
        let found = EVENT_TYPES.iter().find(|(name, _)| *name == given);
        found.map(|(_, kinds)| Self(kinds)).ok_or_else(|| {
            let names = EVENT_TYPES.map(|(name, _)| name);
            format!("must be {}, is {given:?}", names.join(" or "))
        })
    }
}

object! {
    /// Which events to list.
    pub(super) struct EventListParams {
        /// Only events of this type.
        kind as "type": Option<EventType>,
        /// Only events about this product, at any location.
        product_id: Option<ProductId>,
        /// Only events about this reservation, and about the units that it moved.
        reservation_id: Option<ReservationId>,
        /// Only events with this reference.
        reference: Option<Text>,
        /// Only events with this number or a later one.
        from_sequence: Option<Sequence>,
        /// The maximum number of items on the page.
        limit: Limit,
        /// The `next_cursor` of the previous page.
        cursor: Option<EventCursor>,
    }
}

/// List the events of all stocks and reservations
///
/// The oldest come first. Events never change. A page can be shorter than `limit`, or empty, and
/// still have a next page.
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "events",
    params(Query<EventListParams>),
    responses(
        (status = 200, description = "A page of the log", body = EventPage,
            headers(("Link" = Option<String>, description = "The next page, where there is one"))),
        ListProblems,
    )
)]
pub(super) async fn list_events(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    params: Query<EventListParams>,
) -> Result<Response, Problem> {
    let params = params.valid()?;
    let from = params.from_sequence.map_or(0, |sequence| sequence.0).saturating_sub(1);
    let scan = EventScan {
        kinds: params.kind.map_or_else(Vec::new, |kinds| kinds.0.to_vec()),
        product_id: params.product_id,
        reservation_id: params.reservation_id.map(|id| id.0),
        reference: params.reference.map(|text| text.0),
        after: params.cursor.map_or(0, |cursor| cursor.0).max(from),
        limit: params.limit.0,
    };
    let page = app.engine.events(scan).await?;
    let entries = page.items.len();
    let render = move || {
        let items = page.items.iter().map(LogEntryBody::from).collect();
        answers::page(&uri, items, page.next.map(cursor::of_events))
    };
    Ok(answers::rendered(entries, render).await.map(Body::from))
}

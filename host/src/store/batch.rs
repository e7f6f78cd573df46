//! A batch: the keys that its commands name, and what it commits.

use super::{IdempotencyBounds, IdempotencyKey, IdempotencyRecord, Read, StoredReservation};
use crate::model::{
    Digest, Event, Installed, LogEntry, Recorded, Reservation, Stock, StockKey, Timestamp,
};
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;

/// Something that a command of a batch names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchKey<'a> {
    /// A stock.
    Stock(&'a StockKey),
    /// A reservation, by id.
    Reservation(&'a str),
    /// The key of a request that its sender may send again.
    Idempotency(&'a IdempotencyKey),
}

/// Shows each key to its parameter.
type ShowKeys<'a> = dyn Fn(&mut dyn FnMut(BatchKey<'_>)) + 'a;

/// The keys that the commands of a batch name, so that a store can fetch all of them in one round
/// trip. A batch may read other keys too: holds that are due, and what a component looks up. The
/// keys are collected only where a store asks for them.
#[derive(Clone, Copy)]
pub struct BatchKeys<'a>(Option<&'a ShowKeys<'a>>);

impl<'a> BatchKeys<'a> {
    /// No keys.
    pub const NONE: BatchKeys<'static> = BatchKeys(None);

    /// The keys that this function shows, some of them perhaps more than once.
    #[must_use]
    pub fn new(show: &'a ShowKeys<'a>) -> Self {
        Self(Some(show))
    }

    /// Calls a function for each key.
    pub fn for_each(&self, mut each: impl FnMut(BatchKey<'_>)) {
        if let Some(show) = self.0 {
            show(&mut each);
        }
    }
}

/// An entry of the event log before its commit, which gives it its sequence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewEntry {
    /// When the command was decided.
    pub at: Timestamp,
    /// The command that produced the event.
    pub command_id: Uuid,
    /// The caller of the command.
    pub caller: Option<Arc<str>>,
    /// The reason that the caller gave.
    pub reason: Option<Arc<str>>,
    /// The caller's name for the business transaction.
    pub reference: Option<Arc<str>>,
    /// The component that decided the command; where the event is about the component, the one
    /// that decides from then on.
    pub component: Digest,
    /// The event.
    pub event: Event,
}

impl NewEntry {
    /// The entry as it stands in the log.
    #[must_use]
    pub fn numbered(self, sequence: u64) -> LogEntry {
        let Self { at, command_id, caller, reason, reference, component, event } = self;
        LogEntry { sequence, at, command_id, caller, reason, reference, component, event }
    }
}

/// A stock to be written.
#[derive(Debug)]
pub struct StockWrite<'a, H> {
    /// The key of the stock.
    pub key: &'a StockKey,
    /// The store's own handle; `None` where the stock is new. A commit brings it up to date.
    pub handle: &'a mut Option<H>,
    /// The stock before the batch; `None` where the stock is new.
    pub before: Option<&'a Stock>,
    /// The stock after the batch.
    pub stock: &'a Stock,
}

/// A reservation to be written.
#[derive(Debug)]
pub struct ReservationWrite<'a, H> {
    /// The id of the reservation.
    pub id: &'a str,
    /// The reservation as the store has it; `None` where it is new.
    pub stored: Option<&'a StoredReservation<H>>,
    /// The reservation after the batch.
    pub reservation: &'a Reservation,
}

/// A batch to be committed.
pub struct Batch<'a, 'w, R: Read> {
    /// Stocks that changed.
    pub stocks: &'a mut [StockWrite<'w, R::StockHandle>],
    /// Reservations that changed.
    pub reservations: &'a [ReservationWrite<'w, R::ReservationHandle>],
    /// The events of the batch, in their order.
    pub log: &'a [NewEntry],
    /// Answers to requests with a key.
    pub idempotency_records: &'a HashMap<IdempotencyKey, IdempotencyRecord>,
    /// Bounds on the idempotency records of large answers.
    pub idempotency_bounds: IdempotencyBounds,
    /// The component that decides from now on, where that changes.
    pub installed: Option<Installed>,
    /// Commands as they were decided. Until the commit their `first_sequence` counts the events
    /// of the batch from 1; the commit makes each of them a sequence of the log.
    pub recorded: &'a mut [Recorded],
    /// The most recorded commands that are kept; 0 keeps none.
    pub recorded_max: u64,
    /// The time of the batch.
    pub now: Timestamp,
}

/// Turns the places of recorded commands within their batch into sequences of the log, for a
/// batch whose events follow the sequence `end`.
pub(super) fn number_recorded(recorded: &mut [Recorded], end: u64) {
    for first in recorded.iter_mut().filter_map(|it| it.first_sequence.as_mut()) {
        *first = first.saturating_add(end);
    }
}

//! A batch: the keys that its commands name, and the data that its commit writes.

use super::{IdempotencyBounds, IdempotencyKey, IdempotencyRecord, Read, StoredReservation};
use crate::model::{
    Digest, Event, Installed, LogEntry, Recorded, Reservation, Stock, StockKey, Timestamp,
};
#[cfg(test)]
use std::sync::LazyLock;
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;

/// A key that a command of a batch names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchKey<'a> {
    /// A stock.
    Stock(&'a StockKey),
    /// A reservation, by id.
    Reservation(&'a str),
    /// The idempotency key of a request.
    Idempotency(&'a IdempotencyKey),
}

/// A function that calls its parameter with each key.
type ShowKeys<'a> = dyn Fn(&mut dyn FnMut(BatchKey<'_>)) + 'a;

/// The keys that the commands of a batch name, so that a store can fetch all of them in one round
/// trip. A batch may read further keys: holds that are due, and keys that a component looks up. The
/// keys are collected only when a store asks for them.
#[derive(Clone, Copy)]
pub struct BatchKeys<'a>(Option<&'a ShowKeys<'a>>);

impl<'a> BatchKeys<'a> {
    /// No keys.
    pub const NONE: BatchKeys<'static> = BatchKeys(None);

    /// The keys that the function `show` passes on; `show` may pass on a key more than once.
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

/// An entry of the event log before its commit. The commit assigns the sequence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewEntry {
    /// The time at which the command was decided.
    pub at: Timestamp,
    /// The command that produced the event.
    pub command_id: Uuid,
    /// The caller of the command.
    pub caller: Option<Arc<str>>,
    /// The reason that the caller gave.
    pub reason: Option<Arc<str>>,
    /// The caller's name for the business transaction.
    pub reference: Option<Arc<str>>,
    /// The component that decided the command. An event of the domain component names the
    /// component that decides from then on.
    pub component: Digest,
    /// The event.
    pub event: Event,
}

impl NewEntry {
    /// The entry as it stands in the log, with its sequence.
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
    /// The store's handle of the stock; `None` where the stock is new. A commit updates it.
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
    /// The reservation as it is stored; `None` where it is new.
    pub stored: Option<&'a StoredReservation<H>>,
    /// The reservation after the batch.
    pub reservation: &'a Reservation,
}

/// A batch to be committed.
pub struct Batch<'a, 'w, R: Read> {
    /// The stocks that changed.
    pub stocks: &'a mut [StockWrite<'w, R::StockHandle>],
    /// The reservations that changed.
    pub reservations: &'a [ReservationWrite<'w, R::ReservationHandle>],
    /// The events of the batch, in their order.
    pub log: &'a [NewEntry],
    /// The idempotency records of the batch's requests, by key.
    pub idempotency_records: &'a HashMap<IdempotencyKey, IdempotencyRecord>,
    /// Bounds on the idempotency records of large answers.
    pub idempotency_bounds: IdempotencyBounds,
    /// The component that decides from this batch on; `None` where the component stays the same.
    pub installed: Option<Installed>,
    /// The commands of the batch as they were decided. Until the commit, `first_sequence` is a
    /// position in the batch, from 1; the commit turns it into a sequence of the log.
    pub recorded: &'a mut [Recorded],
    /// The number of recorded commands that the store keeps; 0 keeps none.
    pub recorded_max: u64,
    /// The time of the batch.
    pub now: Timestamp,
}

#[cfg(test)]
impl<R: Read> Batch<'_, '_, R> {
    /// A batch that changes nothing, for tests to fill in.
    pub(crate) fn empty(now: Timestamp) -> Self {
        static NO_RECORDS: LazyLock<HashMap<IdempotencyKey, IdempotencyRecord>> =
            LazyLock::new(HashMap::new);
        Self {
            stocks: &mut [],
            reservations: &[],
            log: &[],
            idempotency_records: &NO_RECORDS,
            idempotency_bounds: IdempotencyBounds::NONE,
            installed: None,
            recorded: &mut [],
            recorded_max: 0,
            now,
        }
    }
}

/// Turns the positions of recorded commands within their batch into sequences of the log. `end` is
/// the last sequence before the batch.
pub(super) fn number_recorded(recorded: &mut [Recorded], end: u64) {
    for first in recorded.iter_mut().filter_map(|it| it.first_sequence.as_mut()) {
        *first = first.saturating_add(end);
    }
}

//! The unit of work: the writes of a batch, in memory, over the state of the store. Each command
//! writes into a draft of its own. The draft joins the batch when the command is accepted, and is
//! dropped otherwise, so that nothing has to be undone in the store.

mod commit;
mod due;
mod invariants;
mod recording;
mod undo;
mod view;
mod world;
mod writes;

pub use view::ReadView;

use crate::{
    component::Purpose,
    model::{
        Command, Digest, DomainEvent, DomainEventKind, Event, Fault, Installed, Map, Origin,
        Outcome, Recorded, Reservation, Stock, StockKey, StoreFailure, Timestamp,
    },
    store::{
        Decidable, IdempotencyBounds, IdempotencyKey, IdempotencyRecord, NewEntry,
        StoredReservation,
    },
};
use std::collections::HashMap;
use undo::Undo;
use uuid::Uuid;
use writes::Writes;

/// A batch that is being decided, over the state that its commands are decided on. The batch can be
/// committed only where the state is a [`crate::store::Lane`].
pub struct UnitOfWork<R: Decidable> {
    state: R,
    /// Every stock that the batch has read or written.
    stocks: Map<StockKey, TouchedStock<R::StockHandle>>,
    /// Every reservation that the batch has read or written.
    reservations: Map<String, TouchedReservation<R::ReservationHandle>>,
    /// Active reservations of earlier batches, as they are in the store: a hold is usually followed
    /// by another command on the same reservation.
    recent: Map<String, StoredReservation<R::ReservationHandle>>,
    /// The events of accepted commands. The commit gives these events their sequences.
    log: Vec<NewEntry>,
    /// The component that decides from now on; `None` where it does not change.
    installed: Option<Installed>,
    /// The decided commands, recorded for replays.
    recorded: Vec<Recorded>,
    /// The most recorded commands that the store keeps; 0 records none.
    recorded_max: u64,
    /// The idempotency records of the batch.
    answers: HashMap<IdempotencyKey, IdempotencyRecord>,
    idempotency_bounds: IdempotencyBounds,
    /// The purpose of the current call.
    purpose: Purpose,
    /// The time of the current call, in milliseconds since the epoch.
    now: Timestamp,
    /// Time at which the next hold comes due, or an earlier time, in milliseconds since the epoch;
    /// `None` when no hold can come due.
    next_due: Option<Timestamp>,
    /// How to undo the commands since [`UnitOfWork::begin_undoable`]; `None` where commands cannot
    /// be undone.
    undo: Option<Undo>,
    /// The draft of the current command: the stocks and the reservations that it writes, and its
    /// events.
    writes: Writes,
    reservation_writes: Vec<(String, Reservation)>,
    events: Vec<Event>,
}

struct TouchedStock<H> {
    handle: Option<H>,
    /// The stock before the batch; `None` where it did not exist.
    before: Option<Stock>,
    /// The stock as the batch leaves it so far.
    stock: Option<Stock>,
    /// Whether the batch has changed the stock.
    dirty: bool,
}

struct TouchedReservation<H> {
    stored: Option<StoredReservation<H>>,
    /// The reservation as the batch leaves it so far; `None` where the batch has not changed it.
    changed: Option<Reservation>,
}

impl<H> TouchedReservation<H> {
    fn current(&self) -> Option<&Reservation> {
        self.changed.as_ref().or(self.stored.as_ref().map(|stored| &stored.reservation))
    }
}

impl<R: Decidable> UnitOfWork<R> {
    /// Creates a unit of work with an empty batch.
    ///
    /// # Errors
    /// The store fails to find the hold that comes due first.
    pub fn new(mut state: R) -> Result<Self, StoreFailure> {
        let next_due = state.first_due(1)?.first().map(|(_, at)| *at);
        Ok(Self {
            state,
            stocks: Map::default(),
            reservations: Map::default(),
            recent: Map::default(),
            log: Vec::new(),
            installed: None,
            recorded: Vec::new(),
            recorded_max: 0,
            answers: HashMap::new(),
            idempotency_bounds: IdempotencyBounds::NONE,
            purpose: Purpose::Command,
            now: 0,
            next_due,
            undo: None,
            writes: Writes::default(),
            reservation_writes: Vec::new(),
            events: Vec::new(),
        })
    }

    /// The state that commands are decided on.
    #[must_use]
    pub fn state(&self) -> &R {
        &self.state
    }

    /// Ends the unit of work and returns its state.
    #[must_use]
    pub fn into_state(self) -> R {
        self.state
    }

    /// Time at which the next hold comes due, or an earlier time, in milliseconds since the epoch;
    /// `None` when no hold can come due.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.next_due
    }

    /// The entries of the batch after its first `count` entries.
    #[must_use]
    pub fn entries_since(&self, count: usize) -> &[NewEntry] {
        self.log.get(count..).unwrap_or_default()
    }

    /// The number of events of the batch so far, without those of the current command.
    #[must_use]
    pub fn event_count(&self) -> usize {
        self.log.len()
    }

    /// The draft of the current command so far.
    #[must_use]
    pub fn draft(&self) -> Draft<'_> {
        Draft {
            stocks: self.writes.as_slice(),
            reservations: &self.reservation_writes,
            events: &self.events,
        }
    }

    /// Checks the draft and the answer of the current command against the invariants.
    ///
    /// # Errors
    /// [`Fault`]: the draft or the answer breaks an invariant.
    pub fn check_draft(&self, command: &Command, outcome: &Outcome) -> Result<(), Fault> {
        let stock = |key: &StockKey| self.stocks.get(key)?.stock.as_ref();
        let reservation = |id: &str| self.reservations.get(id)?.current();
        let draft = self.draft();
        draft
            .check(&stock, &reservation)
            .and_then(|()| draft.check_answer(&command.action, outcome, &stock, &reservation))
            .map_err(|broken| Fault(format!("it broke an invariant: {broken}")))
    }

    /// Checks the draft of the current command and adds it to the batch.
    ///
    /// # Errors
    /// [`Fault`]: the draft breaks an invariant, and is dropped.
    pub fn accept(
        &mut self,
        command: &Command,
        now: Timestamp,
        decided_by: Digest,
        outcome: &Outcome,
    ) -> Result<(), Fault> {
        if let Err(fault) = self.check_draft(command, outcome) {
            self.abandon();
            return Err(fault);
        }
        self.record_acceptance(command, now, decided_by, outcome);
        for (key, stock) in self.writes.take() {
            if let Some(undo) = &mut self.undo {
                let before = self.stocks.get(&key);
                let (known, dirty) = before.map_or((None, false), |it| (it.stock, it.dirty));
                undo.stocks.push((key.clone(), known, dirty));
            }
            let touched = self.stocks.entry(key).or_insert(TouchedStock {
                handle: None,
                before: None,
                stock: None,
                dirty: true,
            });
            touched.stock = Some(stock);
            touched.dirty = true;
        }
        for (id, reservation) in self.reservation_writes.drain(..) {
            self.next_due = earlier(self.next_due, reservation.due_at());
            let touched = self
                .reservations
                .entry(id.clone())
                .or_insert(TouchedReservation { stored: None, changed: None });
            let before = touched.changed.replace(reservation);
            if let Some(undo) = &mut self.undo {
                undo.reservations.push((id, before));
            }
        }
        let origin = &command.origin;
        self.log.extend(self.events.drain(..).map(|event| NewEntry {
            at: now,
            command_id: command.id,
            caller: origin.caller.clone(),
            reason: origin.reason.clone(),
            reference: origin.reference.clone(),
            component: decided_by,
            event,
        }));
        Ok(())
    }

    /// Records that another component decides from now on, with an event in the log.
    pub fn install(
        &mut self,
        kind: DomainEventKind,
        from: Digest,
        to: Installed,
        origin: &Origin,
        now: Timestamp,
    ) {
        self.installed = Some(to);
        let event = Event::Domain(DomainEvent { kind, from, to: to.current });
        self.log.push(NewEntry {
            at: now,
            command_id: Uuid::now_v7(),
            caller: origin.caller.clone(),
            reason: origin.reason.clone(),
            reference: origin.reference.clone(),
            component: to.current,
            event,
        });
    }

    /// Drops the draft of the current command.
    pub fn abandon(&mut self) {
        self.writes.clear();
        self.reservation_writes.clear();
        self.events.clear();
    }

    /// Adds an idempotency record to the batch.
    pub fn keep_answer(&mut self, key: IdempotencyKey, answered: IdempotencyRecord) {
        self.answers.insert(key, answered);
    }

    /// Sets the bounds on idempotency records of large answers.
    pub fn bound_answers(&mut self, bounds: IdempotencyBounds) {
        self.idempotency_bounds = bounds;
    }
}

/// The draft of a command: its writes and events, which are not part of the batch yet.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// The stocks that the command writes.
    pub stocks: &'a [(StockKey, Stock)],
    /// The reservations that the command writes, by id.
    pub reservations: &'a [(String, Reservation)],
    /// The events that the command publishes.
    pub events: &'a [Event],
}

/// The earlier of two times. `None` stands for never.
fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    a.into_iter().chain(b).min()
}

#[cfg(test)]
mod tests;

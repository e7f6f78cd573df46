//! What a batch would change: an in-memory write set over what the store holds. Each command
//! writes into a set of its own, which joins the batch when it is accepted and is dropped
//! when it is not: there is nothing to undo in the store.

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

/// A batch in the making, over a state that its commands are decided on. Only where that state is
/// a [`crate::store::Lane`] can the batch be committed.
pub struct UnitOfWork<R: Decidable> {
    state: R,
    /// Every stock that the batch has touched.
    stocks: Map<StockKey, Touched<R::StockHandle>>,
    /// Every reservation that the batch has touched.
    reservations: Map<String, TouchedReservation<R::ReservationHandle>>,
    /// Active reservations that a batch has changed, as they are in the store: a hold is mostly
    /// followed by something else.
    recent: Map<String, StoredReservation<R::ReservationHandle>>,
    /// The events of accepted commands. They get their sequences from the commit.
    log: Vec<NewEntry>,
    /// Which component decides from now on, where that changes.
    installed: Option<Installed>,
    /// Commands as they were decided.
    recorded: Vec<Recorded>,
    /// The most of them that the store keeps; 0: none are recorded.
    recorded_max: u64,
    /// Answers to requests with a key.
    answers: HashMap<IdempotencyKey, IdempotencyRecord>,
    idempotency_bounds: IdempotencyBounds,
    /// What the calls are made for, and as of when.
    purpose: Purpose,
    now: Timestamp,
    /// Time at which the next hold comes due, or an earlier one; `None` when no hold can.
    next_due: Option<Timestamp>,
    /// What to restore should several commands not be accepted together.
    undo: Option<Undo>,
    /// What the command at hand writes and says.
    writes: Writes,
    reservation_writes: Vec<(String, Reservation)>,
    facts: Vec<Event>,
}

struct Touched<H> {
    handle: Option<H>,
    /// As of before the batch.
    before: Option<Stock>,
    stock: Option<Stock>,
    dirty: bool,
}

struct TouchedReservation<H> {
    stored: Option<StoredReservation<H>>,
    /// As the batch leaves it, where it changes it.
    changed: Option<Reservation>,
}

impl<H> TouchedReservation<H> {
    fn current(&self) -> Option<&Reservation> {
        self.changed.as_ref().or(self.stored.as_ref().map(|stored| &stored.reservation))
    }
}

impl<R: Decidable> UnitOfWork<R> {
    /// An empty batch.
    ///
    /// # Errors
    /// Where the store fails to say which hold comes due first.
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
            facts: Vec::new(),
        })
    }

    /// The state that commands are decided on.
    #[must_use]
    pub fn state(&self) -> &R {
        &self.state
    }

    /// Ends the unit of work.
    #[must_use]
    pub fn into_state(self) -> R {
        self.state
    }

    /// Time at which the next hold comes due, or an earlier one; `None` when no hold can.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.next_due
    }

    /// What the commands of the batch have said from the given place on.
    #[must_use]
    pub fn facts_since(&self, place: usize) -> &[NewEntry] {
        self.log.get(place..).unwrap_or_default()
    }

    /// The place in the batch's log behind what was said so far.
    #[must_use]
    pub fn place(&self) -> usize {
        self.log.len()
    }

    /// What the command at hand has written and said so far.
    #[must_use]
    pub fn draft(&self) -> Draft<'_> {
        Draft {
            stocks: self.writes.as_slice(),
            reservations: &self.reservation_writes,
            facts: &self.facts,
        }
    }

    /// Holds what the command at hand has written, and what it answers, against the invariants.
    ///
    /// # Errors
    /// [`Fault`]: it breaks one.
    pub fn check_draft(&self, command: &Command, outcome: &Outcome) -> Result<(), Fault> {
        let stock = |key: &StockKey| self.stocks.get(key)?.stock.as_ref();
        let reservation = |id: &str| self.reservations.get(id)?.current();
        let draft = self.draft();
        draft
            .check(&stock, &reservation)
            .and_then(|()| draft.check_answer(&command.action, outcome, &stock, &reservation))
            .map_err(|broken| Fault(format!("it broke an invariant: {broken}")))
    }

    /// Lets the writes of the command at hand join the batch.
    ///
    /// # Errors
    /// [`Fault`]: they break an invariant, and are dropped.
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
            let touched = self.stocks.entry(key).or_insert(Touched {
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
        self.log.extend(self.facts.drain(..).map(|event| NewEntry {
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

    /// Lets another component decide from now on, and says so in the log.
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

    /// Drops what the command at hand has written.
    pub fn abandon(&mut self) {
        self.writes.clear();
        self.reservation_writes.clear();
        self.facts.clear();
    }

    /// Keeps the answer to a request with a key.
    pub fn keep_answer(&mut self, key: IdempotencyKey, answered: IdempotencyRecord) {
        self.answers.insert(key, answered);
    }

    /// From now on the store keeps no more of large answers than this.
    pub fn bound_answers(&mut self, bounds: IdempotencyBounds) {
        self.idempotency_bounds = bounds;
    }
}

/// What a command would change and say, were it accepted.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// Stocks.
    pub stocks: &'a [(StockKey, Stock)],
    /// Reservations, by id.
    pub reservations: &'a [(String, Reservation)],
    /// Facts.
    pub facts: &'a [Event],
}

/// The earlier of two times, either of which may be never.
fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    a.into_iter().chain(b).min()
}

#[cfg(test)]
mod tests;

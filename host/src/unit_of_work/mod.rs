//! What a batch would change: an in-memory write set over what the store holds. Each command
//! writes into a set of its own, which joins the batch when it is accepted and is dropped
//! when it is not: there is nothing to undo in the store.

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
        Command, Digest, DomainEvent, DomainEventKind, Event, Fault, Installed, LogEntry, Map,
        Origin, Outcome, Recorded, Reservation, Stock, StockKey, StoreFailure, Timestamp,
    },
    store::{
        AnswerBounds, Answered, Batch, Handle, Lane, LargeAnswers, LogEnd, RequestKey,
        ReservationHandle, ReservationWrite, StockWrite, StoredReservation,
    },
};
use std::collections::HashMap;
use undo::Undo;
use uuid::Uuid;
use writes::Writes;

/// The most reservations that are remembered from earlier batches, a kilobyte each or less.
const RECENT_RESERVATIONS_MAX: usize = 4_096;

/// A batch in the making, over the lane that will commit it.
pub struct UnitOfWork<L> {
    lane: L,
    log_end: LogEnd,
    /// Every stock that the batch has touched.
    stocks: Map<StockKey, Touched>,
    /// Every reservation that the batch has touched.
    reservations: Map<String, TouchedReservation>,
    /// Active reservations that a batch has changed, as they are in the store: a hold is mostly
    /// followed by something else.
    recent: Map<String, StoredReservation>,
    /// What accepted commands say.
    log: Vec<LogEntry>,
    /// Which component decides from now on, where that changes.
    installed: Option<Installed>,
    /// Commands as they were decided.
    recorded: Vec<Recorded>,
    /// The most of them that the store keeps; 0: none are recorded.
    recorded_max: u64,
    /// Answers to requests with a key.
    answers: HashMap<RequestKey, Answered>,
    answer_bounds: AnswerBounds,
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

struct Touched {
    handle: Option<Handle>,
    /// As of before the batch.
    before: Option<Stock>,
    stock: Option<Stock>,
    dirty: bool,
}

struct TouchedReservation {
    stored: Option<StoredReservation>,
    /// As the batch leaves it, where it changes it.
    changed: Option<Reservation>,
}

impl TouchedReservation {
    fn current(&self) -> Option<&Reservation> {
        self.changed.as_ref().or(self.stored.as_ref().map(|stored| &stored.reservation))
    }
}

impl<L: Lane> UnitOfWork<L> {
    /// An empty batch.
    ///
    /// # Errors
    /// Where the store fails to say how its log ends.
    pub fn new(mut lane: L) -> Result<Self, StoreFailure> {
        let log_end = lane.log_end()?;
        let next_due = lane.first_due(1)?.first().map(|(_, at)| *at);
        Ok(Self {
            lane,
            log_end,
            stocks: Map::default(),
            reservations: Map::default(),
            recent: Map::default(),
            log: Vec::new(),
            installed: None,
            recorded: Vec::new(),
            recorded_max: 0,
            answers: HashMap::new(),
            answer_bounds: AnswerBounds::NONE,
            purpose: Purpose::Command,
            now: 0,
            next_due,
            undo: None,
            writes: Writes::default(),
            reservation_writes: Vec::new(),
            facts: Vec::new(),
        })
    }

    /// What commits the batch.
    #[must_use]
    pub fn lane(&self) -> &L {
        &self.lane
    }

    /// Ends the unit of work.
    #[must_use]
    pub fn into_lane(self) -> L {
        self.lane
    }

    /// Begins a batch.
    ///
    /// # Errors
    /// Where the store fails; there is no batch then.
    pub fn begin(&mut self) -> Result<(), StoreFailure> {
        self.lane.begin_batch()
    }

    /// The log as of the last commit.
    #[must_use]
    pub fn log_end(&self) -> LogEnd {
        self.log_end
    }

    /// Time at which the next hold comes due, or an earlier one; `None` when no hold can.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.next_due
    }

    /// What the commands of the batch have said from the given place on.
    #[must_use]
    pub fn facts_since(&self, place: usize) -> &[LogEntry] {
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
        let committed = self.log_end.sequence + self.log.len() as u64;
        let origin = &command.origin;
        self.log.extend((committed + 1..).zip(self.facts.drain(..)).map(|(sequence, event)| {
            LogEntry {
                sequence,
                at: now,
                command_id: command.id,
                caller: origin.caller.clone(),
                reason: origin.reason.clone(),
                reference: origin.reference.clone(),
                component: decided_by,
                event,
            }
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
        self.log.push(LogEntry {
            sequence: self.log_end.sequence + self.log.len() as u64 + 1,
            at: now,
            command_id: Uuid::now_v7(),
            caller: origin.caller.clone(),
            reason: origin.reason.clone(),
            reference: origin.reference.clone(),
            component: to.current,
            event,
        });
    }

    /// Which component decides, where that is written down.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn installed(&mut self) -> Result<Option<Installed>, StoreFailure> {
        self.lane.installed()
    }

    /// Drops what the command at hand has written.
    pub fn abandon(&mut self) {
        self.writes.clear();
        self.reservation_writes.clear();
        self.facts.clear();
    }

    /// What a request with this key was answered, in this batch or since `since`.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn answered(
        &mut self,
        key: &RequestKey,
        since: Timestamp,
    ) -> Result<Option<Answered>, StoreFailure> {
        match self.answers.get(key) {
            Some(answered) => Ok(Some(answered.clone())),
            None => self.lane.answered(key, since),
        }
    }

    /// Keeps the answer to a request with a key.
    pub fn keep_answer(&mut self, key: RequestKey, answered: Answered) {
        self.answers.insert(key, answered);
    }

    /// Forgets some answers from before `before`; says whether there may be more.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn forget_answers(&mut self, before: Timestamp, limit: u32) -> Result<bool, StoreFailure> {
        self.lane.forget_answers(before, limit)
    }

    /// From now on the store keeps no more of large answers than this.
    pub fn bound_answers(&mut self, bounds: AnswerBounds) {
        self.answer_bounds = bounds;
    }

    /// What the store keeps of large answers.
    #[must_use]
    pub fn large_answers(&self) -> LargeAnswers {
        self.lane.large_answers()
    }

    /// Makes the batch durable and ends it. After a failure nothing of the
    /// batch remains.
    ///
    /// # Errors
    /// Where the store fails; nothing is written then, unless the outcome is unknown.
    pub fn commit(&mut self, now: Timestamp) -> Result<(), StoreFailure> {
        self.abandon();
        self.undo = None;
        let result = self.commit_dirty(now);
        if let (Ok(()), Some(last)) = (&result, self.log.last()) {
            self.log_end = LogEnd { sequence: last.sequence, at: last.at };
        }
        if result.is_err() {
            self.recent.clear();
        }
        self.stocks.clear();
        self.reservations.clear();
        self.log.clear();
        self.installed = None;
        self.recorded.clear();
        self.answers.clear();
        if result.is_ok()
            && let Err(failure) = self.look_for_next_due(now)
        {
            // What is committed stays so; until it is known again, everything is looked at.
            tracing::warn!(%failure, "the next hold that comes due could not be looked up");
        }
        result
    }

    /// Remembers reservations as they were just committed, as long as something can still
    /// become of them.
    fn remember(&mut self, committed: Vec<(String, ReservationHandle)>) {
        if self.recent.len() + committed.len() > RECENT_RESERVATIONS_MAX {
            self.recent.clear();
        }
        for (id, handle) in committed {
            let changed = self.reservations.remove(&id).and_then(|touched| touched.changed);
            match changed.filter(|it| it.status.state.is_active()) {
                Some(reservation) => {
                    self.recent.insert(id, StoredReservation { handle, reservation });
                }
                None => {
                    self.recent.remove(&id);
                }
            }
        }
    }

    fn commit_dirty(&mut self, now: Timestamp) -> Result<(), StoreFailure> {
        let dirty = self.stocks.iter_mut().filter(|(_, touched)| touched.dirty);
        let mut stocks: Vec<_> = dirty
            .filter_map(|(key, Touched { handle, before, stock, .. })| {
                let (stock, before) = (stock.as_ref()?, before.as_ref());
                Some(StockWrite { key, handle, before, stock })
            })
            .collect();
        let changed = self.reservations.iter().filter_map(|(id, touched)| {
            let reservation = touched.changed.as_ref()?;
            Some(ReservationWrite { id, stored: touched.stored.as_ref(), reservation })
        });
        let mut reservations: Vec<_> = changed.collect();
        // In key order: neighbours share pages.
        stocks.sort_unstable_by_key(|write| write.key);
        reservations.sort_unstable_by_key(|write| (write.reservation.created_at, write.id));
        let handles = self.lane.commit(Batch {
            stocks: &mut stocks,
            reservations: &reservations,
            log: &self.log,
            answers: &self.answers,
            answer_bounds: self.answer_bounds,
            installed: self.installed,
            recorded: &self.recorded,
            recorded_max: self.recorded_max,
            now,
        })?;
        let ids = reservations.iter().map(|write| write.id.to_owned());
        let committed: Vec<_> = ids.zip(handles).collect();
        self.remember(committed);
        Ok(())
    }

    /// Whether batches can be begun; otherwise [`UnitOfWork::recover`] comes first.
    #[must_use]
    pub fn writable(&self) -> bool {
        self.lane.writable()
    }

    /// After a failed commit: gets the store ready to write again.
    ///
    /// # Errors
    /// Where it is not.
    pub fn recover(&mut self) -> Result<(), StoreFailure> {
        self.lane.recover()?;
        self.log_end = self.lane.log_end()?;
        self.next_due = self.lane.first_due(1)?.first().map(|(_, at)| *at);
        Ok(())
    }

    /// Leaves the store as compact as it can be, before the process ends.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn close(&mut self) -> Result<(), StoreFailure> {
        self.lane.close()
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

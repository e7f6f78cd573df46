//! Commands as they were decided, to be replayed one day.

use super::UnitOfWork;
use crate::{
    comparison::Effect,
    component::Decision,
    model::{Command, Decided, Digest, Ended, Outcome, Recorded, StateBefore, Timestamp},
    store::Decidable,
};

impl<R: Decidable> UnitOfWork<R> {
    /// From now on the store keeps up to `most` decided commands; 0: none.
    pub fn record_up_to(&mut self, most: u64) {
        self.recorded_max = most;
    }

    /// Drops what the command at hand has written: it was refused, or its component failed.
    pub fn decline(
        &mut self,
        command: &Command,
        now: Timestamp,
        decided_by: Digest,
        decision: impl FnOnce() -> Decided,
    ) {
        self.abandon();
        if self.recorded_max > 0 {
            self.recorded.push(Recorded {
                command: command.clone(),
                at: now,
                component: decided_by,
                decision: decision(),
                first_sequence: None,
                event_count: 0,
                replaced: StateBefore::default(),
            });
        }
    }

    /// What a component made of the command at hand: its writes are still those of the draft.
    #[must_use]
    pub fn effect(&self, command: &Command, decided: Result<Decision<Outcome>, Ended>) -> Effect {
        match decided {
            Ok(Ok(outcome)) => match self.check_draft(command, &outcome) {
                Ok(()) => Effect {
                    decision: Decided::Accepted(outcome),
                    stocks: self.writes.as_slice().to_vec(),
                    reservations: self.reservation_writes.clone(),
                    events: self.facts.clone(),
                }
                .sorted(),
                Err(fault) => Effect::without_writes(Decided::Fault(fault.0)),
            },
            Ok(Err(rejection)) => Effect::without_writes(Decided::Rejected(rejection)),
            Err(ended) => Effect::without_writes(Decided::Fault(ended.to_string())),
        }
    }

    /// Before the writes of the command at hand join the batch.
    pub(super) fn record_acceptance(
        &mut self,
        command: &Command,
        now: Timestamp,
        decided_by: Digest,
        outcome: &Outcome,
    ) {
        if self.recorded_max == 0 {
            return;
        }
        // Its place in the batch: the commit makes it a sequence of the log.
        let first = self.log.len() as u64 + 1;
        self.recorded.push(Recorded {
            command: command.clone(),
            at: now,
            component: decided_by,
            decision: Decided::Accepted(outcome.clone()),
            first_sequence: (!self.facts.is_empty()).then_some(first),
            event_count: self.facts.len() as u64,
            replaced: self.replaced(),
        });
    }

    /// What is there, before the command, in the place of what it writes.
    fn replaced(&self) -> StateBefore {
        let stocks =
            self.writes.as_slice().iter().map(|(key, _)| {
                (key.clone(), self.stocks.get(key).and_then(|touched| touched.stock))
            });
        let reservations = self.reservation_writes.iter().map(|(id, _)| {
            let before = self.reservations.get(id).and_then(|touched| touched.current());
            (id.clone(), before.cloned())
        });
        StateBefore { stocks: stocks.collect(), reservations: reservations.collect() }
    }
}

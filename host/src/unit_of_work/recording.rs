//! Recording decided commands for replays, and the effect of a decision.

use super::UnitOfWork;
use crate::{
    comparison::Effect,
    component::Decision,
    model::{Command, Decided, Digest, Ended, Outcome, Recorded, StateBefore, Timestamp},
    store::Decidable,
};

impl<R: Decidable> UnitOfWork<R> {
    /// Sets the most decided commands that the store keeps; 0 records none.
    pub fn record_up_to(&mut self, most: u64) {
        self.recorded_max = most;
    }

    /// Drops the draft of the current command, which was rejected or failed, and records the
    /// command.
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

    /// The effect of the current command, whose draft is not dropped yet.
    #[must_use]
    pub fn effect(&self, command: &Command, decided: Result<Decision<Outcome>, Ended>) -> Effect {
        match decided {
            Ok(Ok(outcome)) => match self.check_draft(command, &outcome) {
                Ok(()) => Effect {
                    decision: Decided::Accepted(outcome),
                    stocks: self.writes.as_slice().to_vec(),
                    reservations: self.reservation_writes.clone(),
                    events: self.events.clone(),
                }
                .sorted(),
                Err(fault) => Effect::without_writes(Decided::Fault(fault.0)),
            },
            Ok(Err(rejection)) => Effect::without_writes(Decided::Rejected(rejection)),
            Err(ended) => Effect::without_writes(Decided::Fault(ended.to_string())),
        }
    }

    /// Records an accepted command, before its draft joins the batch.
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
        // The position in the batch, from 1. The commit converts it to a sequence of the log.
        let first = self.log.len() as u64 + 1;
        self.recorded.push(Recorded {
            command: command.clone(),
            at: now,
            component: decided_by,
            decision: Decided::Accepted(outcome.clone()),
            first_sequence: (!self.events.is_empty()).then_some(first),
            event_count: self.events.len() as u64,
            replaced: self.replaced(),
        });
    }

    /// The state that the current command replaces: each stock and reservation that it writes, as
    /// it was before.
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

//! A harness that runs a component over a store in memory, with the checks that the host makes.

use crate::{
    component::{CommandDomain, Compiled, Decision, Domain, Guest, GuestRunner, Refused},
    model::{
        Action, Answer, Command, Decided, Due, Ended, Event, Fault, LogEntry, Origin, Outcome,
        Query, Timestamp,
    },
    store::{BatchKeys, MemoryLane},
    unit_of_work::{ReadView, UnitOfWork},
};
use uuid::Uuid;

/// A component under test, linked for both of its uses.
pub(super) struct Candidate {
    /// The component for commands.
    commands: CommandDomain<UnitOfWork<MemoryLane>>,
    /// The component for queries.
    queries: Domain<ReadView<MemoryLane>>,
}

impl Candidate {
    pub(super) fn link(compiled: &Compiled) -> Result<Self, Refused> {
        Ok(Self { commands: compiled.fit()?, queries: compiled.fit()? })
    }
}

/// A component and the unit of work that it decides over.
pub(super) struct Harness<'c> {
    candidate: &'c Candidate,
    /// Whether every call gets a new instance of the component.
    fresh: bool,
    runner: GuestRunner<UnitOfWork<MemoryLane>>,
    unit: Option<Box<UnitOfWork<MemoryLane>>>,
}

impl<'c> Harness<'c> {
    pub(super) fn new(candidate: &'c Candidate, fresh: bool) -> Result<Self, Fault> {
        let unit = UnitOfWork::new(MemoryLane::default()).map_err(store_failed)?;
        let (runner, unit) = (GuestRunner::default(), Some(Box::new(unit)));
        Ok(Self { candidate, fresh, runner, unit })
    }

    fn unit(&mut self) -> Result<&mut UnitOfWork<MemoryLane>, Fault> {
        self.unit.as_deref_mut().ok_or_else(|| Fault("the unit of work was lost".to_owned()))
    }

    pub(super) fn store(&mut self) -> Result<&MemoryLane, Fault> {
        Ok(self.unit()?.state())
    }

    /// Decides a command in a batch of its own, commits it where it is accepted, and returns its
    /// events.
    ///
    /// # Errors
    /// The component traps, or breaks an invariant.
    pub(super) fn execute(
        &mut self,
        command: &Command,
        now: Timestamp,
    ) -> Result<(Decision<Outcome>, Vec<Event>), Fault> {
        self.unit()?.begin(&BatchKeys::NONE).map_err(store_failed)?;
        let decided = loop {
            match self.call(command, now) {
                Err(Ended::Due(due)) => self.expire(&due, now)?,
                decided => break decided.map_err(fault)?,
            }
        };
        let events_before = self.unit()?.event_count();
        let (digest, unit) = (self.candidate.commands.digest(), self.unit()?);
        match &decided {
            Ok(outcome) => unit.accept(command, now, digest, outcome)?,
            Err(rejection) => {
                let drafted = unit.draft();
                let wrote =
                    drafted.stocks.len() + drafted.reservations.len() + drafted.events.len();
                unit.decline(command, now, digest, || Decided::Rejected(rejection.clone()));
                if rejection.code.is_empty() {
                    return Err(Fault(format!(
                        "it rejected a command without a code, after {wrote} writes and events"
                    )));
                }
            }
        }
        let events =
            unit.entries_since(events_before).iter().map(|entry| entry.event.clone()).collect();
        unit.commit(now).map_err(store_failed)?;
        Ok((decided, events))
    }

    fn call(&mut self, command: &Command, now: Timestamp) -> Result<Decision<Outcome>, Ended> {
        if self.fresh {
            self.runner.retire();
        }
        self.runner.execute(&self.candidate.commands, &mut self.unit, command, now)
    }

    /// Expires the holds that are due on a stock or a reservation, as the host does.
    fn expire(&mut self, due: &Due, now: Timestamp) -> Result<(), Fault> {
        let unit = self.unit()?;
        unit.abandon();
        for id in unit.due(Some(due), now, u32::MAX).map_err(store_failed)? {
            let action = Action::Expire { id };
            let (origin, id) = (Origin::default(), Uuid::nil());
            let command = Command { id, origin, precondition: None, action };
            match self.call(&command, now).map_err(fault)? {
                Ok(outcome) => {
                    let digest = self.candidate.commands.digest();
                    self.unit()?.accept(&command, now, digest, &outcome)?;
                }
                Err(rejection) => {
                    let message = rejection.message;
                    let text = format!("it rejected the expiry of a hold that is due: {message}");
                    return Err(Fault(text));
                }
            }
        }
        Ok(())
    }

    /// Asks a query of the committed state as of `now`, on an instance of its own. `caller` is the
    /// name of the caller; `None` for the anonymous identity.
    ///
    /// # Errors
    /// The component fails.
    pub(super) fn query(
        &mut self,
        caller: Option<&str>,
        query: Query<'_>,
        now: Timestamp,
    ) -> Result<Decision<Answer>, Fault> {
        let view = ReadView::new(self.store()?.clone());
        let mut guest = Guest::new(&self.candidate.queries, view).map_err(|(fault, _)| fault)?;
        guest.world().begin().map_err(store_failed)?;
        guest.query(caller, query, now).map_err(fault)
    }

    /// The events of all commands so far.
    pub(super) fn log(&mut self) -> Result<&[LogEntry], Fault> {
        Ok(&self.store()?.log)
    }
}

fn fault(ended: Ended) -> Fault {
    match ended {
        Ended::Fault(fault) => fault,
        Ended::Failure(failure) => store_failed(failure),
        due @ Ended::Due(_) => Fault(due.to_string()),
    }
}

fn store_failed(failure: impl std::fmt::Display) -> Fault {
    Fault(failure.to_string())
}

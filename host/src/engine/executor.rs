//! Carries out what one request asks for, on the batch at hand.

use super::{
    Done, Error,
    faults::Faults,
    instance::Instance,
    request::{Recording, Request, Work},
    shadow::Shadow,
};
use crate::{
    model::{Action, Command, Decision, Ended, Event, Fault, Origin, Outcome, Timestamp},
    store::{Answered, Lane},
};
use std::time::Instant;
use uuid::Uuid;

/// What a rejection says where holds must be expired before its command can be decided.
pub(super) const EXPIRY_BACKLOG: &str = "expiry-backlog";

/// How often a command is tried again after a sweep: enough for a hundred thousand holds.
pub(super) const SWEEPS_PER_COMMAND_MAX: u32 = 2_000;

/// The most holds that one sweep expires.
const HOLDS_PER_SWEEP: u32 = 64;

/// Expires some holds that are due.
pub(super) fn sweep_command() -> Command {
    Command {
        id: Uuid::now_v7(),
        origin: Origin::default(),
        precondition: None,
        action: Action::ExpireDue { limit: HOLDS_PER_SWEEP },
    }
}

pub(super) struct Executor<'i, L: Lane> {
    pub(super) instance: &'i mut Instance<L>,
    /// A candidate that looks on.
    pub(super) shadow: &'i mut Option<Shadow<L>>,
    pub(super) faults: &'i Faults,
    /// The time of the batch.
    pub(super) now: Timestamp,
    /// Answers from before this are as good as forgotten.
    pub(super) answers_since: Timestamp,
}

impl<L: Lane> Executor<'_, L> {
    pub(super) fn carry_out(&mut self, request: &Request) -> Result<Done, Error> {
        match &request.recording {
            Some(recording) if !request.rehearsal => self.recorded(request, recording),
            _ => self.work(request),
        }
    }

    fn recorded(&mut self, request: &Request, recording: &Recording) -> Result<Done, Error> {
        let Recording { key, fingerprint, render } = recording;
        let since = self.answers_since;
        if let Some(known) = self.instance.unit().map_err(faulted)?.answered(key, since)? {
            if known.fingerprint != *fingerprint {
                return Err(Error::KeyReused);
            }
            return Ok(Done::Recorded { response: known.response, replayed: true });
        }
        let result = self.work(request);
        match render(&result) {
            None => result,
            Some(response) => {
                let answered = Answered { fingerprint: *fingerprint, response: response.clone() };
                self.instance.unit().map_err(faulted)?.keep_answer(key.clone(), answered);
                Ok(Done::Recorded { response, replayed: false })
            }
        }
    }

    fn work(&mut self, request: &Request) -> Result<Done, Error> {
        let together = matches!(request.work, Work::Together(_));
        if !request.rehearsal && !together {
            return self.decided(&request.work);
        }
        let unit = self.instance.unit().map_err(faulted)?;
        unit.begin_together();
        let place = unit.place();
        let done = self.decided(&request.work);
        let unit = self.instance.unit().map_err(faulted)?;
        match (request.rehearsal, done) {
            (false, Ok(done)) => {
                unit.keep();
                Ok(done)
            }
            (false, Err(error)) => {
                unit.undo();
                self.instance.retire();
                Err(error)
            }
            (true, done) => {
                let said = unit.facts_since(place).iter().map(|entry| entry.event.clone());
                let said: Vec<Event> = said.collect();
                unit.undo();
                self.instance.retire();
                Ok(Done::Rehearsed(Box::new(done?), said))
            }
        }
    }

    fn decided(&mut self, work: &Work) -> Result<Done, Error> {
        match work {
            Work::One(command) => self.command(command).map(Done::One),
            Work::Each(commands) => Ok(Done::Many(self.each(commands))),
            Work::Together(commands) => self.all(commands).map(Done::Many),
        }
    }

    fn each(&mut self, commands: &[Command]) -> Vec<Result<Outcome, Error>> {
        commands.iter().map(|command| self.command(command)).collect()
    }

    /// The outcome of all, or the first refusal and whose it is.
    fn all(&mut self, commands: &[Command]) -> Result<Vec<Result<Outcome, Error>>, Error> {
        let decide = |(index, command): (usize, &Command)| {
            self.command(command)
                .map(Ok)
                .map_err(|cause| Error::InBatch { index, cause: Box::new(cause) })
        };
        commands.iter().enumerate().map(decide).collect()
    }

    fn command(&mut self, command: &Command) -> Result<Outcome, Error> {
        for _ in 0..SWEEPS_PER_COMMAND_MAX {
            match self.decide(command) {
                Err(Error::Rejected(rejection)) if rejection.code == EXPIRY_BACKLOG => {
                    // Without progress the refusal stands.
                    if self.sweep()? == 0 {
                        return Err(Error::Rejected(rejection));
                    }
                }
                decided => return decided,
            }
        }
        self.decide(command)
    }

    /// Expires some holds that are due; says how many.
    pub(super) fn sweep(&mut self) -> Result<u32, Error> {
        let outcome = self.decide(&sweep_command())?;
        self.instance.unit().map_err(faulted)?.look_for_next_due()?;
        match outcome {
            Outcome::Expiry { expired, .. } => Ok(expired),
            _ => Ok(0),
        }
    }

    /// One decision. Where it costs the guest, the next one gets a new guest.
    fn decide(&mut self, command: &Command) -> Result<Outcome, Error> {
        let (digest, now) = (self.instance.digest(), self.now);
        let glimpse = match &mut *self.shadow {
            Some(shadow) => self.instance.lend(|unit| shadow.look(unit, command, now)),
            None => None,
        };
        let begun = glimpse.as_ref().map(|_| Instant::now());
        let decided = self.instance.execute(command, now);
        let unit = self.instance.unit().map_err(faulted)?;
        if let (Some(shadow), Some(glimpse), Some(begun)) = (&mut *self.shadow, glimpse, begun) {
            let (took, counts) = (begun.elapsed(), unit.trial(command, decided.clone()));
            shadow.compare(&glimpse, &counts, took, command, now);
        }
        let fault = match decided {
            Ok(Ok(outcome)) => match unit.accept(command, now, digest, &outcome) {
                Ok(()) => return Ok(outcome),
                Err(fault) => fault,
            },
            Ok(Err(rejection)) => {
                unit.decline(command, now, digest, || Decision::Rejected(rejection.clone()));
                return Err(Error::Rejected(rejection));
            }
            Err(Ended::Failure(failure)) => {
                unit.abandon();
                self.instance.retire();
                return Err(failure.into());
            }
            Err(Ended::Fault(fault)) => fault,
        };
        unit.decline(command, now, digest, || Decision::Fault(fault.0.clone()));
        self.instance.retire();
        self.faults.note(now);
        tracing::error!(
            command_id = %command.id, action = ?command.action, component = %digest,
            cause = %fault, "domain fault"
        );
        Err(Error::Fault)
    }
}

fn faulted(fault: Fault) -> Error {
    Ended::Fault(fault).into()
}

//! Carries out one request on the current batch.

use super::{
    Done, Error,
    faults::Faults,
    instance::Instance,
    request::{Recording, Request, Work},
    shadow::Shadow,
};
use crate::{
    model::{
        Action, Command, Decided, Due, Ended, Event, Fault, Origin, Outcome, Rejection, Timestamp,
    },
    store::{IdempotencyRecord, Lane},
};
use std::time::Instant;
use uuid::Uuid;

/// The number of due holds that are looked up at once.
const DUE_AT_ONCE: u32 = 32;

/// The cost of a call that expires a hold, beyond the hold's lines, counted in lines.
const HOLD_COST_LINES: u32 = 3;

/// Replaying this many bytes of a stored answer costs as much as deciding one line.
const REPLAYED_BYTES_PER_LINE: usize = 4_096;

/// The result of an attempt to carry out a request.
pub(super) enum Attempt {
    /// The request was carried out or refused.
    Done(Result<Done, Error>),
    /// More holds are due on a stock of the request than this batch may expire.
    Waits(Due),
}

/// Whether the commands of a request can be decided.
enum Prepared {
    Ready,
    /// A request with the same key was answered before: that answer.
    Answered(Done),
    /// More holds are due on a stock of the request than this batch may expire.
    Waits(Due),
}

/// Why a command of a request has no outcome.
enum Stop {
    /// The command was refused, or it failed.
    Error(Error),
    /// The command met a stock or a reservation on which holds are due.
    Due(Due),
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// Decides the commands of a batch, one request after the other.
pub(super) struct Executor<'i, L: Lane> {
    pub(super) instance: &'i mut Instance<L>,
    /// The shadow, where one is running.
    pub(super) shadow: &'i mut Option<Shadow<L>>,
    pub(super) faults: &'i Faults,
    /// The time of the batch.
    pub(super) now: Timestamp,
    /// Answers from before this time are not given again.
    pub(super) answers_since: Timestamp,
    /// The most lines that the commands of one request may have together.
    pub(super) request_lines_max: usize,
    /// Lines of due holds that the batch may still expire.
    pub(super) expiry_lines_left: u32,
    /// Lines that were decided in this batch so far, accepted or not.
    pub(super) lines_decided: usize,
}

impl<L: Lane> Executor<'_, L> {
    /// Carries out a request. What is due on the stocks and reservations that it meets expires
    /// first, by commands of their own.
    pub(super) fn carry_out(&mut self, request: &Request) -> Attempt {
        match self.prepare(request) {
            Ok(Prepared::Ready) => {}
            Ok(Prepared::Answered(done)) => return Attempt::Done(Ok(done)),
            Ok(Prepared::Waits(due)) => return Attempt::Waits(due),
            Err(error) => return Attempt::Done(Err(error)),
        }
        loop {
            let due = match self.attempt(request) {
                Ok(done) => return Attempt::Done(Ok(done)),
                Err(Stop::Error(error)) => return Attempt::Done(Err(error)),
                Err(Stop::Due(due)) => due,
            };
            match self.settle(&due, u32::MAX) {
                Ok(true) => {}
                Ok(false) => return Attempt::Waits(due),
                Err(error) => return Attempt::Done(Err(error)),
            }
        }
    }

    /// Prepares a request: looks for the answer that its key was given before, checks the bound on
    /// lines, and expires what is due on the stocks that it names.
    fn prepare(&mut self, request: &Request) -> Result<Prepared, Error> {
        if let Some(recording) = request.recording.as_ref().filter(|_| !request.dry_run)
            && let Some(done) = self.answered(recording)?
        {
            return Ok(Prepared::Answered(done));
        }
        let (lines, most) = (self.lines_of(request)?, self.request_lines_max);
        if lines > most {
            return Err(Error::TooManyLines { lines, most });
        }
        Ok(self.foreseen(&request.work)?.map_or(Prepared::Ready, Prepared::Waits))
    }

    /// How many lines the commands of a request have, those of the reservations included that they
    /// are about.
    pub(super) fn lines_of(&mut self, request: &Request) -> Result<usize, Error> {
        match &request.work {
            Work::One(_) => Ok(request.work.lines()),
            work => {
                let unit = self.instance.unit().map_err(faulted)?;
                Ok(unit.lines_of(work.as_slice(), self.request_lines_max)?)
            }
        }
    }

    /// The stored answer of an earlier request with the same key; `None` where there is none.
    fn answered(&mut self, recording: &Recording) -> Result<Option<Done>, Error> {
        let Recording { key, fingerprint, .. } = recording;
        let since = self.answers_since;
        match self.instance.unit().map_err(faulted)?.answered(key, since)? {
            Some(known) if known.fingerprint != *fingerprint => Err(Error::KeyReused),
            Some(known) => {
                self.lines_decided += known.response.len() / REPLAYED_BYTES_PER_LINE;
                Ok(Some(Done::Recorded { response: known.response, replayed: true }))
            }
            None => Ok(None),
        }
    }

    /// Expires what is due on the stocks and reservations that the commands name; a component may
    /// meet more. Returns the first on which more is due than the batch may expire.
    fn foreseen(&mut self, work: &Work) -> Result<Option<Due>, Error> {
        let now = self.now;
        if !self.instance.unit().map_err(faulted)?.something_due(now) {
            return Ok(None);
        }
        for command in work.as_slice() {
            for due in self.instance.unit().map_err(faulted)?.named_by(&command.action)? {
                if !self.settle(&due, u32::MAX)? {
                    return Ok(Some(due));
                }
            }
        }
        Ok(None)
    }

    /// Expires holds that are due there, at most about `lines_max` lines of them and at most as many
    /// as the batch may. Returns whether no hold is due there any more.
    pub(super) fn settle(&mut self, due: &Due, lines_max: u32) -> Result<bool, Error> {
        let enough = self.expiry_lines_left.saturating_sub(lines_max);
        loop {
            let unit = self.instance.unit().map_err(faulted)?;
            let ids = unit.due(Some(due), self.now, DUE_AT_ONCE)?;
            if ids.is_empty() {
                return Ok(true);
            }
            for id in ids {
                if self.expiry_lines_left <= enough {
                    return Ok(false);
                }
                self.expire(id)?;
            }
        }
    }

    /// Expires one hold that is due.
    pub(super) fn expire(&mut self, id: String) -> Result<(), Error> {
        let command = Command {
            id: Uuid::now_v7(),
            origin: Origin::default(),
            precondition: None,
            action: Action::Expire { id },
        };
        let lines = match self.decide(&command) {
            Ok(Outcome::Reservation { reservation, .. }) => reservation.lines.len(),
            Ok(_) => 0,
            Err(Stop::Error(error)) => return Err(error),
            Err(Stop::Due(due)) => {
                return Err(faulted(Fault(format!("expiring a hold ended at {due}"))));
            }
        };
        let cost = u32::try_from(lines).unwrap_or(u32::MAX).saturating_add(HOLD_COST_LINES);
        self.expiry_lines_left = self.expiry_lines_left.saturating_sub(cost);
        Ok(())
    }

    /// Ids of holds that are due, the longest due first.
    pub(super) fn due(&mut self, limit: u32) -> Vec<String> {
        let now = self.now;
        let found = self.instance.unit().map(|unit| unit.due(None, now, limit));
        match found {
            Ok(Ok(ids)) => ids,
            Ok(Err(failure)) => {
                tracing::error!(%failure, "holds that are due could not be looked up");
                Vec::new()
            }
            // Without the unit of work the batch cannot be committed either.
            Err(_) => Vec::new(),
        }
    }

    fn attempt(&mut self, request: &Request) -> Result<Done, Stop> {
        match &request.recording {
            Some(recording) if !request.dry_run => self.recorded(request, recording),
            _ => self.work(request),
        }
    }

    fn recorded(&mut self, request: &Request, recording: &Recording) -> Result<Done, Stop> {
        let Recording { key, fingerprint, render } = recording;
        let result = match self.work(request) {
            Ok(done) => Ok(done),
            Err(Stop::Error(error)) => Err(error),
            Err(due @ Stop::Due(_)) => return Err(due),
        };
        match render(&result) {
            None => Ok(result?),
            Some(response) => {
                let answered =
                    IdempotencyRecord { fingerprint: *fingerprint, response: response.clone() };
                self.instance.unit().map_err(faulted)?.keep_answer(key.clone(), answered);
                Ok(Done::Recorded { response, replayed: false })
            }
        }
    }

    fn work(&mut self, request: &Request) -> Result<Done, Stop> {
        let unit = self.instance.unit().map_err(faulted)?;
        let undone = match &request.work {
            Work::One(_) => false,
            Work::Together(_) => true,
            // Where one of several meets something due, all of them are carried out again.
            Work::Each(_) => unit.something_due(self.now),
        };
        if !request.dry_run && !undone {
            return self.decided(&request.work);
        }
        unit.begin_together();
        let place = unit.place();
        let done = self.decided(&request.work);
        let unit = self.instance.unit().map_err(faulted)?;
        match (request.dry_run, done) {
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
                Ok(Done::DryRun(Box::new(done?), said))
            }
        }
    }

    fn decided(&mut self, work: &Work) -> Result<Done, Stop> {
        match work {
            Work::One(command) => self.decide(command).map(Done::One),
            Work::Each(commands) => self.each(commands).map(Done::Many),
            Work::Together(commands) => self.all(commands).map(Done::Many),
        }
    }

    fn each(&mut self, commands: &[Command]) -> Result<Vec<Result<Outcome, Error>>, Stop> {
        let decide = |command: &Command| match self.decide(command) {
            Ok(outcome) => Ok(Ok(outcome)),
            Err(Stop::Error(error)) => Ok(Err(error)),
            Err(due @ Stop::Due(_)) => Err(due),
        };
        commands.iter().map(decide).collect()
    }

    /// The outcomes of all commands, or the first refusal and the command's place.
    fn all(&mut self, commands: &[Command]) -> Result<Vec<Result<Outcome, Error>>, Stop> {
        let decide = |(index, command): (usize, &Command)| match self.decide(command) {
            Ok(outcome) => Ok(Ok(outcome)),
            Err(Stop::Error(cause)) => {
                Err(Stop::Error(Error::InBatch { index, cause: Box::new(cause) }))
            }
            Err(due @ Stop::Due(_)) => Err(due),
        };
        commands.iter().enumerate().map(decide).collect()
    }

    /// Decides one command. After a failure or a fault the next command gets a new guest.
    fn decide(&mut self, command: &Command) -> Result<Outcome, Stop> {
        let (digest, now) = (self.instance.digest(), self.now);
        let glimpse = match &mut *self.shadow {
            Some(shadow) => self.instance.with_unit(|unit| shadow.look(unit, command, now)),
            None => None,
        };
        let begun = glimpse.as_ref().map(|_| Instant::now());
        let decided = self.instance.execute(command, now);
        self.lines_decided += lines_of(command, &decided);
        let unit = self.instance.unit().map_err(faulted)?;
        let met_due = matches!(decided, Err(Ended::Due(_)));
        if let (Some(shadow), Some(glimpse), Some(begun)) = (&mut *self.shadow, glimpse, begun)
            && !met_due
        {
            let (took, counts) = (begun.elapsed(), unit.effect(command, decided.clone()));
            shadow.compare(&glimpse, &counts, took, command, now);
        }
        let fault = match decided {
            Ok(Ok(outcome)) => match unit.accept(command, now, digest, &outcome) {
                Ok(()) => return Ok(outcome),
                Err(fault) => fault,
            },
            // The host expires only holds that are due, which a domain must not refuse.
            Ok(Err(rejection)) if matches!(command.action, Action::Expire { .. }) => {
                Fault(format!("it refused to expire a hold that is due: {}", rejection.message))
            }
            Ok(Err(rejection)) => {
                unit.decline(command, now, digest, || Decided::Rejected(rejection.clone()));
                return Err(Error::Rejected(rejection).into());
            }
            Err(Ended::Failure(failure)) => {
                unit.abandon();
                self.instance.retire();
                return Err(failure.into());
            }
            Err(Ended::Fault(fault)) => fault,
            Err(Ended::Due(due)) => {
                unit.abandon();
                return Err(Stop::Due(due));
            }
        };
        unit.decline(command, now, digest, || Decided::Fault(fault.0.clone()));
        self.instance.retire();
        self.faults.note(now);
        tracing::error!(
            command_id = %command.id, action = ?command.action, component = %digest,
            cause = %fault, "domain fault"
        );
        Err(Error::Fault.into())
    }
}

/// The number of lines that a decision was about. A command without lines counts as one.
fn lines_of(command: &Command, decided: &Result<Result<Outcome, Rejection>, Ended>) -> usize {
    let lines = match decided {
        Ok(Ok(Outcome::Reservation { reservation, .. })) => reservation.lines.len(),
        _ => 0,
    };
    lines.max(command.action.lines().len()).max(1)
}

fn faulted(fault: Fault) -> Error {
    Ended::Fault(fault).into()
}

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
    /// More holds are due on a stock or reservation of the request than this batch may expire.
    MustWait(Due),
}

/// Whether the commands of a request can be decided.
enum Prepared {
    Ready,
    /// The answer of an earlier request with the same key.
    Answered(Done),
    /// More holds are due on a stock or reservation of the request than this batch may expire.
    MustWait(Due),
}

/// Why a command of a request has no outcome.
enum NoOutcome {
    /// The command was refused, or it failed.
    Error(Error),
    /// The command met a stock or a reservation on which holds are due.
    Due(Due),
}

impl<E: Into<Error>> From<E> for NoOutcome {
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
    /// Idempotency records from before this time are not replayed.
    pub(super) answers_since: Timestamp,
    /// The most lines that the commands of one request may have together.
    pub(super) request_lines_max: usize,
    /// Lines of due holds that the batch may still expire.
    pub(super) expiry_lines_left: u32,
    /// Lines that were decided in this batch so far, accepted or not.
    pub(super) lines_decided: usize,
}

impl<L: Lane> Executor<'_, L> {
    /// Carries out a request. Holds that are due on the stocks and reservations that its commands
    /// meet expire first, each by a command of its own.
    pub(super) fn carry_out(&mut self, request: &Request) -> Attempt {
        match self.prepare(request) {
            Ok(Prepared::Ready) => {}
            Ok(Prepared::Answered(done)) => return Attempt::Done(Ok(done)),
            Ok(Prepared::MustWait(due)) => return Attempt::MustWait(due),
            Err(error) => return Attempt::Done(Err(error)),
        }
        loop {
            let due = match self.attempt(request) {
                Ok(done) => return Attempt::Done(Ok(done)),
                Err(NoOutcome::Error(error)) => return Attempt::Done(Err(error)),
                Err(NoOutcome::Due(due)) => due,
            };
            match self.expire_due_on(&due, u32::MAX) {
                Ok(true) => {}
                Ok(false) => return Attempt::MustWait(due),
                Err(error) => return Attempt::Done(Err(error)),
            }
        }
    }

    /// Prepares a request: looks up a stored answer under its key, checks the bound on lines, and
    /// expires the holds that are due on the stocks and reservations that the request names.
    fn prepare(&mut self, request: &Request) -> Result<Prepared, Error> {
        if let Some(recording) = request.recording.as_ref().filter(|_| !request.dry_run)
            && let Some(done) = self.stored_answer(recording)?
        {
            return Ok(Prepared::Answered(done));
        }
        let (lines, most) = (self.lines_of(request)?, self.request_lines_max);
        if lines > most {
            return Err(Error::TooManyLines { lines, most });
        }
        Ok(self.expire_named(&request.work)?.map_or(Prepared::Ready, Prepared::MustWait))
    }

    /// The number of lines of a request's commands, with the lines of the reservations that the
    /// commands are about.
    pub(super) fn lines_of(&mut self, request: &Request) -> Result<usize, Error> {
        match &request.work {
            Work::One(_) => Ok(request.work.lines()),
            work => {
                let unit = self.instance.unit().map_err(fault_error)?;
                Ok(unit.lines_of(work.as_slice(), self.request_lines_max)?)
            }
        }
    }

    /// The stored answer of an earlier request with the same key; `None` where there is none.
    fn stored_answer(&mut self, recording: &Recording) -> Result<Option<Done>, Error> {
        let Recording { key, fingerprint, .. } = recording;
        let since = self.answers_since;
        match self.instance.unit().map_err(fault_error)?.answered(key, since)? {
            Some(known) if known.fingerprint != *fingerprint => Err(Error::KeyReused),
            Some(known) => {
                self.lines_decided += known.response.len() / REPLAYED_BYTES_PER_LINE;
                Ok(Some(Done::Recorded { response: known.response, replayed: true }))
            }
            None => Ok(None),
        }
    }

    /// Expires the holds that are due on the stocks and reservations that the commands name.
    /// Returns the first stock or reservation on which more holds are due than the batch may
    /// expire. A component may meet further stocks later.
    fn expire_named(&mut self, work: &Work) -> Result<Option<Due>, Error> {
        let now = self.now;
        if !self.instance.unit().map_err(fault_error)?.something_due(now) {
            return Ok(None);
        }
        for command in work.as_slice() {
            for due in self.instance.unit().map_err(fault_error)?.named_by(&command.action)? {
                if !self.expire_due_on(&due, u32::MAX)? {
                    return Ok(Some(due));
                }
            }
        }
        Ok(None)
    }

    /// Expires holds that are due on a stock or a reservation: about `lines_max` lines of them, and
    /// no more than the batch may expire. Returns whether no hold is due there any more.
    pub(super) fn expire_due_on(&mut self, due: &Due, lines_max: u32) -> Result<bool, Error> {
        let enough = self.expiry_lines_left.saturating_sub(lines_max);
        loop {
            let unit = self.instance.unit().map_err(fault_error)?;
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
            Err(NoOutcome::Error(error)) => return Err(error),
            Err(NoOutcome::Due(due)) => {
                return Err(fault_error(Fault(format!("expiring a hold ended at {due}"))));
            }
        };
        let cost = u32::try_from(lines).unwrap_or(u32::MAX).saturating_add(HOLD_COST_LINES);
        self.expiry_lines_left = self.expiry_lines_left.saturating_sub(cost);
        Ok(())
    }

    /// The ids of up to `limit` holds that are due, the longest due first. Empty where the store
    /// fails.
    pub(super) fn due_ids(&mut self, limit: u32) -> Vec<String> {
        let now = self.now;
        let found = self.instance.unit().map(|unit| unit.due(None, now, limit));
        match found {
            Ok(Ok(ids)) => ids,
            Ok(Err(failure)) => {
                tracing::error!(%failure, "due holds could not be looked up");
                Vec::new()
            }
            // Without the unit of work the batch cannot be committed either.
            Err(_) => Vec::new(),
        }
    }

    /// Decides the commands of a request, and stores its answer where that is asked for.
    fn attempt(&mut self, request: &Request) -> Result<Done, NoOutcome> {
        match &request.recording {
            Some(recording) if !request.dry_run => self.decide_and_store(request, recording),
            _ => self.decide_request(request),
        }
    }

    /// Decides the commands of a request and stores its answer under its key.
    fn decide_and_store(
        &mut self,
        request: &Request,
        recording: &Recording,
    ) -> Result<Done, NoOutcome> {
        let Recording { key, fingerprint, render } = recording;
        let result = match self.decide_request(request) {
            Ok(done) => Ok(done),
            Err(NoOutcome::Error(error)) => Err(error),
            Err(due @ NoOutcome::Due(_)) => return Err(due),
        };
        match render(&result) {
            None => Ok(result?),
            Some(response) => {
                let answered =
                    IdempotencyRecord { fingerprint: *fingerprint, response: response.clone() };
                self.instance.unit().map_err(fault_error)?.keep_answer(key.clone(), answered);
                Ok(Done::Recorded { response, replayed: false })
            }
        }
    }

    /// Decides the commands of a request. All of them are undone where the request is a dry run,
    /// where one command of an all-or-nothing request is refused, and where a command met a due
    /// hold.
    fn decide_request(&mut self, request: &Request) -> Result<Done, NoOutcome> {
        let unit = self.instance.unit().map_err(fault_error)?;
        let undone = match &request.work {
            Work::One(_) => false,
            Work::Together(_) => true,
            // Where one of several commands meets a due hold, all of them are decided again.
            Work::Each(_) => unit.something_due(self.now),
        };
        if !request.dry_run && !undone {
            return self.decide_work(&request.work);
        }
        unit.begin_undoable();
        let events_before = unit.event_count();
        let done = self.decide_work(&request.work);
        let unit = self.instance.unit().map_err(fault_error)?;
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
                let entries = unit.entries_since(events_before).iter();
                let events: Vec<Event> = entries.map(|entry| entry.event.clone()).collect();
                unit.undo();
                self.instance.retire();
                Ok(Done::DryRun(Box::new(done?), events))
            }
        }
    }

    fn decide_work(&mut self, work: &Work) -> Result<Done, NoOutcome> {
        match work {
            Work::One(command) => self.decide(command).map(Done::One),
            Work::Each(commands) => self.decide_each(commands).map(Done::Many),
            Work::Together(commands) => self.decide_all(commands).map(Done::Many),
        }
    }

    /// The result of each command. A refusal of one does not affect the others.
    fn decide_each(
        &mut self,
        commands: &[Command],
    ) -> Result<Vec<Result<Outcome, Error>>, NoOutcome> {
        let decide = |command: &Command| match self.decide(command) {
            Ok(outcome) => Ok(Ok(outcome)),
            Err(NoOutcome::Error(error)) => Ok(Err(error)),
            Err(due @ NoOutcome::Due(_)) => Err(due),
        };
        commands.iter().map(decide).collect()
    }

    /// The outcomes of all commands, or the first refusal with the command's index.
    fn decide_all(
        &mut self,
        commands: &[Command],
    ) -> Result<Vec<Result<Outcome, Error>>, NoOutcome> {
        let decide = |(index, command): (usize, &Command)| match self.decide(command) {
            Ok(outcome) => Ok(Ok(outcome)),
            Err(NoOutcome::Error(cause)) => {
                Err(NoOutcome::Error(Error::InBatch { index, cause: Box::new(cause) }))
            }
            Err(due @ NoOutcome::Due(_)) => Err(due),
        };
        commands.iter().enumerate().map(decide).collect()
    }

    /// Decides one command, and lets its writes join the batch where it is accepted. After a
    /// failure or a fault the next command gets a new guest.
    fn decide(&mut self, command: &Command) -> Result<Outcome, NoOutcome> {
        let (digest, now) = (self.instance.digest(), self.now);
        let shadowed = match &mut *self.shadow {
            Some(shadow) => self.instance.with_unit(|unit| shadow.decide(unit, command, now)),
            None => None,
        };
        let begun = shadowed.as_ref().map(|_| Instant::now());
        let decided = self.instance.execute(command, now);
        self.lines_decided += lines_of(command, &decided);
        let unit = self.instance.unit().map_err(fault_error)?;
        let met_due = matches!(decided, Err(Ended::Due(_)));
        if let (Some(shadow), Some(shadowed), Some(begun)) = (&mut *self.shadow, shadowed, begun)
            && !met_due
        {
            let (took, effect) = (begun.elapsed(), unit.effect(command, decided.clone()));
            shadow.compare(&shadowed, &effect, took, command, now);
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
                return Err(NoOutcome::Due(due));
            }
        };
        unit.decline(command, now, digest, || Decided::Fault(fault.0.clone()));
        self.instance.retire();
        self.faults.count(now);
        tracing::error!(
            command_id = %command.id, action = ?command.action, component = %digest,
            cause = %fault, "domain fault"
        );
        Err(Error::Fault.into())
    }
}

/// The number of lines that a decision was about; at least one.
fn lines_of(command: &Command, decided: &Result<Result<Outcome, Rejection>, Ended>) -> usize {
    let lines = match decided {
        Ok(Ok(Outcome::Reservation { reservation, .. })) => reservation.lines.len(),
        _ => 0,
    };
    lines.max(command.action.lines().len()).max(1)
}

fn fault_error(fault: Fault) -> Error {
    Ended::Fault(fault).into()
}

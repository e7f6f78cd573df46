//! The unit of work, and the guest that works on it where one is alive.

use crate::{
    component::{Domain, Guest},
    model::Fault,
    store::Lane,
    unit_of_work::UnitOfWork,
};

/// A guest that has been asked for this often makes room for a fresh one, so that whatever a
/// component may keep to itself, against the contract, does not grow old.
const CALLS_PER_GUEST_MAX: u32 = 1_024;

/// A guest never outlives a failure, nor a decision that was taken back; the unit of work
/// outlives them all.
///
/// A guest per batch would cost each command of an ordinary batch half as much as its decision.
pub(super) struct Instance<'d, L: Lane> {
    pub(super) domain: &'d Domain<UnitOfWork<L>>,
    state: State<L>,
    calls: u32,
}

enum State<L: Lane> {
    Live(Box<Guest<UnitOfWork<L>>>),
    Idle(Box<UnitOfWork<L>>),
    /// Only within a change of state.
    Moving,
}

impl<'d, L: Lane> Instance<'d, L> {
    pub(super) fn new(domain: &'d Domain<UnitOfWork<L>>, unit: UnitOfWork<L>) -> Self {
        Self { domain, state: State::Idle(Box::new(unit)), calls: 0 }
    }

    pub(super) fn unit(&mut self) -> Result<&mut UnitOfWork<L>, Fault> {
        match &mut self.state {
            State::Live(guest) => Ok(guest.world()),
            State::Idle(unit) => Ok(unit),
            State::Moving => Err(lost()),
        }
    }

    /// The guest, for one call; a new one where there is none.
    pub(super) fn guest(&mut self) -> Result<&mut Guest<UnitOfWork<L>>, Fault> {
        if self.calls >= CALLS_PER_GUEST_MAX {
            self.retire();
        }
        self.calls += 1;
        if let State::Idle(_) = self.state
            && let State::Idle(unit) = std::mem::replace(&mut self.state, State::Moving)
        {
            match Guest::new(self.domain, *unit) {
                Ok(guest) => self.state = State::Live(Box::new(guest)),
                Err((fault, unit)) => {
                    self.state = State::Idle(Box::new(unit));
                    return Err(fault);
                }
            }
        }
        match &mut self.state {
            State::Live(guest) => Ok(guest),
            _ => Err(lost()),
        }
    }

    /// Ends the guest, if there is one.
    pub(super) fn retire(&mut self) {
        self.calls = 0;
        self.state = match std::mem::replace(&mut self.state, State::Moving) {
            State::Live(guest) => State::Idle(Box::new(guest.into_world())),
            other => other,
        };
    }
}

fn lost() -> Fault {
    Fault("its unit of work was lost by a panic".to_owned())
}

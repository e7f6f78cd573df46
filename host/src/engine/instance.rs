//! The unit of work, and the component that works on it.

use crate::{
    component::{self, Caller, Decision},
    model::{Command, Digest, Ended, Fault, Outcome, Timestamp},
    store::Lane,
    unit_of_work::UnitOfWork,
};

/// The component that decides, for the writer.
pub(super) type Deciding<L> = component::Deciding<UnitOfWork<L>>;

/// The unit of work outlives every guest that works on it.
pub(super) struct Instance<L: Lane> {
    deciding: Deciding<L>,
    /// None only where a panic lost it.
    unit: Option<Box<UnitOfWork<L>>>,
    caller: Caller<UnitOfWork<L>>,
}

impl<L: Lane> Instance<L> {
    pub(super) fn new(deciding: Deciding<L>, unit: UnitOfWork<L>) -> Self {
        Self { deciding, unit: Some(Box::new(unit)), caller: Caller::default() }
    }

    pub(super) fn unit(&mut self) -> Result<&mut UnitOfWork<L>, Fault> {
        let lost = || Fault("the unit of work was lost by a panic".to_owned());
        self.unit.as_deref_mut().ok_or_else(lost)
    }

    /// The component that decides.
    pub(super) fn digest(&self) -> Digest {
        self.deciding.digest()
    }

    /// Lets another component decide from now on; gives back the one before.
    pub(super) fn replace(&mut self, deciding: Deciding<L>) -> Deciding<L> {
        self.retire();
        std::mem::replace(&mut self.deciding, deciding)
    }

    /// Lets the component decide a command.
    pub(super) fn execute(
        &mut self,
        command: &Command,
        now: Timestamp,
    ) -> Result<Decision<Outcome>, Ended> {
        self.caller.execute(&self.deciding, &mut self.unit, command, now)
    }

    /// Lends the unit of work to whoever else looks at a command.
    pub(super) fn lend<T>(
        &mut self,
        use_it: impl FnOnce(&mut Option<Box<UnitOfWork<L>>>) -> T,
    ) -> T {
        use_it(&mut self.unit)
    }

    /// Ends the guest, if there is one: after a failure, or a decision that was taken back.
    pub(super) fn retire(&mut self) {
        self.caller.retire();
    }
}

//! The unit of work, and the component that works on it.

use crate::{
    component::{self, Decision, GuestRunner},
    model::{Command, Digest, Ended, Fault, Outcome, Timestamp},
    store::Lane,
    unit_of_work::UnitOfWork,
};

/// The component that decides, over the writer's unit of work.
pub(super) type Deciding<L> = component::Deciding<UnitOfWork<L>>;

/// The component that decides and the unit of work, which outlives every guest that works on it.
pub(super) struct Instance<L: Lane> {
    deciding: Deciding<L>,
    /// `None` only where a panic lost it.
    unit: Option<Box<UnitOfWork<L>>>,
    runner: GuestRunner<UnitOfWork<L>>,
}

impl<L: Lane> Instance<L> {
    pub(super) fn new(deciding: Deciding<L>, unit: UnitOfWork<L>) -> Self {
        Self { deciding, unit: Some(Box::new(unit)), runner: GuestRunner::default() }
    }

    pub(super) fn unit(&mut self) -> Result<&mut UnitOfWork<L>, Fault> {
        let lost = || Fault("the unit of work was lost by a panic".to_owned());
        self.unit.as_deref_mut().ok_or_else(lost)
    }

    /// The component that decides.
    pub(super) fn digest(&self) -> Digest {
        self.deciding.digest()
    }

    /// Lets another component decide from now on. Returns the component before.
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
        self.runner.execute(&self.deciding, &mut self.unit, command, now)
    }

    /// Lets another guest work on the unit of work between two calls of this one.
    pub(super) fn with_unit<T>(
        &mut self,
        use_it: impl FnOnce(&mut Option<Box<UnitOfWork<L>>>) -> T,
    ) -> T {
        use_it(&mut self.unit)
    }

    /// Ends the guest, if there is one. A guest must not outlive a failure or a decision that was
    /// undone.
    pub(super) fn retire(&mut self) {
        self.runner.retire();
    }
}

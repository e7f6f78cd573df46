//! The writer's unit of work, and the component that decides over it.

use crate::{
    component::{CommandDomain, Decision, GuestRunner},
    model::{Command, Digest, Ended, Fault, Outcome, Timestamp},
    store::Lane,
    unit_of_work::UnitOfWork,
};

/// A component that is linked to decide commands over the writer's unit of work.
pub(super) type WriterDomain<L> = CommandDomain<UnitOfWork<L>>;

/// The component that decides, and the unit of work. The unit of work outlives every guest that
/// works on it.
pub(super) struct Instance<L: Lane> {
    domain: WriterDomain<L>,
    /// `None` only where a panic lost it.
    unit: Option<Box<UnitOfWork<L>>>,
    runner: GuestRunner<UnitOfWork<L>>,
}

impl<L: Lane> Instance<L> {
    pub(super) fn new(domain: WriterDomain<L>, unit: UnitOfWork<L>) -> Self {
        Self { domain, unit: Some(Box::new(unit)), runner: GuestRunner::default() }
    }

    /// The unit of work.
    ///
    /// # Errors
    /// [`Fault`]: a panic lost it.
    pub(super) fn unit(&mut self) -> Result<&mut UnitOfWork<L>, Fault> {
        let lost = || Fault("the unit of work was lost by a panic".to_owned());
        self.unit.as_deref_mut().ok_or_else(lost)
    }

    /// The digest of the component that decides.
    pub(super) fn digest(&self) -> Digest {
        self.domain.digest()
    }

    /// Lets another component decide from now on. Returns the component before.
    pub(super) fn replace(&mut self, domain: WriterDomain<L>) -> WriterDomain<L> {
        self.retire();
        std::mem::replace(&mut self.domain, domain)
    }

    /// Lets the component decide a command.
    pub(super) fn execute(
        &mut self,
        command: &Command,
        now: Timestamp,
    ) -> Result<Decision<Outcome>, Ended> {
        self.runner.execute(&self.domain, &mut self.unit, command, now)
    }

    /// Gives another guest the unit of work between two calls of this instance's guest.
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

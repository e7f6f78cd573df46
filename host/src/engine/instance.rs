//! The unit of work, and the guest that works on it where one is alive.

use crate::{
    component::{Decision, Domain, Guest, Lent},
    model::{Command, Digest, Ended, Fault, Outcome, Timestamp},
    store::Lane,
    unit_of_work::UnitOfWork,
};

/// The component that decides, for the writer.
pub(super) type Deciding<L> = Domain<Lent<UnitOfWork<L>>>;

/// A guest that has been asked for this often makes room for a fresh one, so that whatever a
/// component may keep to itself, against the contract, does not grow old.
const CALLS_PER_GUEST_MAX: u32 = 1_024;

/// A guest never outlives a failure, nor a decision that was taken back; the unit of work
/// outlives them all.
///
/// A guest per batch would cost each command of an ordinary batch half as much as its decision.
/// Those that bring a runtime of their own, which draws its randomness once, have one call each:
/// else a decision would depend on the commands before it, and no replay would find it again.
pub(super) struct Instance<L: Lane> {
    deciding: Deciding<L>,
    /// None only where a panic lost it.
    unit: Option<Box<UnitOfWork<L>>>,
    guest: Caller<L>,
}

/// A guest of a component where one is alive.
pub(super) struct Caller<L: Lane> {
    guest: Option<Guest<Lent<UnitOfWork<L>>>>,
    calls: u32,
}

impl<L: Lane> Default for Caller<L> {
    fn default() -> Self {
        Self { guest: None, calls: 0 }
    }
}

impl<L: Lane> Caller<L> {
    /// Lets the component decide a command over the unit of work.
    pub(super) fn execute(
        &mut self,
        deciding: &Deciding<L>,
        unit: &mut Option<Box<UnitOfWork<L>>>,
        command: &Command,
        now: Timestamp,
    ) -> Result<Decision<Outcome>, Ended> {
        let mut guest = match self.guest.take() {
            Some(guest) if self.calls < CALLS_PER_GUEST_MAX => guest,
            _ => {
                self.calls = 0;
                Guest::new(deciding, Lent::default()).map_err(|(fault, _)| fault)?
            }
        };
        self.calls += 1;
        guest.world().lend(unit.take().ok_or_else(lost)?);
        let decided = guest.execute(command, now);
        *unit = guest.world().take_back();
        if decided.is_ok() && !deciding.uses_wasi() {
            self.guest = Some(guest);
        }
        decided
    }

    /// Ends the guest, if there is one.
    pub(super) fn retire(&mut self) {
        self.guest = None;
    }
}

impl<L: Lane> Instance<L> {
    pub(super) fn new(deciding: Deciding<L>, unit: UnitOfWork<L>) -> Self {
        Self { deciding, unit: Some(Box::new(unit)), guest: Caller::default() }
    }

    pub(super) fn unit(&mut self) -> Result<&mut UnitOfWork<L>, Fault> {
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
        self.guest.execute(&self.deciding, &mut self.unit, command, now)
    }

    /// Lends the unit of work to whoever else looks at a command.
    pub(super) fn lend<T>(
        &mut self,
        use_it: impl FnOnce(&mut Option<Box<UnitOfWork<L>>>) -> T,
    ) -> T {
        use_it(&mut self.unit)
    }

    /// Ends the guest, if there is one.
    pub(super) fn retire(&mut self) {
        self.guest.retire();
    }
}

fn lost() -> Fault {
    Fault("its unit of work was lost by a panic".to_owned())
}

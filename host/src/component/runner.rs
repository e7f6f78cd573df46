//! Runs commands on guests, which are kept from one call to the next.

use super::{BorrowedWorld, Decision, Domain, Guest, World};
use crate::model::{Command, Ended, Fault, Outcome, Timestamp};

/// A component that is linked to decide commands over a world which it borrows for each call.
pub type CommandDomain<W> = Domain<BorrowedWorld<W>>;

/// The most calls that one guest serves. Then a fresh guest replaces it: the bound limits the
/// effect of a component that keeps state between calls, against the contract.
const CALLS_PER_GUEST_MAX: u32 = 1_024;

/// Runs a component's commands on a guest, which the runner keeps from one call to the next. A
/// guest that failed is never called again.
///
/// A new guest for each batch would add half of the cost of a decision to each command of an
/// ordinary batch.
pub struct GuestRunner<W: World> {
    guest: Option<Guest<BorrowedWorld<W>>>,
    /// The number of calls that the current guest has served.
    calls: u32,
}

impl<W: World> Default for GuestRunner<W> {
    fn default() -> Self {
        Self { guest: None, calls: 0 }
    }
}

impl<W: World> GuestRunner<W> {
    /// Lets the component decide a command over a world. Afterwards the world is back in `world`,
    /// unless a panic lost it.
    ///
    /// # Errors
    /// As [`Guest::execute`]; [`Ended::Fault`] also where `world` is `None`.
    pub fn execute(
        &mut self,
        domain: &CommandDomain<W>,
        world: &mut Option<Box<W>>,
        command: &Command,
        now: Timestamp,
    ) -> Result<Decision<Outcome>, Ended> {
        let mut guest = match self.guest.take() {
            Some(guest) if self.calls < CALLS_PER_GUEST_MAX => guest,
            _ => {
                self.calls = 0;
                Guest::new(domain, BorrowedWorld::default()).map_err(|(fault, _)| fault)?
            }
        };
        self.calls += 1;
        let lost = || Fault("its world was lost by a panic".to_owned());
        guest.world().borrow(world.take().ok_or_else(lost)?);
        let decided = guest.execute(command, now);
        *world = guest.world().give_back();
        if decided.is_ok() && guest.is_reusable() {
            self.guest = Some(guest);
        }
        decided
    }

    /// Ends the guest, if there is one: the next command gets a fresh guest.
    pub fn retire(&mut self) {
        self.guest = None;
    }
}

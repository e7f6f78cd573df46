use super::{BorrowedWorld, Decision, Domain, Guest, World};
use crate::model::{Command, Ended, Fault, Outcome, Timestamp};

/// A component that decides commands over a world which it borrows for each call.
pub type Deciding<W> = Domain<BorrowedWorld<W>>;

/// The most calls that one guest serves. A fresh guest takes its place then, so that whatever a
/// component keeps between calls, against the contract, does not grow old.
const CALLS_PER_GUEST_MAX: u32 = 1_024;

/// Runs one component's commands on a guest that it keeps from one call to the next. A guest that
/// failed is never called again.
///
/// A new guest for each batch would cost each command of an ordinary batch half as much as its
/// decision.
pub struct GuestRunner<W: World> {
    guest: Option<Guest<BorrowedWorld<W>>>,
    /// The calls that the present guest has served.
    calls: u32,
}

impl<W: World> Default for GuestRunner<W> {
    fn default() -> Self {
        Self { guest: None, calls: 0 }
    }
}

impl<W: World> GuestRunner<W> {
    /// Lets the component decide a command over a world. The world is back in its place
    /// afterwards, unless a panic lost it.
    ///
    /// # Errors
    /// As [`Guest::execute`]; [`Ended::Fault`] also where there is no world.
    pub fn execute(
        &mut self,
        deciding: &Deciding<W>,
        world: &mut Option<Box<W>>,
        command: &Command,
        now: Timestamp,
    ) -> Result<Decision<Outcome>, Ended> {
        let mut guest = match self.guest.take() {
            Some(guest) if self.calls < CALLS_PER_GUEST_MAX => guest,
            _ => {
                self.calls = 0;
                Guest::new(deciding, BorrowedWorld::default()).map_err(|(fault, _)| fault)?
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

use super::{Decision, Domain, Guest, Lent, World};
use crate::model::{Command, Ended, Fault, Outcome, Timestamp};

/// A component that decides over a world which is lent to it for each call.
pub type Deciding<W> = Domain<Lent<W>>;

/// A guest that has been asked for this often makes room for a fresh one, so that whatever a
/// component may keep to itself, against the contract, does not grow old.
const CALLS_PER_GUEST_MAX: u32 = 1_024;

/// A guest of a component where one is alive. It never outlives a failure.
///
/// A guest per batch would cost each command of an ordinary batch half as much as its decision.
pub struct Caller<W: World> {
    guest: Option<Guest<Lent<W>>>,
    calls: u32,
}

impl<W: World> Default for Caller<W> {
    fn default() -> Self {
        Self { guest: None, calls: 0 }
    }
}

impl<W: World> Caller<W> {
    /// Lets the component decide a command over a world, which comes back unless a panic loses
    /// it.
    ///
    /// # Errors
    /// As [`Guest::execute`].
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
                Guest::new(deciding, Lent::default()).map_err(|(fault, _)| fault)?
            }
        };
        self.calls += 1;
        let lost = || Fault("its world was lost by a panic".to_owned());
        guest.world().lend(world.take().ok_or_else(lost)?);
        let decided = guest.execute(command, now);
        *world = guest.world().take_back();
        if decided.is_ok() && guest.is_reusable() {
            self.guest = Some(guest);
        }
        decided
    }

    /// Ends the guest, if there is one.
    pub fn retire(&mut self) {
        self.guest = None;
    }
}

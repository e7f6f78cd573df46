//! What one command or query sees and changes, until it is accepted.

use crate::{
    Change, DueHolds, Event, Level, Quantity, Rejection, Reservation, Stock, StockKey, Timestamp,
    World, low_stock, reservation::Resolution,
};
use alloc::vec::Vec;

/// The most due holds of one stock that a command expires on its way.
pub const DUE_HOLDS_MAX: u32 = 100;

/// The most lines that these may have together, and that one sweep frees: so that a command
/// stays short.
pub(crate) const DUE_LINES_MAX: usize = 500;

/// The world, with the changes of the command at hand over it.
///
/// Each stock it hands out is settled: holds that are due on it have expired. So no
/// decision depends on when a sweeper ran. What is not [`Session::commit`]ted never was.
pub(crate) struct Session<'w> {
    world: &'w mut dyn World,
    pub(crate) now: Timestamp,
    stocks: Vec<Touched>,
    reservations: Vec<Reservation>,
    events: Vec<Event>,
}

struct Touched {
    /// The level that the command found.
    before: Option<Level>,
    stock: Stock,
    settled: bool,
}

/// A stock of the session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(usize);

impl<'w> Session<'w> {
    pub(crate) fn new(world: &'w mut dyn World, now: Timestamp) -> Self {
        Self { world, now, stocks: Vec::new(), reservations: Vec::new(), events: Vec::new() }
    }

    /// The stock of this key, settled, where there is one.
    pub(crate) fn stock(&mut self, key: &StockKey) -> Result<Option<Slot>, Rejection> {
        let Some(slot) = self.load(key) else { return Ok(None) };
        self.settle(slot)?;
        Ok(Some(slot))
    }

    /// The same where the command cannot do without.
    pub(crate) fn require(&mut self, key: &StockKey) -> Result<Slot, Rejection> {
        let found = self.stock(key)?;
        found.ok_or_else(|| Rejection::ProductNotFound { key: key.clone() })
    }

    /// A stock that was found already, settled.
    pub(crate) fn found(&mut self, stock: Stock) -> Result<Slot, Rejection> {
        let slot = self.keep(Some(stock.level()), stock);
        self.settle(slot)?;
        Ok(slot)
    }

    /// A stock that did not exist before, and the event that made it.
    pub(crate) fn create(&mut self, stock: Stock, event: Event) -> Slot {
        self.events.push(event);
        self.keep(None, stock)
    }

    /// A look at a stock.
    pub(crate) fn look(&self, slot: Slot) -> Option<&Stock> {
        self.stocks.get(slot.0).map(|touched| &touched.stock)
    }

    /// Lets a stock change, and keeps the event that says so.
    pub(crate) fn change(
        &mut self,
        slot: Slot,
        decide: &mut dyn FnMut(&mut Stock) -> Result<Option<Event>, Rejection>,
    ) -> Result<(), Rejection> {
        if let Some(touched) = self.stocks.get_mut(slot.0)
            && let Some(event) = decide(&mut touched.stock)?
        {
            self.events.push(event);
        }
        Ok(())
    }

    /// The reservation of this id, settled, where there is one.
    pub(crate) fn reservation(&mut self, id: &str) -> Option<Reservation> {
        let mut reservation = self.world.reservation(id)?;
        if reservation.is_due(self.now) {
            self.expire(&mut reservation);
        }
        Some(reservation)
    }

    /// Keeps a reservation as the command leaves it.
    pub(crate) fn keep_reservation(&mut self, reservation: Reservation) {
        self.reservations.retain(|known| known.id != reservation.id);
        self.reservations.push(reservation);
    }

    pub(crate) fn say(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Holds that are due, whatever they hold.
    pub(crate) fn due_holds(&mut self, limit: u32) -> DueHolds {
        self.world.due_holds(None, self.now, limit)
    }

    /// Frees what a due hold still holds: as of the time it came due, so that it does not
    /// matter who notices, and when.
    pub(crate) fn expire(&mut self, reservation: &mut Reservation) {
        let at = reservation.status.expires_at.unwrap_or(self.now);
        for (key, units) in reservation.holdings().0 {
            reservation.resolve(&key, units, Resolution::Expire);
            // A stock that is missing, or has less reserved, is the storage's defect: whoever
            // runs this sees that the numbers do not add up.
            let (Some(slot), Some(quantity)) = (self.load(&key), Quantity::new(units)) else {
                continue;
            };
            if let Some(touched) = self.stocks.get_mut(slot.0)
                && let Some(event) = touched.stock.release_held(quantity, &reservation.id, at)
            {
                self.events.push(event);
            }
        }
        let event = reservation.change(Change::Expired, reservation.status.expires_at, at);
        self.events.push(event);
        self.keep_reservation(reservation.clone());
    }

    /// Saves and publishes: what the command did, then what the low-stock policy makes of it.
    /// A command that changed nothing leaves nothing.
    pub(crate) fn commit(self) {
        let Self { world, stocks, reservations, mut events, .. } = self;
        for Touched { before, stock, .. } in stocks {
            let after = stock.level();
            if before == Some(after) {
                continue;
            }
            events.extend(low_stock::judge(&stock.key, before, after));
            world.save(&stock);
        }
        for reservation in reservations {
            world.save_reservation(reservation);
        }
        if !events.is_empty() {
            world.publish(events);
        }
    }

    fn position(&self, key: &StockKey) -> Option<Slot> {
        self.stocks.iter().position(|touched| touched.stock.key == *key).map(Slot)
    }

    fn keep(&mut self, before: Option<Level>, stock: Stock) -> Slot {
        self.stocks.push(Touched { before, stock, settled: before.is_none() });
        Slot(self.stocks.len() - 1)
    }

    fn load(&mut self, key: &StockKey) -> Option<Slot> {
        if let Some(slot) = self.position(key) {
            return Some(slot);
        }
        let stock = self.world.stock(key)?;
        Some(self.keep(Some(stock.level()), stock))
    }

    fn settle(&mut self, slot: Slot) -> Result<(), Rejection> {
        let Some(touched) = self.stocks.get_mut(slot.0) else { return Ok(()) };
        if touched.settled || touched.stock.due_at.is_none_or(|at| at > self.now) {
            return Ok(());
        }
        touched.settled = true;
        let key = touched.stock.key.clone();
        let due = self.world.due_holds(Some(&key), self.now, DUE_HOLDS_MAX + 1);
        let lines: usize = due.holds.iter().map(|hold| hold.lines.len()).sum();
        if due.holds.len() > DUE_HOLDS_MAX as usize || lines > DUE_LINES_MAX {
            return Err(Rejection::ExpiryBacklog { key });
        }
        for mut hold in due.holds {
            if !self.reservations.iter().any(|known| known.id == hold.id) {
                self.expire(&mut hold);
            }
        }
        if let Some(touched) = self.stocks.get_mut(slot.0) {
            touched.stock.due_at = due.next_due;
        }
        Ok(())
    }
}

//! One product at one location, and the changes that concern it alone.

use crate::{
    event::{Event, Movement},
    key::StockKey,
    level::Level,
    quantity::{QUANTITY_MAX, Quantity},
    rejection::{Rejection, ShortLine},
    units::Timestamp,
};
use alloc::{string::String, vec};

/// One product at one location.
///
/// Each method that changes a stock returns the event of the change, or refuses and leaves the
/// stock as it was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stock {
    /// The product and the location.
    pub key: StockKey,
    level: Level,
    due: Quantity,
    /// The time at which the stock was created.
    pub created_at: Timestamp,
    updated_at: Timestamp,
}

impl Stock {
    /// Rebuilds a stored stock. `due` is the number of reserved units that belong to holds which
    /// are due; it is 0 while a command runs.
    #[must_use]
    pub const fn restore(
        key: StockKey,
        level: Level,
        due: Quantity,
        created_at: Timestamp,
        updated_at: Timestamp,
    ) -> Self {
        Self { key, level, due, created_at, updated_at }
    }

    /// Creates a stock of which nothing is reserved. Returns it with the event of its creation.
    #[must_use]
    pub fn create(
        key: StockKey,
        total: Quantity,
        minimum: Quantity,
        now: Timestamp,
    ) -> (Self, Event) {
        let level = Level::first(total, minimum);
        let event = Event::InventoryAdjusted { key: key.clone(), from: None, to: level };
        (Self { key, level, due: Quantity::ZERO, created_at: now, updated_at: now }, event)
    }

    /// Creates the stock that a transfer finds missing at its target. Returns it with the event
    /// of the arrival.
    pub(crate) fn create_by_transfer(
        key: StockKey,
        quantity: Quantity,
        source: &StockKey,
        now: Timestamp,
    ) -> (Self, Event) {
        let (stock, _) = Self::create(key, quantity, Quantity::ZERO, now);
        let event = stock.transferred(quantity, true, source, None);
        (stock, event)
    }

    /// Returns the numbers as they are recorded.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// Returns the reserved units that belong to holds which are due.
    #[must_use]
    pub const fn due(&self) -> Quantity {
        self.due
    }

    /// Returns the numbers as a reader sees them: units of holds which are due count as free, and
    /// the version is the recorded one.
    #[must_use]
    pub fn visible(&self) -> Level {
        self.level.without_due(self.due)
    }

    /// Returns the time of the last change.
    #[must_use]
    pub const fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// Sets the total and, where it is given, the minimum. Returns `None` where both already have
    /// these values: nothing changes then.
    ///
    /// # Errors
    /// [`Rejection::AdjustBelowReserved`] where the total is less than what is reserved.
    pub fn adjust_set(
        &mut self,
        total: Quantity,
        minimum: Option<Quantity>,
        now: Timestamp,
    ) -> Result<Option<Event>, Rejection> {
        let minimum = minimum.unwrap_or(self.level.minimum());
        if total == self.level.total() && minimum == self.level.minimum() {
            return Ok(None);
        }
        self.adjust(signed(total.get()), Some(total), minimum, now).map(Some)
    }

    /// Adds `delta` units to the total; a negative `delta` takes units away.
    ///
    /// # Errors
    /// [`Rejection::QuantityOutOfRange`] where the total would exceed [`QUANTITY_MAX`], and
    /// [`Rejection::AdjustBelowReserved`] where it would be less than what is reserved.
    pub fn adjust_by(&mut self, delta: i64, now: Timestamp) -> Result<Event, Rejection> {
        // A total is far below the largest `i64`, so that only a huge delta saturates.
        let requested_total = signed(self.level.total().get()).saturating_add(delta);
        if requested_total > signed(QUANTITY_MAX) {
            return Err(Rejection::QuantityOutOfRange { requested_total });
        }
        let total = u64::try_from(requested_total).ok().and_then(Quantity::new);
        self.adjust(requested_total, total, self.level.minimum(), now)
    }

    /// Sets total and minimum. `total` is `None` where `requested_total` is negative.
    fn adjust(
        &mut self,
        requested_total: i64,
        total: Option<Quantity>,
        minimum: Quantity,
        now: Timestamp,
    ) -> Result<Event, Rejection> {
        let Some(to) = total.and_then(|total| self.level.set(total, minimum)) else {
            let reserved = self.level.reserved();
            return Err(Rejection::AdjustBelowReserved { requested_total, reserved });
        };
        let from = self.change(to, now);
        Ok(Event::InventoryAdjusted { key: self.key.clone(), from: Some(from), to })
    }

    /// Reserves a quantity that belongs to no reservation.
    ///
    /// # Errors
    /// [`Rejection::InsufficientStock`] where fewer units are available.
    pub fn reserve(&mut self, quantity: Quantity, now: Timestamp) -> Result<Event, Rejection> {
        let Some(to) = self.level.reserve(quantity) else {
            return Err(self.insufficient(quantity));
        };
        Ok(self.moved(Movement::Reserved, quantity, to, None, None, now))
    }

    /// Frees units that [`Stock::reserve`] has reserved.
    ///
    /// # Errors
    /// [`Rejection::ReleaseExceedsReserved`] where fewer units are unattributed.
    pub fn release(&mut self, quantity: Quantity, now: Timestamp) -> Result<Event, Rejection> {
        let Some(to) = self.level.release(quantity) else {
            return Err(Rejection::ReleaseExceedsReserved {
                requested: quantity,
                releasable: self.level.unattributed(),
                reserved: self.level.reserved(),
            });
        };
        Ok(self.moved(Movement::Released, quantity, to, None, None, now))
    }

    /// Moves units for the reservation `id`: reserves available units, or releases or fulfills
    /// reserved ones. Returns `None` and changes nothing where the stock has fewer such units.
    pub(crate) fn move_for_reservation(
        &mut self,
        movement: Movement,
        units: u64,
        id: &str,
        expires_at: Option<Timestamp>,
        at: Timestamp,
    ) -> Option<Event> {
        let quantity = Quantity::new(units)?;
        let to = match movement {
            Movement::Reserved => self.level.hold(quantity),
            Movement::Released => self.level.release_held(quantity),
            Movement::Fulfilled => self.level.fulfill(quantity),
        };
        Some(self.moved(movement, quantity, to?, Some(id), expires_at, at))
    }

    /// Sends units to the stock `target` of the same product.
    ///
    /// # Errors
    /// [`Rejection::InsufficientStock`] where fewer units are available.
    pub(crate) fn transfer_out(
        &mut self,
        quantity: Quantity,
        target: &StockKey,
        now: Timestamp,
    ) -> Result<Event, Rejection> {
        let Some(to) = self.level.send(quantity) else {
            return Err(self.insufficient(quantity));
        };
        let from = self.change(to, now);
        Ok(self.transferred(quantity, false, target, Some(from)))
    }

    /// Receives units from the stock `source` of the same product.
    ///
    /// # Errors
    /// [`Rejection::QuantityOutOfRange`] where the total would exceed [`QUANTITY_MAX`].
    pub(crate) fn transfer_in(
        &mut self,
        quantity: Quantity,
        source: &StockKey,
        now: Timestamp,
    ) -> Result<Event, Rejection> {
        let Some(to) = self.level.receive(quantity) else {
            let requested_total = signed(self.level.total().get() + quantity.get());
            return Err(Rejection::QuantityOutOfRange { requested_total });
        };
        let from = self.change(to, now);
        Ok(self.transferred(quantity, true, source, Some(from)))
    }

    /// Refuses a command that asks this stock alone for more than is available.
    fn insufficient(&self, quantity: Quantity) -> Rejection {
        let (key, available) = (self.key.clone(), self.level.available().get());
        let line = ShortLine { index: 0, key, requested: quantity.get(), available };
        Rejection::InsufficientStock { lines: vec![line] }
    }

    /// Changes the level and returns the event of the movement. Inlined, because otherwise the
    /// component copies the level and the event once more per line.
    #[inline(always)]
    fn moved(
        &mut self,
        movement: Movement,
        quantity: Quantity,
        to: Level,
        reservation_id: Option<&str>,
        expires_at: Option<Timestamp>,
        at: Timestamp,
    ) -> Event {
        let from = self.change(to, at);
        let reservation_id = reservation_id.map(String::from);
        let key = self.key.clone();
        Event::InventoryMoved { movement, key, quantity, reservation_id, expires_at, from, to }
    }

    /// Returns the event of one side of a transfer that has changed this stock.
    fn transferred(
        &self,
        quantity: Quantity,
        incoming: bool,
        counterpart: &StockKey,
        from: Option<Level>,
    ) -> Event {
        Event::InventoryTransferred {
            key: self.key.clone(),
            quantity,
            incoming,
            counterpart_id: counterpart.location_id().into(),
            from,
            to: self.level,
        }
    }

    /// Changes the level and returns the one before. The time of the last change never goes back.
    fn change(&mut self, to: Level, at: Timestamp) -> Level {
        self.updated_at = self.updated_at.max(at);
        let from = self.level;
        self.level = to;
        from
    }
}

/// Returns a number of units as a signed number. Sums of two quantities fit many times over.
fn signed(units: u64) -> i64 {
    i64::try_from(units).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "stock_tests.rs"]
mod tests;

use crate::{
    Event, Movement, QUANTITY_MAX, Quantity, Rejection, ShortLine, StockKey, Timestamp, Version,
};
use alloc::{string::String, vec};

/// The numbers of a stock. A level that exists satisfies
/// `unattributed <= reserved <= total` and has a version of at least 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Level {
    total: Quantity,
    reserved: Quantity,
    unattributed: Quantity,
    minimum: Quantity,
    version: Version,
}

impl Level {
    /// A level as it was stored; nothing where the numbers contradict each other.
    #[must_use]
    pub fn restore(
        total: u64,
        reserved: u64,
        unattributed: u64,
        minimum: u64,
        version: Version,
    ) -> Option<Self> {
        let level = Self {
            total: Quantity::new(total)?,
            reserved: Quantity::new(reserved)?,
            unattributed: Quantity::new(unattributed)?,
            minimum: Quantity::new(minimum)?,
            version,
        };
        (unattributed <= reserved && reserved <= total && version >= 1).then_some(level)
    }

    /// What is there.
    #[must_use]
    pub const fn total(&self) -> Quantity {
        self.total
    }

    /// What of it is spoken for.
    #[must_use]
    pub const fn reserved(&self) -> Quantity {
        self.reserved
    }

    /// The part of `reserved` that no reservation owns.
    #[must_use]
    pub const fn unattributed(&self) -> Quantity {
        self.unattributed
    }

    /// The threshold of the low-stock policy; 0 switches it off.
    #[must_use]
    pub const fn minimum(&self) -> Quantity {
        self.minimum
    }

    /// How many accepted changes made this level.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The part of `reserved` that reservations own.
    #[must_use]
    pub fn attributed(&self) -> Quantity {
        self.reserved.minus(self.unattributed).unwrap_or(Quantity::ZERO)
    }

    /// What can still be reserved.
    #[must_use]
    pub fn available(&self) -> Quantity {
        // `reserved <= total` holds for every level.
        self.total.minus(self.reserved).unwrap_or(Quantity::ZERO)
    }
}

/// One product at one location, and the commands that concern it alone.
///
/// Each command returns what happened, or refuses and leaves the stock as it was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stock {
    /// Which stock this is.
    pub key: StockKey,
    level: Level,
    /// Units of `reserved` that belong to holds which are due: they count as free. 0 in a
    /// command.
    due: Quantity,
    /// When the stock was created.
    pub created_at: Timestamp,
    updated_at: Timestamp,
}

impl Stock {
    /// A stock as it was stored.
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

    /// A new stock of which nothing is reserved.
    #[must_use]
    pub fn create(
        key: StockKey,
        total: Quantity,
        minimum: Quantity,
        now: Timestamp,
    ) -> (Self, Event) {
        let level = Level {
            total,
            reserved: Quantity::ZERO,
            unattributed: Quantity::ZERO,
            minimum,
            version: 1,
        };
        let event = Event::InventoryAdjusted { key: key.clone(), from: None, to: level };
        (Self { key, level, due: Quantity::ZERO, created_at: now, updated_at: now }, event)
    }

    /// The numbers.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// Units of `reserved` that belong to holds which are due.
    #[must_use]
    pub const fn due(&self) -> Quantity {
        self.due
    }

    /// The numbers as a reader sees them: what is due counts as free.
    #[must_use]
    pub fn visible(&self) -> Level {
        match self.level.reserved.minus(self.due) {
            // Units that holds still have are not unattributed.
            Some(reserved) if reserved >= self.level.unattributed => {
                Level { reserved, ..self.level }
            }
            _ => self.level,
        }
    }

    /// When the level last changed.
    #[must_use]
    pub const fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// Sets total and minimum. The same values change nothing: no event.
    ///
    /// # Errors
    /// [`Rejection::AdjustBelowReserved`].
    pub fn adjust_set(
        &mut self,
        total: Quantity,
        minimum: Option<Quantity>,
        now: Timestamp,
    ) -> Result<Option<Event>, Rejection> {
        let reserved = self.level.reserved;
        if total < reserved {
            // Quantities fit an i64 many times over.
            let requested_total = i64::try_from(total.get()).unwrap_or(i64::MAX);
            return Err(Rejection::AdjustBelowReserved { requested_total, reserved });
        }
        let minimum = minimum.unwrap_or(self.level.minimum);
        if total == self.level.total && minimum == self.level.minimum {
            return Ok(None);
        }
        Ok(Some(self.adjusted(total, minimum, now)))
    }

    /// Changes the total by `delta`.
    ///
    /// # Errors
    /// [`Rejection::QuantityOutOfRange`], [`Rejection::AdjustBelowReserved`].
    pub fn adjust_by(&mut self, delta: i64, now: Timestamp) -> Result<Event, Rejection> {
        let Level { total, reserved, minimum, .. } = self.level;
        let target = i128::from(total.get()) + i128::from(delta);
        let requested_total = i64::try_from(target).unwrap_or(i64::MAX);
        if target > i128::from(QUANTITY_MAX) {
            return Err(Rejection::QuantityOutOfRange { requested_total });
        }
        match u64::try_from(target).ok().and_then(Quantity::new) {
            Some(total) if total >= reserved => Ok(self.adjusted(total, minimum, now)),
            _ => Err(Rejection::AdjustBelowReserved { requested_total, reserved }),
        }
    }

    /// Reserves a quantity for nobody in particular.
    ///
    /// # Errors
    /// [`Rejection::InsufficientStock`].
    pub fn reserve(&mut self, quantity: Quantity, now: Timestamp) -> Result<Event, Rejection> {
        let from = self.level;
        if quantity > from.available() {
            return Err(Rejection::InsufficientStock {
                lines: vec![ShortLine {
                    index: 0,
                    key: self.key.clone(),
                    requested: quantity.get(),
                    available: from.available().get(),
                }],
            });
        }
        // Within `available`, so neither sum leaves the range.
        if let (Some(reserved), Some(unattributed)) =
            (from.reserved.plus(quantity), from.unattributed.plus(quantity))
        {
            self.changed(Level { reserved, unattributed, ..from }, now);
        }
        Ok(self.moved(Movement::Reserved, quantity, from, None, None))
    }

    /// Gives back what [`Stock::reserve`] took.
    ///
    /// # Errors
    /// [`Rejection::ReleaseExceedsReserved`].
    pub fn release(&mut self, quantity: Quantity, now: Timestamp) -> Result<Event, Rejection> {
        let from = self.level;
        let (Some(reserved), Some(unattributed)) =
            (from.reserved.minus(quantity), from.unattributed.minus(quantity))
        else {
            return Err(Rejection::ReleaseExceedsReserved {
                requested: quantity,
                releasable: from.unattributed,
                reserved: from.reserved,
            });
        };
        self.changed(Level { reserved, unattributed, ..from }, now);
        Ok(self.moved(Movement::Released, quantity, from, None, None))
    }

    /// Sets units aside for a reservation; none where fewer are available.
    pub(crate) fn hold(
        &mut self,
        quantity: Quantity,
        id: &str,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Event> {
        let from = self.level;
        from.available().minus(quantity)?;
        let reserved = from.reserved.plus(quantity)?;
        self.changed(Level { reserved, ..from }, now);
        Some(self.moved(Movement::Reserved, quantity, from, Some(id), expires_at))
    }

    /// Gives back units that a reservation holds; none where fewer are held.
    pub(crate) fn release_held(
        &mut self,
        quantity: Quantity,
        id: &str,
        at: Timestamp,
    ) -> Option<Event> {
        let from = self.level;
        from.attributed().minus(quantity)?;
        let reserved = from.reserved.minus(quantity)?;
        self.changed(Level { reserved, ..from }, at);
        Some(self.moved(Movement::Released, quantity, from, Some(id), None))
    }

    /// Lets units that a reservation holds leave the stock; none where fewer are held.
    pub(crate) fn fulfil(&mut self, quantity: Quantity, id: &str, now: Timestamp) -> Option<Event> {
        let from = self.level;
        from.attributed().minus(quantity)?;
        let (total, reserved) = (from.total.minus(quantity)?, from.reserved.minus(quantity)?);
        self.changed(Level { total, reserved, ..from }, now);
        Some(self.moved(Movement::Fulfilled, quantity, from, Some(id), None))
    }

    /// Sends units to another location.
    ///
    /// # Errors
    /// [`Rejection::InsufficientStock`].
    pub(crate) fn transfer_out(
        &mut self,
        quantity: Quantity,
        counterpart: &StockKey,
        now: Timestamp,
    ) -> Result<Event, Rejection> {
        let from = self.level;
        let available = from.available();
        let (true, Some(total)) = (quantity <= available, from.total.minus(quantity)) else {
            let key = self.key.clone();
            let line =
                ShortLine { index: 0, key, requested: quantity.get(), available: available.get() };
            return Err(Rejection::InsufficientStock { lines: vec![line] });
        };
        self.changed(Level { total, ..from }, now);
        Ok(self.transferred(quantity, false, counterpart, Some(from)))
    }

    /// Receives units from another location.
    ///
    /// # Errors
    /// [`Rejection::QuantityOutOfRange`].
    pub(crate) fn transfer_in(
        &mut self,
        quantity: Quantity,
        counterpart: &StockKey,
        now: Timestamp,
    ) -> Result<Event, Rejection> {
        let from = self.level;
        let Some(total) = from.total.plus(quantity) else {
            let sum = from.total.get() + quantity.get();
            let requested_total = i64::try_from(sum).unwrap_or(i64::MAX);
            return Err(Rejection::QuantityOutOfRange { requested_total });
        };
        self.changed(Level { total, ..from }, now);
        Ok(self.transferred(quantity, true, counterpart, Some(from)))
    }

    /// A stock that a transfer creates at its target.
    pub(crate) fn received(
        key: StockKey,
        quantity: Quantity,
        counterpart: &StockKey,
        now: Timestamp,
    ) -> (Self, Event) {
        let (stock, _) = Self::create(key, quantity, Quantity::ZERO, now);
        let event = stock.transferred(quantity, true, counterpart, None);
        (stock, event)
    }

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

    fn moved(
        &self,
        movement: Movement,
        quantity: Quantity,
        from: Level,
        reservation_id: Option<&str>,
        expires_at: Option<Timestamp>,
    ) -> Event {
        Event::InventoryMoved {
            movement,
            key: self.key.clone(),
            quantity,
            reservation_id: reservation_id.map(String::from),
            expires_at,
            from,
            to: self.level,
        }
    }

    fn adjusted(&mut self, total: Quantity, minimum: Quantity, now: Timestamp) -> Event {
        let from = self.level;
        self.changed(Level { total, minimum, ..from }, now);
        Event::InventoryAdjusted { key: self.key.clone(), from: Some(from), to: self.level }
    }

    fn changed(&mut self, level: Level, now: Timestamp) {
        self.level = Level { version: self.level.version + 1, ..level };
        self.updated_at = self.updated_at.max(now);
    }
}

#[cfg(test)]
#[path = "stock_tests.rs"]
mod tests;

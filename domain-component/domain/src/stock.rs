use crate::{Event, QUANTITY_MAX, Quantity, Rejection, ShortLine, StockKey, Timestamp, Version};
use alloc::vec;

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
    /// No hold on this stock is due before this time.
    pub due_at: Option<Timestamp>,
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
        due_at: Option<Timestamp>,
        created_at: Timestamp,
        updated_at: Timestamp,
    ) -> Self {
        Self { key, level, due_at, created_at, updated_at }
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
        (Self { key, level, due_at: None, created_at: now, updated_at: now }, event)
    }

    /// The numbers.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
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
                    requested: quantity,
                    available: from.available(),
                }],
            });
        }
        // Within `available`, so neither sum leaves the range.
        if let (Some(reserved), Some(unattributed)) =
            (from.reserved.plus(quantity), from.unattributed.plus(quantity))
        {
            self.changed(Level { reserved, unattributed, ..from }, now);
        }
        Ok(Event::InventoryReserved { key: self.key.clone(), quantity, from, to: self.level })
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
        Ok(Event::InventoryReleased { key: self.key.clone(), quantity, from, to: self.level })
    }

    fn adjusted(&mut self, total: Quantity, minimum: Quantity, now: Timestamp) -> Event {
        let from = self.level;
        self.changed(Level { total, minimum, ..from }, now);
        Event::InventoryAdjusted { key: self.key.clone(), from: Some(from), to: self.level }
    }

    fn changed(&mut self, level: Level, now: Timestamp) {
        self.level = Level { version: self.level.version + 1, ..level };
        self.updated_at = now;
    }
}

#[cfg(test)]
#[path = "stock_tests.rs"]
mod tests;

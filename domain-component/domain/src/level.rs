//! The numbers of a stock, and how each kind of change alters them.

use crate::{quantity::Quantity, units::Version};

/// The numbers of a stock. A level that exists has `unattributed <= reserved <= total` and a
/// version of at least 1.
///
/// Each method that changes a level returns the next one, whose version is greater by 1, or `None`
/// where the change would break these rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Level {
    total: Quantity,
    reserved: Quantity,
    unattributed: Quantity,
    minimum: Quantity,
    version: Version,
}

impl Level {
    /// Rebuilds a stored level. The quantities are units. Returns `None` where a quantity is out
    /// of range or the numbers break the rules of a level.
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

    /// Returns the first level of a new stock, of which nothing is reserved.
    pub(crate) const fn first(total: Quantity, minimum: Quantity) -> Self {
        Self { total, reserved: Quantity::ZERO, unattributed: Quantity::ZERO, minimum, version: 1 }
    }

    /// Returns the units that are there.
    #[must_use]
    pub const fn total(&self) -> Quantity {
        self.total
    }

    /// Returns the units of the total that are reserved, holds that are due included.
    #[must_use]
    pub const fn reserved(&self) -> Quantity {
        self.reserved
    }

    /// Returns the reserved units that belong to no reservation.
    #[must_use]
    pub const fn unattributed(&self) -> Quantity {
        self.unattributed
    }

    /// Returns the threshold of the low-stock policy in units; 0 turns the policy off.
    #[must_use]
    pub const fn minimum(&self) -> Quantity {
        self.minimum
    }

    /// Returns the number of accepted changes up to this level.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Returns the reserved units that belong to reservations.
    #[must_use]
    pub fn attributed(&self) -> Quantity {
        self.reserved.minus(self.unattributed).unwrap_or_default()
    }

    /// Returns the units that can still be reserved.
    #[must_use]
    pub fn available(&self) -> Quantity {
        self.total.minus(self.reserved).unwrap_or_default()
    }

    /// Returns the level that a reader sees while `due` units belong to holds that are due: these
    /// units count as free, and the version stays. Returns the level unchanged where reservations
    /// have fewer than `due` units.
    pub(crate) fn without_due(self, due: Quantity) -> Self {
        match self.reserved.minus(due) {
            Some(reserved) if reserved >= self.unattributed => Self { reserved, ..self },
            _ => self,
        }
    }

    /// Sets total and minimum; `None` where the total would be less than what is reserved.
    pub(crate) fn set(self, total: Quantity, minimum: Quantity) -> Option<Self> {
        (total >= self.reserved).then(|| Self { total, minimum, ..self }.next())
    }

    /// Reserves units for no reservation; `None` where fewer are available.
    pub(crate) fn reserve(self, quantity: Quantity) -> Option<Self> {
        let unattributed = self.unattributed.plus(quantity)?;
        Self { unattributed, ..self }.hold(quantity)
    }

    /// Frees units that belong to no reservation; `None` where there are fewer.
    pub(crate) fn release(self, quantity: Quantity) -> Option<Self> {
        let unattributed = self.unattributed.minus(quantity)?;
        let reserved = self.reserved.minus(quantity)?;
        Some(Self { unattributed, reserved, ..self }.next())
    }

    /// Reserves units for a reservation; `None` where fewer are available.
    #[inline]
    pub(crate) fn hold(self, quantity: Quantity) -> Option<Self> {
        let reserved = self.reserved.plus(quantity)?;
        (reserved <= self.total).then(|| Self { reserved, ..self }.next())
    }

    /// Frees units that belong to reservations; `None` where there are fewer.
    #[inline]
    pub(crate) fn release_held(self, quantity: Quantity) -> Option<Self> {
        let reserved = self.reserved.minus(quantity)?;
        (reserved >= self.unattributed).then(|| Self { reserved, ..self }.next())
    }

    /// Takes units that belong to reservations out of the stock; `None` where there are fewer.
    pub(crate) fn fulfill(self, quantity: Quantity) -> Option<Self> {
        let total = self.total.minus(quantity)?;
        Self { total, ..self }.release_held(quantity)
    }

    /// Takes available units out of the stock; `None` where fewer are available.
    pub(crate) fn send(self, quantity: Quantity) -> Option<Self> {
        let total = self.total.minus(quantity)?;
        (total >= self.reserved).then(|| Self { total, ..self }.next())
    }

    /// Adds units to the stock; `None` where the total would leave the range of quantities.
    pub(crate) fn receive(self, quantity: Quantity) -> Option<Self> {
        let total = self.total.plus(quantity)?;
        Some(Self { total, ..self }.next())
    }

    /// Counts a change.
    const fn next(self) -> Self {
        Self { version: self.version + 1, ..self }
    }
}

#[cfg(test)]
#[path = "level_tests.rs"]
mod tests;

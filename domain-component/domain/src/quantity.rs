//! A number of units.

use crate::argument::InvalidArgument;

/// The largest quantity, in units. It is far above what any warehouse holds, and so small that no
/// sum of a command overflows a `u64` and no JSON reader that counts in doubles loses digits.
pub const QUANTITY_MAX: u64 = 999_999_999_999;

/// A number of units from 0 to [`QUANTITY_MAX`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Quantity(u64);

impl Quantity {
    /// No units.
    pub const ZERO: Self = Self(0);

    /// Returns the quantity of `units`, or `None` where `units` exceeds [`QUANTITY_MAX`].
    #[must_use]
    pub const fn new(units: u64) -> Option<Self> {
        if units <= QUANTITY_MAX { Some(Self(units)) } else { None }
    }

    /// Reads the argument `name` of a command as a quantity of at least `least` units.
    ///
    /// # Errors
    /// Returns the argument with its bounds where `units` lies outside `least..=QUANTITY_MAX`.
    pub fn parse(name: &'static str, units: u64, least: u64) -> Result<Self, InvalidArgument> {
        match Self::new(units) {
            Some(quantity) if units >= least => Ok(quantity),
            _ => Err(InvalidArgument::out_of_range(name, least, QUANTITY_MAX, units)),
        }
    }

    /// Returns the number of units.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Returns the sum, or `None` where it exceeds [`QUANTITY_MAX`].
    #[must_use]
    pub const fn plus(self, other: Self) -> Option<Self> {
        // The sum of two quantities always fits a `u64`.
        Self::new(self.0 + other.0)
    }

    /// Returns the difference, or `None` where it would be negative.
    #[must_use]
    pub const fn minus(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }
}

#[cfg(test)]
#[path = "quantity_tests.rs"]
mod tests;

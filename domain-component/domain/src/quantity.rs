use crate::InvalidArgument;

/// The largest quantity: far above any warehouse, far below what overflows a `u64`
/// or loses digits in a JSON reader that counts in doubles.
pub const QUANTITY_MAX: u64 = 999_999_999_999;

/// A number of units between 0 and [`QUANTITY_MAX`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Quantity(u64);

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The quantity, where it is in range.
    #[must_use]
    pub const fn new(units: u64) -> Option<Self> {
        if units <= QUANTITY_MAX { Some(Self(units)) } else { None }
    }

    /// The argument `name` of a command as a quantity of at least `least`.
    ///
    /// # Errors
    /// Says what the argument may be.
    pub fn parse(name: &'static str, units: u64, least: u64) -> Result<Self, InvalidArgument> {
        match Self::new(units) {
            Some(quantity) if units >= least => Ok(quantity),
            _ => Err(InvalidArgument::out_of_range(name, least, QUANTITY_MAX, units)),
        }
    }

    /// The number of units.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The sum, where it is in range.
    #[must_use]
    pub const fn plus(self, other: Self) -> Option<Self> {
        // Two quantities cannot overflow a u64.
        Self::new(self.0 + other.0)
    }

    /// The difference, where it is not negative.
    #[must_use]
    pub const fn minus(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_has_bounds() {
        assert_eq!(Quantity::new(QUANTITY_MAX).map(Quantity::get), Some(QUANTITY_MAX));
        assert_eq!(Quantity::new(QUANTITY_MAX + 1), None);
        assert_eq!(Quantity::new(u64::MAX), None);
    }

    #[test]
    fn an_argument_out_of_bounds_is_named_with_its_limits() {
        assert!(Quantity::parse("quantity", 1, 1).is_ok());
        let invalid = Quantity::parse("quantity", 0, 1).unwrap_err();
        assert_eq!(invalid.name, "quantity");
        assert_eq!(invalid.message, "must be from 1 to 999999999999, is 0");
        assert!(Quantity::parse("total", QUANTITY_MAX + 1, 0).is_err());
    }

    #[test]
    fn arithmetic_never_wraps() {
        let max = Quantity::new(QUANTITY_MAX).unwrap();
        let one = Quantity::new(1).unwrap();
        assert_eq!(max.plus(one), None);
        assert_eq!(Quantity::ZERO.minus(one), None);
        assert_eq!(max.minus(max), Some(Quantity::ZERO));
        assert_eq!(one.plus(one), Quantity::new(2));
    }
}

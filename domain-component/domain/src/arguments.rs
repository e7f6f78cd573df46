//! Checks the arguments of commands and queries.

use crate::{
    argument::InvalidArgument,
    id::check_id,
    key::StockKey,
    quantity::Quantity,
    rejection::Rejection,
    reservation::{LINES_MAX, TTL_SECONDS_MAX},
};
use alloc::{string::String, vec::Vec};

/// A product id and a location id as a caller gives them, not yet checked.
pub type RawKey = (String, String);

/// A line as a caller gives it, not yet checked: the stock and the number of units.
pub type RawLine = (RawKey, u64);

/// Collects every invalid argument of a request, so that the caller learns of all of them at once.
/// Each check returns `None` where the argument is invalid.
#[derive(Default)]
pub(crate) struct Arguments {
    invalid: Vec<InvalidArgument>,
}

impl Arguments {
    /// Records the argument where it is invalid.
    pub(crate) fn check<T>(&mut self, argument: Result<T, InvalidArgument>) -> Option<T> {
        argument.map_err(|invalid| self.invalid.push(invalid)).ok()
    }

    /// Checks a product id and a location id.
    pub(crate) fn key(&mut self, (product_id, location_id): RawKey) -> Option<StockKey> {
        StockKey::parse(product_id, location_id)
            .map_err(|invalid| self.invalid.extend(invalid))
            .ok()
    }

    /// Checks the id of a reservation.
    pub(crate) fn reservation_id(&mut self, id: String) -> Option<String> {
        self.check(check_id("reservation_id", &id)).map(|()| id)
    }

    /// Checks a time to live: 1 to [`TTL_SECONDS_MAX`] seconds, or none at all.
    pub(crate) fn ttl(&mut self, seconds: Option<u32>) -> Option<()> {
        let (given, most) = (u64::from(seconds.unwrap_or(1)), u64::from(TTL_SECONDS_MAX));
        self.range("ttl_seconds", given, most)
    }

    /// Checks 1 to [`LINES_MAX`] lines of at least 1 unit each. An argument that is invalid in a
    /// line is recorded with the position of the line.
    pub(crate) fn lines(&mut self, lines: Vec<RawLine>) -> Option<Vec<(StockKey, Quantity)>> {
        self.range("lines", lines.len() as u64, LINES_MAX as u64)?;
        let mut valid = Vec::with_capacity(lines.len());
        for (index, (key, quantity)) in (0..).zip(lines) {
            let known = self.invalid.len();
            let key = self.key(key);
            let quantity = self.check(Quantity::parse("quantity", quantity, 1));
            for invalid in self.invalid.iter_mut().skip(known) {
                invalid.line = Some(index);
            }
            valid.extend(key.zip(quantity));
        }
        // Each line that is not valid has recorded an argument.
        self.invalid.is_empty().then_some(valid)
    }

    /// Checks that a number lies in `1..=most`.
    pub(crate) fn range(&mut self, name: &'static str, number: u64, most: u64) -> Option<()> {
        if (1..=most).contains(&number) {
            return Some(());
        }
        self.check(Err(InvalidArgument::out_of_range(name, 1, most, number)))
    }

    /// Refuses the request for the arguments that are recorded.
    pub(crate) fn rejection(self) -> Rejection {
        self.invalid.into()
    }
}

use crate::{InvalidArgument, LINES_MAX, Quantity, Rejection, StockKey, TTL_SECONDS_MAX, check_id};
use alloc::{string::String, vec::Vec};

/// Product id and location id as a caller gives them, not yet checked.
pub type RawKey = (String, String);

/// A line as a caller gives it, not yet checked.
pub type RawLine = (RawKey, u64);

/// Collects what is wrong with a command's arguments, so that the caller is told
/// everything at once.
#[derive(Default)]
pub(crate) struct Arguments {
    invalid: Vec<InvalidArgument>,
}

impl Arguments {
    pub(crate) fn check<T>(&mut self, argument: Result<T, InvalidArgument>) -> Option<T> {
        argument.map_err(|invalid| self.invalid.push(invalid)).ok()
    }

    pub(crate) fn key(&mut self, (product_id, location_id): RawKey) -> Option<StockKey> {
        StockKey::parse(product_id, location_id)
            .map_err(|invalid| self.invalid.extend(invalid))
            .ok()
    }

    /// A reservation's id.
    pub(crate) fn reservation_id(&mut self, id: String) -> Option<String> {
        self.check(check_id("reservation_id", &id)).map(|()| id)
    }

    pub(crate) fn ttl(&mut self, seconds: Option<u32>) -> Option<()> {
        match seconds {
            Some(seconds) if !(1..=TTL_SECONDS_MAX).contains(&seconds) => {
                let most = TTL_SECONDS_MAX.into();
                let invalid = InvalidArgument::out_of_range("ttl_seconds", 1, most, seconds.into());
                self.check(Err(invalid))
            }
            _ => Some(()),
        }
    }

    /// 1 to 100 lines; what is wrong with one is told with its index.
    pub(crate) fn lines(&mut self, lines: Vec<RawLine>) -> Option<Vec<(StockKey, Quantity)>> {
        if lines.is_empty() || lines.len() > LINES_MAX {
            let (most, is) = (LINES_MAX as u64, lines.len() as u64);
            return self.check(Err(InvalidArgument::out_of_range("lines", 1, most, is)));
        }
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
        // A line that is not valid has left its mark.
        if self.invalid.is_empty() { Some(valid) } else { None }
    }

    pub(crate) fn rejection(self) -> Rejection {
        self.invalid.into()
    }
}

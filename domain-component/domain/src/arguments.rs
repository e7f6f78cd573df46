use crate::{InvalidArgument, Rejection, StockKey};
use alloc::{string::String, vec::Vec};

/// Product id and location id as a caller gives them, not yet checked.
pub type RawKey = (String, String);

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

    pub(crate) fn rejection(self) -> Rejection {
        self.invalid.into()
    }
}

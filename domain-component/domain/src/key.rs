//! The name of a stock.

use crate::{
    argument::InvalidArgument,
    id::check_id,
    text::{Part::Text, text},
};
use alloc::{string::String, vec::Vec};
use core::cmp::Ordering;

/// Words that name routes of the REST interface and therefore cannot name products.
pub const RESERVED_PRODUCT_IDS: [&str; 2] = ["low-stock", "query"];

/// The name of one stock: a product at a location. Both ids of a key that exists are valid.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StockKey {
    product_id: String,
    location_id: String,
}

impl StockKey {
    /// Builds a key from two ids.
    ///
    /// # Errors
    /// Returns each id that [`check_id`] refuses, and a product id that is one of
    /// [`RESERVED_PRODUCT_IDS`].
    pub fn parse(product_id: String, location_id: String) -> Result<Self, Vec<InvalidArgument>> {
        let product = check_id("product_id", &product_id).and_then(|()| {
            if RESERVED_PRODUCT_IDS.contains(&product_id.as_str()) {
                let message = text(&[Text(&product_id), Text(" is a reserved word")]);
                return Err(InvalidArgument::new("product_id", message));
            }
            Ok(())
        });
        let location = check_id("location_id", &location_id);
        if product.is_ok() && location.is_ok() {
            return Ok(Self { product_id, location_id });
        }
        Err([product, location].into_iter().filter_map(Result::err).collect())
    }

    /// Returns the id of the product that is stocked.
    #[must_use]
    pub fn product_id(&self) -> &str {
        &self.product_id
    }

    /// Returns the id of the location where the product is stocked.
    #[must_use]
    pub fn location_id(&self) -> &str {
        &self.location_id
    }

    /// Returns the product id and the location id.
    #[must_use]
    pub fn into_ids(self) -> (String, String) {
        (self.product_id, self.location_id)
    }

    /// Compares two keys in an order that is total and cheap, but not alphabetical.
    pub(crate) fn cheap_order(&self, other: &Self) -> Ordering {
        cheap_order(&self.product_id, &other.product_id)
            .then_with(|| cheap_order(&self.location_id, &other.location_id))
    }
}

/// Compares two texts by length, then eight bytes at a time. The component's own comparison of
/// texts goes byte by byte and costs several times the fuel.
fn cheap_order(a: &str, b: &str) -> Ordering {
    let by_length = a.len().cmp(&b.len());
    if by_length != Ordering::Equal {
        return by_length;
    }
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while let (Some((first, rest_of_a)), Some((other, rest_of_b))) =
        (a.split_first_chunk::<8>(), b.split_first_chunk::<8>())
    {
        let (first, other) = (u64::from_le_bytes(*first), u64::from_le_bytes(*other));
        if first != other {
            return first.cmp(&other);
        }
        (a, b) = (rest_of_a, rest_of_b);
    }
    a.cmp(b)
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;

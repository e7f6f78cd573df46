//! Finds an entry of a list by the key of its stock.

use crate::key::StockKey;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// Positions in a list whose entries each have a [`StockKey`], sorted by key. A look-up takes
/// logarithmic time, and the list itself keeps its own order.
#[derive(Clone, Default, Debug)]
pub(crate) struct KeyIndex(Vec<usize>);

impl KeyIndex {
    /// Returns the position of the entry with this key. `key_at` returns the key of the entry at a
    /// position of the list.
    ///
    /// # Errors
    /// Where no entry has the key, returns the place to pass to [`KeyIndex::insert`].
    pub(crate) fn find<'k>(
        &self,
        key: &StockKey,
        key_at: impl Fn(usize) -> Option<&'k StockKey>,
    ) -> Result<usize, usize> {
        let order = |at: &usize| key_at(*at).map_or(Ordering::Less, |known| known.cheap_order(key));
        let place = self.0.binary_search_by(order)?;
        self.0.get(place).copied().ok_or(place)
    }

    /// Records that the entry at `position` of the list belongs at `place`, which must come from a
    /// [`KeyIndex::find`] that found nothing.
    pub(crate) fn insert(&mut self, place: usize, position: usize) {
        self.0.insert(place.min(self.0.len()), position);
    }
}

#[cfg(test)]
#[path = "key_index_tests.rs"]
mod tests;

//! Units by stock.

use crate::{key::StockKey, key_index::KeyIndex};
use alloc::vec::Vec;

/// Units by stock, in the order in which the stocks were first named. A stock is listed once: the
/// lines of a request that name the same stock count as their sum.
#[derive(Default, Debug)]
pub(crate) struct Demand {
    units: Vec<(StockKey, u64)>,
    /// Finds the position of a stock in `units`.
    index: KeyIndex,
}

impl Demand {
    /// Adds units of a stock. A demand sums up at most 100 lines, so no sum overflows a `u64`.
    pub(crate) fn add(&mut self, key: &StockKey, units: u64) {
        match self.find(key) {
            Ok(position) => {
                self.units.get_mut(position).into_iter().for_each(|(_, sum)| *sum += units);
            }
            Err(place) => {
                self.index.insert(place, self.units.len());
                self.units.push((key.clone(), units));
            }
        }
    }

    /// Returns the units of a stock; 0 where the stock is not listed.
    pub(crate) fn of(&self, key: &StockKey) -> u64 {
        let position = self.find(key).ok();
        position.and_then(|position| self.units.get(position)).map_or(0, |(_, units)| *units)
    }

    /// Subtracts up to `most` units of a stock, and returns how many it has subtracted.
    pub(crate) fn take(&mut self, key: &StockKey, most: u64) -> u64 {
        let position = self.find(key).ok();
        position.and_then(|position| self.units.get_mut(position)).map_or(0, |(_, left)| {
            let taken = most.min(*left);
            *left -= taken;
            taken
        })
    }

    /// Returns each stock with its units.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&StockKey, u64)> {
        self.units.iter().map(|(key, units)| (key, *units))
    }

    fn find(&self, key: &StockKey) -> Result<usize, usize> {
        self.index.find(key, |at| self.units.get(at).map(|(known, _)| known))
    }
}

#[cfg(test)]
#[path = "demand_tests.rs"]
mod tests;

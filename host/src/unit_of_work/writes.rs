//! The stocks in the draft of a command.

use crate::model::{Map, Stock, StockKey};

/// Up to this many stocks are searched one by one; more are found by a hash map.
const SEARCHED_MAX: usize = 8;

/// The stocks that a command writes, in the order of their first writes.
#[derive(Default)]
pub(super) struct Writes {
    all: Vec<(StockKey, Stock)>,
    /// The position of each stock in `all`; empty while there are at most [`SEARCHED_MAX`].
    places: Map<StockKey, usize>,
}

impl Writes {
    pub(super) fn as_slice(&self) -> &[(StockKey, Stock)] {
        &self.all
    }

    pub(super) fn get(&self, key: &StockKey) -> Option<&Stock> {
        self.all.get(self.place(key)?).map(|(_, stock)| stock)
    }

    fn place(&self, key: &StockKey) -> Option<usize> {
        if self.all.len() <= SEARCHED_MAX {
            return self.all.iter().position(|(written, _)| written == key);
        }
        self.places.get(key).copied()
    }

    /// Replaces a stock that was written before. Returns `false` where it was not.
    pub(super) fn replace(&mut self, key: &StockKey, stock: Stock) -> bool {
        let slot = self.place(key).and_then(|place| self.all.get_mut(place));
        slot.map(|(_, written)| *written = stock).is_some()
    }

    /// Adds a stock that was not written before.
    pub(super) fn push(&mut self, key: StockKey, stock: Stock) {
        let place = self.all.len();
        if place == SEARCHED_MAX {
            let known = self.all.iter().zip(0..).map(|((key, _), place)| (key.clone(), place));
            self.places.extend(known);
        }
        if place >= SEARCHED_MAX {
            self.places.insert(key.clone(), place);
        }
        self.all.push((key, stock));
    }

    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.places.clear();
    }

    pub(super) fn take(&mut self) -> impl Iterator<Item = (StockKey, Stock)> {
        self.places.clear();
        self.all.drain(..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Level;

    fn stock(total: u64) -> Stock {
        let level = Level { total, reserved: 0, unattributed: 0, minimum: 0, version: 1 };
        Stock { level, due: 0, created_at: 1, updated_at: 1 }
    }

    #[test]
    fn few_and_many_are_found_again() {
        let key = |i: usize| StockKey::parse(format!("p{i}"), "default".to_owned()).unwrap();
        let mut writes = Writes::default();
        for round in 0..2 {
            for i in 0..3 * SEARCHED_MAX {
                assert!(writes.get(&key(i)).is_none(), "{round}");
                assert!(!writes.replace(&key(i), stock(0)));
                writes.push(key(i), stock(1));
                assert!(writes.replace(&key(i), stock(i as u64)));
                for known in 0..=i {
                    assert_eq!(writes.get(&key(known)), Some(&stock(known as u64)));
                }
            }
            let taken: Vec<_> = writes.take().map(|(key, _)| key).collect();
            assert_eq!(taken, (0..3 * SEARCHED_MAX).map(key).collect::<Vec<_>>());
        }
    }
}

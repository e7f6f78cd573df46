//! Random commands on few stocks and few reservations, so that the commands affect each other. The
//! same seed gives the same commands on every machine.

use crate::model::{
    Action, Command, LineRequest, LocationId, Origin, Precondition, ProductId, StockKey,
};
use uuid::Uuid;

const PRODUCTS: [&str; 3] = ["a", "b", "c"];
const LOCATIONS: [&str; 2] = ["default", "north"];
const RESERVATIONS: [&str; 5] = ["r1", "r2", "r3", "r4", "r5"];

/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
pub(super) struct Random {
    state: u64,
    commands: u128,
}

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed, commands: 0 }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `least` to `most`, both included.
    pub(super) fn within(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most - least + 1)
    }

    fn one_of<'a>(&mut self, of: &[&'a str]) -> &'a str {
        let index = self.within(0, of.len() as u64 - 1);
        usize::try_from(index).ok().and_then(|index| of.get(index)).copied().unwrap_or("a")
    }

    pub(super) fn key(&mut self) -> Option<StockKey> {
        let (product, location) = (self.one_of(&PRODUCTS), self.one_of(&LOCATIONS));
        StockKey::parse(product.to_owned(), location.to_owned()).ok()
    }

    fn lines(&mut self) -> Option<Vec<LineRequest>> {
        let count = self.within(1, 4);
        (0..count)
            .map(|_| Some(LineRequest { key: self.key()?, quantity: self.within(1, 6) }))
            .collect()
    }

    pub(super) fn command_of(&mut self, action: Action) -> Command {
        self.commands += 1;
        let precondition = (self.within(0, 9) == 0)
            .then(|| Precondition::VersionIn(vec![self.within(1, 9), self.within(1, 9)]));
        let id = Uuid::from_u128(self.commands);
        Command { id, origin: Origin::default(), precondition, action }
    }

    fn expire(&mut self) -> Action {
        Action::Expire { id: self.one_of(&RESERVATIONS).to_owned() }
    }

    /// A command that creates a stock.
    pub(super) fn opening(&mut self) -> Command {
        let action = self
            .key()
            .map(|key| Action::AdjustSet { key, total: 20, minimum: Some(4) })
            .unwrap_or_else(|| self.expire());
        Command { precondition: None, ..self.command_of(action) }
    }

    /// A command of any kind.
    pub(super) fn command(&mut self) -> Command {
        let action = self.action().unwrap_or_else(|| self.expire());
        self.command_of(action)
    }

    fn action(&mut self) -> Option<Action> {
        let id = self.one_of(&RESERVATIONS).to_owned();
        let key = self.key()?;
        let units = match self.within(0, 19) {
            0 => 999_999_999_999,
            _ => self.within(1, 8),
        };
        let some = |random: &mut Self| match random.within(0, 1) {
            0 => Some(None),
            _ => random.lines().map(Some),
        };
        Some(match self.within(0, 21) {
            0..=2 => {
                let minimum = (self.within(0, 2) > 0).then(|| self.within(0, 9));
                Action::AdjustSet { key, total: self.within(0, 30), minimum }
            }
            3..=4 => {
                let units = i64::try_from(self.within(1, 9)).ok()?;
                let delta = if self.within(0, 1) == 0 { units } else { -units };
                Action::AdjustBy { key, delta }
            }
            5..=8 => Action::Reserve { key, quantity: units },
            9..=10 => Action::Release { key, quantity: units },
            11..=12 => {
                let back = self.within(0, 1) == 0;
                let (from, to) = if back { ("north", "default") } else { ("default", "north") };
                Action::Transfer {
                    product_id: ProductId::parse(self.one_of(&PRODUCTS).to_owned()).ok()?,
                    from: LocationId::parse(from.to_owned()).ok()?,
                    to: LocationId::parse(to.to_owned()).ok()?,
                    quantity: units,
                }
            }
            13..=15 => {
                let ttl_seconds = (self.within(0, 3) > 0).then_some(1);
                let ttl_seconds = ttl_seconds.map(|one: u32| one + u32::from(units > 4));
                Action::Hold { id, lines: self.lines()?, ttl_seconds }
            }
            16 => Action::Replace { id, lines: self.lines()? },
            17 => Action::Extend { id, ttl_seconds: 2 },
            18 => Action::Confirm { id },
            19 => Action::Fulfill { id, lines: some(self)? },
            20 => Action::Cancel { id, lines: some(self)? },
            _ => Action::Expire { id },
        })
    }
}

//! The reference model: a second and simpler implementation of the rules, with which tests compare
//! the product. Every due hold expires before a command is decided, and no work is deferred.

use std::collections::BTreeMap;

pub const QUANTITY_MAX: i128 = 999_999_999_999;

/// A product and a location.
pub type Key = (&'static str, &'static str);
pub type Line = (Key, u64);

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    Set { key: Key, total: u64, minimum: Option<u64> },
    Adjust { key: Key, delta: i64 },
    Reserve { key: Key, quantity: u64 },
    Release { key: Key, quantity: u64 },
    Transfer { product: &'static str, from: &'static str, to: &'static str, quantity: u64 },
    Hold { id: &'static str, lines: Vec<Line>, ttl: Option<u32> },
    Replace { id: &'static str, lines: Vec<Line> },
    Extend { id: &'static str, ttl: u32 },
    Confirm { id: &'static str },
    Fulfill { id: &'static str, lines: Option<Vec<Line>> },
    Cancel { id: &'static str, lines: Option<Vec<Line>> },
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    pub action: Action,
    pub if_version: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stock {
    pub total: u64,
    pub reserved: u64,
    pub unattributed: u64,
    pub minimum: u64,
    pub version: u64,
}

impl Stock {
    pub fn low(&self) -> bool {
        self.total - self.reserved < self.minimum
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reservation {
    pub state: &'static str,
    /// For each line the stock, the quantity, and the units that are left.
    pub lines: Vec<(Key, u64, u64)>,
    pub ttl: Option<u32>,
    pub expires_at: Option<u64>,
    pub version: u64,
}

/// The outcome of an accepted command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen {
    Stock(Stock, bool),
    Transfer(Stock, Stock),
    Reservation(Reservation, bool),
}

pub type Outcome = Result<Seen, &'static str>;

#[derive(Clone, Default)]
pub struct Model {
    pub stocks: BTreeMap<Key, Stock>,
    pub reservations: BTreeMap<&'static str, Reservation>,
}

fn sums(lines: &[Line]) -> BTreeMap<Key, u64> {
    let mut sums = BTreeMap::new();
    for (key, quantity) in lines {
        *sums.entry(*key).or_default() += quantity;
    }
    sums
}

impl Reservation {
    pub fn left(&self) -> BTreeMap<Key, u64> {
        sums(&self.lines.iter().map(|(key, _, left)| (*key, *left)).collect::<Vec<_>>())
    }

    fn active(&self) -> bool {
        matches!(self.state, "held" | "confirmed")
    }
}

impl Model {
    /// Expires every hold that is due by `now`.
    pub fn expire(&mut self, now: u64) {
        for reservation in self.reservations.values_mut() {
            if reservation.state != "held" || reservation.expires_at.is_none_or(|at| at > now) {
                continue;
            }
            for (key, left) in reservation.left().into_iter().filter(|(_, left)| *left > 0) {
                let stock = self.stocks.get_mut(&key).unwrap();
                stock.reserved -= left;
                stock.version += 1;
            }
            reservation.lines.iter_mut().for_each(|line| line.2 = 0);
            reservation.state = "expired";
            reservation.version += 1;
        }
    }

    pub fn execute(&mut self, command: &Command, now: u64) -> Outcome {
        self.expire(now);
        let version = command.if_version;
        match &command.action {
            Action::Set { key, total, minimum } => self.set(*key, *total, *minimum, version),
            Action::Adjust { key, delta } => self.stock(*key, version, |stock| {
                let total = i128::from(stock.total) + i128::from(*delta);
                if total > QUANTITY_MAX {
                    return Err("quantity-out-of-range");
                }
                if total < i128::from(stock.reserved) {
                    return Err("adjust-below-reserved");
                }
                stock.total = total as u64;
                Ok(())
            }),
            Action::Reserve { key, quantity } => self.stock(*key, version, |stock| {
                if *quantity > stock.total - stock.reserved {
                    return Err("insufficient-stock");
                }
                stock.reserved += quantity;
                stock.unattributed += quantity;
                Ok(())
            }),
            Action::Release { key, quantity } => self.stock(*key, version, |stock| {
                if *quantity > stock.unattributed {
                    return Err("release-exceeds-reserved");
                }
                stock.reserved -= quantity;
                stock.unattributed -= quantity;
                Ok(())
            }),
            Action::Transfer { product, from, to, quantity } => {
                self.transfer((product, from), (product, to), *quantity, version)
            }
            Action::Hold { id, lines, ttl } => self.hold(id, lines, *ttl, version, now),
            Action::Replace { id, lines } => self.replace(id, lines, version),
            Action::Extend { id, ttl } => {
                let reservation = self.active(id, version, false)?;
                let later = now + u64::from(*ttl) * 1_000;
                if reservation.expires_at.is_some_and(|at| at < later) {
                    reservation.expires_at = Some(later);
                    reservation.version += 1;
                }
                Ok(Seen::Reservation(reservation.clone(), false))
            }
            Action::Confirm { id } => {
                let reservation = self.active(id, version, false)?;
                reservation.state = "confirmed";
                reservation.expires_at = None;
                reservation.version += 1;
                Ok(Seen::Reservation(reservation.clone(), false))
            }
            Action::Fulfill { id, lines } => self.resolve(id, lines.as_deref(), version, true),
            Action::Cancel { id, lines } => self.resolve(id, lines.as_deref(), version, false),
        }
    }

    fn set(&mut self, key: Key, total: u64, minimum: Option<u64>, version: Option<u64>) -> Outcome {
        let found = self.stocks.get(&key).copied();
        if version.is_some() && version != found.map(|stock| stock.version) {
            return Err("version-mismatch");
        }
        let mut stock = found.unwrap_or_default();
        if total < stock.reserved {
            return Err("adjust-below-reserved");
        }
        let minimum = minimum.unwrap_or(stock.minimum);
        if found.is_none() || (total, minimum) != (stock.total, stock.minimum) {
            (stock.total, stock.minimum) = (total, minimum);
            stock.version += 1;
            self.stocks.insert(key, stock);
        }
        Ok(Seen::Stock(stock, found.is_none()))
    }

    fn stock(
        &mut self,
        key: Key,
        version: Option<u64>,
        decide: impl FnOnce(&mut Stock) -> Result<(), &'static str>,
    ) -> Outcome {
        let stock = self.stocks.get_mut(&key).ok_or("product-not-found")?;
        if version.is_some_and(|version| version != stock.version) {
            return Err("version-mismatch");
        }
        decide(stock)?;
        stock.version += 1;
        Ok(Seen::Stock(*stock, false))
    }

    fn transfer(&mut self, from: Key, to: Key, quantity: u64, version: Option<u64>) -> Outcome {
        if from == to {
            return Err("invalid-request");
        }
        let mut source = *self.stocks.get(&from).ok_or("product-not-found")?;
        if version.is_some_and(|version| version != source.version) {
            return Err("version-mismatch");
        }
        if quantity > source.total - source.reserved {
            return Err("insufficient-stock");
        }
        let mut target = self.stocks.get(&to).copied().unwrap_or_default();
        if i128::from(target.total) + i128::from(quantity) > QUANTITY_MAX {
            return Err("quantity-out-of-range");
        }
        source.total -= quantity;
        target.total += quantity;
        source.version += 1;
        target.version += 1;
        self.stocks.insert(from, source);
        self.stocks.insert(to, target);
        Ok(Seen::Transfer(source, target))
    }

    fn hold(
        &mut self,
        id: &'static str,
        lines: &[Line],
        ttl: Option<u32>,
        version: Option<u64>,
        now: u64,
    ) -> Outcome {
        if let Some(known) = self.reservations.get(id) {
            if version.is_some_and(|version| version != known.version) {
                return Err("version-mismatch");
            }
            let own: Vec<Line> = known.lines.iter().map(|(key, units, _)| (*key, *units)).collect();
            let same = own == lines && known.ttl == ttl;
            return if same {
                Ok(Seen::Reservation(known.clone(), false))
            } else {
                Err("reservation-exists")
            };
        }
        if lines.iter().any(|(key, _)| !self.stocks.contains_key(key)) {
            return Err("product-not-found");
        }
        if version.is_some() {
            return Err("version-mismatch");
        }
        self.shift(&BTreeMap::new(), &sums(lines))?;
        let reservation = Reservation {
            state: "held",
            lines: lines.iter().map(|(key, units)| (*key, *units, *units)).collect(),
            ttl,
            expires_at: ttl.map(|ttl| now + u64::from(ttl) * 1_000),
            version: 1,
        };
        self.reservations.insert(id, reservation.clone());
        Ok(Seen::Reservation(reservation, true))
    }

    fn replace(&mut self, id: &'static str, lines: &[Line], version: Option<u64>) -> Outcome {
        let mut reservation = self.found(id, version)?.clone();
        if lines.iter().any(|(key, _)| !self.stocks.contains_key(key)) {
            return Err("product-not-found");
        }
        self.active(id, version, false)?;
        let whole: Vec<_> = lines.iter().map(|(key, units)| (*key, *units, *units)).collect();
        if whole != reservation.lines {
            self.shift(&reservation.left(), &sums(lines))?;
            reservation.lines = whole;
            reservation.version += 1;
            self.reservations.insert(id, reservation.clone());
        }
        Ok(Seen::Reservation(reservation, false))
    }

    /// Replaces the reserved units `old` by `new`, or changes nothing.
    fn shift(
        &mut self,
        old: &BTreeMap<Key, u64>,
        new: &BTreeMap<Key, u64>,
    ) -> Result<(), &'static str> {
        let of = |sums: &BTreeMap<Key, u64>, key: &Key| sums.get(key).copied().unwrap_or(0);
        for (key, wanted) in new {
            let stock = self.stocks[key];
            if *wanted > stock.total - stock.reserved + of(old, key) {
                return Err("insufficient-stock");
            }
        }
        for (key, stock) in &mut self.stocks {
            let (before, after) = (of(old, key), of(new, key));
            if before != after {
                stock.reserved = stock.reserved - before + after;
                stock.version += 1;
            }
        }
        Ok(())
    }

    fn found(&mut self, id: &str, version: Option<u64>) -> Result<&mut Reservation, &'static str> {
        let reservation = self.reservations.get_mut(id).ok_or("reservation-not-found")?;
        if version.is_some_and(|version| version != reservation.version) {
            return Err("version-mismatch");
        }
        Ok(reservation)
    }

    fn active(
        &mut self,
        id: &str,
        version: Option<u64>,
        confirmed_will_do: bool,
    ) -> Result<&mut Reservation, &'static str> {
        let reservation = self.found(id, version)?;
        match reservation.state {
            "held" => Ok(reservation),
            "confirmed" if confirmed_will_do => Ok(reservation),
            "expired" => Err("reservation-expired"),
            _ => Err("reservation-not-active"),
        }
    }

    fn resolve(
        &mut self,
        id: &'static str,
        lines: Option<&[Line]>,
        version: Option<u64>,
        leave: bool,
    ) -> Outcome {
        let mut reservation = self.active(id, version, true)?.clone();
        let left = reservation.left();
        let wanted = lines.map_or_else(|| left.clone(), sums);
        if wanted.iter().any(|(key, units)| *units > left.get(key).copied().unwrap_or(0)) {
            return Err("quantity-exceeds-line");
        }
        for (key, units) in wanted.into_iter().filter(|(_, units)| *units > 0) {
            let stock = self.stocks.get_mut(&key).unwrap();
            stock.reserved -= units;
            stock.total -= if leave { units } else { 0 };
            stock.version += 1;
            let mut missing = units;
            for line in reservation.lines.iter_mut().filter(|line| line.0 == key) {
                let taken = missing.min(line.2);
                line.2 -= taken;
                missing -= taken;
            }
        }
        reservation.version += 1;
        if reservation.left().values().all(|left| *left == 0) {
            reservation.state = if leave { "fulfilled" } else { "cancelled" };
        }
        self.reservations.insert(id, reservation.clone());
        Ok(Seen::Reservation(reservation, false))
    }

    /// Checks that the reserved units of each stock are unattributed or held by a reservation.
    pub fn check(&self) {
        for (key, stock) in &self.stocks {
            let active = self.reservations.values().filter(|it| it.active());
            let held: u64 = active.map(|it| it.left().get(key).copied().unwrap_or(0)).sum();
            assert_eq!(stock.reserved, stock.unattributed + held, "{key:?}");
        }
    }
}

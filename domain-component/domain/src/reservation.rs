//! Reservations: units of one or more stocks, set aside for somebody.

use crate::{Change, Event, Quantity, Rejection, StockKey, Timestamp, Version, key::KeyIndex};
use alloc::{string::String, vec::Vec};

/// The most lines of a reservation.
pub const LINES_MAX: usize = 100;

/// The longest time to live of a hold, in seconds: 31 days.
pub const TTL_SECONDS_MAX: u32 = 2_678_400;

/// Where a reservation is in its life. The last three are final.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the words of the contract")]
pub enum State {
    Held,
    Confirmed,
    Fulfilled,
    Cancelled,
    Expired,
}

impl State {
    /// As the contract spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Confirmed => "confirmed",
            Self::Fulfilled => "fulfilled",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// Whether it still holds something.
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Held | Self::Confirmed)
    }
}

/// What changes about a reservation without changing a stock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Status {
    /// Where it is in its life.
    pub state: State,
    /// When the hold comes due, or came due; none: never.
    pub expires_at: Option<Timestamp>,
    /// Accepted changes so far, from 1.
    pub version: Version,
}

/// What a reservation holds, or held, of one stock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Of which stock.
    pub key: StockKey,
    /// How much it held at first.
    pub quantity: Quantity,
    /// Units that left the stock.
    pub fulfilled: u64,
    /// Units given back.
    pub released: u64,
    /// Units freed because the hold came due.
    pub expired: u64,
}

impl Line {
    /// A line of which everything is left.
    #[must_use]
    pub const fn new(key: StockKey, quantity: Quantity) -> Self {
        Self { key, quantity, fulfilled: 0, released: 0, expired: 0 }
    }

    /// What it still holds; none where the numbers contradict each other.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        let gone = self.fulfilled.checked_add(self.released)?.checked_add(self.expired)?;
        self.quantity.get().checked_sub(gone)
    }

    fn resolve(&mut self, units: u64, resolution: Resolution) {
        match resolution {
            Resolution::Fulfil => self.fulfilled += units,
            Resolution::Release => self.released += units,
            Resolution::Expire => self.expired += units,
        }
    }
}

/// In which way units of a line are resolved. Each unit is, exactly once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Resolution {
    Fulfil,
    Release,
    Expire,
}

/// A reservation: units of one or more stocks, set aside for somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reservation {
    /// Its name.
    pub id: String,
    /// 1 to 100; several may be about one stock.
    pub lines: Vec<Line>,
    /// Where it is in its life.
    pub status: Status,
    /// The time to live it was made with, in seconds.
    pub ttl_seconds: Option<u32>,
    /// The caller's name for the business transaction.
    pub reference: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Reservation {
    /// Whether it is held and its time is up.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.status.state == State::Held && self.status.expires_at.is_some_and(|at| at <= now)
    }

    /// Whether a hold asks for the same.
    pub(crate) fn is_same_as(
        &self,
        lines: &[(StockKey, Quantity)],
        ttl_seconds: Option<u32>,
        reference: Option<&str>,
    ) -> bool {
        self.ttl_seconds == ttl_seconds
            && self.reference.as_deref() == reference
            && self.has_lines(lines)
    }

    pub(crate) fn has_lines(&self, lines: &[(StockKey, Quantity)]) -> bool {
        let own = self.lines.iter().map(|line| (&line.key, line.quantity));
        own.eq(lines.iter().map(|(key, quantity)| (key, *quantity)))
    }

    /// What it still holds, by stock: several lines of one stock count as their sum.
    pub(crate) fn holdings(&self) -> Demand {
        let mut holdings = Demand::default();
        for line in &self.lines {
            match line.remaining() {
                Some(units) if units > 0 => holdings.add(&line.key, units),
                _ => {}
            }
        }
        holdings
    }

    /// The reservation as a reader sees it: a hold that is due has expired. Version and time of
    /// change are those that are recorded.
    #[must_use]
    pub fn visible(mut self, now: Timestamp) -> Self {
        if self.is_due(now) {
            self.resolve_all(Resolution::Expire);
            self.status.state = State::Expired;
        }
        self
    }

    /// Refuses a command that needs one of these states.
    pub(crate) fn require(&self, confirmed_will_do: bool) -> Result<(), Rejection> {
        let Status { state, expires_at, .. } = self.status;
        match state {
            State::Held => Ok(()),
            State::Confirmed if confirmed_will_do => Ok(()),
            State::Expired => {
                Err(Rejection::ReservationExpired { id: self.id.clone(), expired_at: expires_at })
            }
            _ => Err(Rejection::ReservationNotActive { id: self.id.clone(), state }),
        }
    }

    /// Resolves units that it holds, line by line; the caller has checked that there are as many
    /// of each stock.
    pub(crate) fn resolve(&mut self, mut units: Demand, resolution: Resolution) {
        for line in &mut self.lines {
            let units = units.take(&line.key, line.remaining().unwrap_or(0));
            line.resolve(units, resolution);
        }
    }

    /// Resolves all units that it holds.
    pub(crate) fn resolve_all(&mut self, resolution: Resolution) {
        for line in &mut self.lines {
            line.resolve(line.remaining().unwrap_or(0), resolution);
        }
    }

    /// Whether everything is left on every line.
    pub(crate) fn is_whole(&self) -> bool {
        self.lines.iter().all(|line| line.remaining() == Some(line.quantity.get()))
    }

    /// Whether nothing is left on any line.
    pub(crate) fn is_resolved(&self) -> bool {
        self.lines.iter().all(|line| line.remaining() == Some(0))
    }

    /// Counts a change.
    pub(crate) fn touch(&mut self, at: Timestamp) {
        self.status.version += 1;
        self.updated_at = self.updated_at.max(at);
    }

    /// Moves on, and says so.
    pub(crate) fn change(
        &mut self,
        change: Change,
        expires_at: Option<Timestamp>,
        at: Timestamp,
    ) -> Event {
        let from = self.status;
        self.touch(at);
        self.status.expires_at = expires_at;
        self.status.state = match change {
            Change::Extended => from.state,
            Change::Confirmed => State::Confirmed,
            Change::Fulfilled => State::Fulfilled,
            Change::Cancelled => State::Cancelled,
            Change::Expired => State::Expired,
        };
        Event::ReservationChanged { change, id: self.id.clone(), from, to: self.status }
    }
}

/// Units by stock, in the order in which the stocks were first named.
#[derive(Default, Debug)]
pub(crate) struct Demand {
    units: Vec<(StockKey, u64)>,
    /// Finds the position of a stock in `units`.
    index: KeyIndex,
}

impl Demand {
    pub(crate) fn add(&mut self, key: &StockKey, units: u64) {
        match self.find(key) {
            Ok(position) => {
                if let Some((_, sum)) = self.units.get_mut(position) {
                    // Quantities of at most 100 lines: far below what a u64 holds.
                    *sum += units;
                }
            }
            Err(place) => {
                self.index.insert(place, self.units.len());
                self.units.push((key.clone(), units));
            }
        }
    }

    pub(crate) fn of(&self, key: &StockKey) -> u64 {
        let position = self.find(key).ok();
        position.and_then(|position| self.units.get(position)).map_or(0, |(_, units)| *units)
    }

    /// Takes up to `most` units of a stock away; returns how many.
    pub(crate) fn take(&mut self, key: &StockKey, most: u64) -> u64 {
        let position = self.find(key).ok();
        let Some((_, left)) = position.and_then(|position| self.units.get_mut(position)) else {
            return 0;
        };
        let taken = most.min(*left);
        *left -= taken;
        taken
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&StockKey, u64)> {
        self.units.iter().map(|(key, units)| (key, *units))
    }

    fn find(&self, key: &StockKey) -> Result<usize, usize> {
        self.index.find(key, |at| self.units.get(at).map(|(known, _)| known))
    }
}

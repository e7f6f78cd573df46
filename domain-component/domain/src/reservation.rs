//! Reservations: units of one or more stocks that are set aside together.

pub use crate::status::{State, Status};

use crate::{
    demand::Demand,
    event::{Change, Event, Movement},
    key::StockKey,
    quantity::Quantity,
    rejection::Rejection,
    units::Timestamp,
};
use alloc::{string::String, vec::Vec};

/// The largest number of lines in a reservation.
pub const LINES_MAX: usize = 100;

/// The longest time to live of a hold in seconds: 31 days.
pub const TTL_SECONDS_MAX: u32 = 2_678_400;

/// The units that a reservation sets aside of one stock, and what became of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The stock.
    pub key: StockKey,
    /// The units that were set aside at first.
    pub quantity: Quantity,
    /// The units that left the stock.
    pub fulfilled: u64,
    /// The units that were released by a cancellation.
    pub released: u64,
    /// The units that were released because the hold came due.
    pub expired: u64,
}

impl Line {
    /// Creates a line of which no unit is resolved yet.
    #[must_use]
    pub const fn new(key: StockKey, quantity: Quantity) -> Self {
        Self { key, quantity, fulfilled: 0, released: 0, expired: 0 }
    }

    /// Returns the units that are still set aside, or `None` where more units are resolved than
    /// the line ever had.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        let resolved = self.fulfilled.checked_add(self.released)?.checked_add(self.expired)?;
        self.quantity.get().checked_sub(resolved)
    }

    /// Returns the units that are still set aside; 0 where the stored numbers contradict each
    /// other.
    fn left(&self) -> u64 {
        self.remaining().unwrap_or(0)
    }

    fn resolve(&mut self, units: u64, resolution: Resolution) {
        let resolved = match resolution {
            Resolution::Fulfill => &mut self.fulfilled,
            Resolution::Release => &mut self.released,
            Resolution::Expire => &mut self.expired,
        };
        *resolved += units;
    }
}

/// The way in which units of a line are resolved. Each unit is resolved exactly once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Resolution {
    Fulfill,
    Release,
    Expire,
}

impl Resolution {
    /// Returns the movement of the stock when units are resolved in this way.
    pub(crate) const fn movement(self) -> Movement {
        match self {
            Self::Fulfill => Movement::Fulfilled,
            Self::Release | Self::Expire => Movement::Released,
        }
    }

    /// Returns the change of the reservation when its last units are resolved in this way.
    pub(crate) const fn end(self) -> Change {
        match self {
            Self::Fulfill => Change::Fulfilled,
            Self::Release => Change::Cancelled,
            Self::Expire => Change::Expired,
        }
    }
}

/// Units of one or more stocks that are set aside together under an id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reservation {
    /// The id that the caller has chosen.
    pub id: String,
    /// 1 to [`LINES_MAX`] lines. Several lines may name the same stock.
    pub lines: Vec<Line>,
    /// State, expiry and version.
    pub status: Status,
    /// The time to live that the hold asked for, in seconds; `None` where it never expires.
    pub ttl_seconds: Option<u32>,
    /// The caller's name for the business transaction, such as an order id.
    pub reference: Option<String>,
    /// The time of the hold.
    pub created_at: Timestamp,
    /// The time of the last change.
    pub updated_at: Timestamp,
}

impl Reservation {
    /// Returns whether the reservation is a hold whose expiry has come: `expires_at <= now`.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.status.state == State::Held && self.status.expires_at.is_some_and(|at| at <= now)
    }

    /// Returns whether a hold with these arguments asks for exactly this reservation.
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

    /// Returns whether the lines are these, in this order.
    pub(crate) fn has_lines(&self, lines: &[(StockKey, Quantity)]) -> bool {
        let own = self.lines.iter().map(|line| (&line.key, line.quantity));
        own.eq(lines.iter().map(|(key, quantity)| (key, *quantity)))
    }

    /// Returns the units that are still set aside. A stock of which none are left is not listed.
    pub(crate) fn holdings(&self) -> Demand {
        let mut holdings = Demand::default();
        for line in self.lines.iter().filter(|line| line.left() > 0) {
            holdings.add(&line.key, line.left());
        }
        holdings
    }

    /// Returns the reservation as a reader sees it: a hold that is due has expired. Its version
    /// and its time of change are the recorded ones.
    #[must_use]
    pub fn visible(mut self, now: Timestamp) -> Self {
        if self.is_due(now) {
            self.resolve_all(Resolution::Expire);
            self.status.state = State::Expired;
        }
        self
    }

    /// Checks that the reservation is held.
    ///
    /// # Errors
    /// The errors of [`Reservation::require_active`], and
    /// [`Rejection::ReservationNotActive`] for a confirmed reservation.
    pub(crate) fn require_held(&self) -> Result<(), Rejection> {
        if self.status.state == State::Held { Ok(()) } else { Err(self.wrong_state()) }
    }

    /// Checks that the reservation is held or confirmed.
    ///
    /// # Errors
    /// [`Rejection::ReservationExpired`] or [`Rejection::ReservationNotActive`].
    pub(crate) fn require_active(&self) -> Result<(), Rejection> {
        if self.status.state.is_active() { Ok(()) } else { Err(self.wrong_state()) }
    }

    fn wrong_state(&self) -> Rejection {
        let (id, Status { state, expires_at, .. }) = (self.id.clone(), self.status);
        match state {
            State::Expired => Rejection::ReservationExpired { id, expired_at: expires_at },
            _ => Rejection::ReservationNotActive { id, state },
        }
    }

    /// Resolves units in the order of the lines. The reservation must have as many units of each
    /// stock left; more than that are ignored.
    pub(crate) fn resolve(&mut self, mut units: Demand, resolution: Resolution) {
        for line in &mut self.lines {
            line.resolve(units.take(&line.key, line.left()), resolution);
        }
    }

    /// Resolves all units that are left.
    pub(crate) fn resolve_all(&mut self, resolution: Resolution) {
        for line in &mut self.lines {
            line.resolve(line.left(), resolution);
        }
    }

    /// Returns whether no unit is resolved yet.
    pub(crate) fn is_whole(&self) -> bool {
        self.lines.iter().all(|line| line.remaining() == Some(line.quantity.get()))
    }

    /// Returns whether every unit is resolved.
    pub(crate) fn is_resolved(&self) -> bool {
        self.lines.iter().all(|line| line.remaining() == Some(0))
    }

    /// Counts a change. The time of the last change never goes back.
    pub(crate) fn touch(&mut self, at: Timestamp) {
        self.status.version += 1;
        self.updated_at = self.updated_at.max(at);
    }

    /// Changes the status and returns the event of the change.
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

#[cfg(test)]
#[path = "reservation_tests.rs"]
mod tests;

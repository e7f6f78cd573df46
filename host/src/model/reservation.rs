use super::{LocationId, ProductId, StockKey, Timestamp};

/// The largest number of lines of a reservation, and of a command on one.
pub const LINES_MAX: usize = 100;

/// The longest time to live of a hold, in seconds: 31 days.
pub const TTL_SECONDS_MAX: u32 = 2_678_400;

/// The longest reference of a reservation, in bytes: 256 characters of up to four bytes.
pub const REFERENCE_BYTES_MAX: usize = 1_024;

/// The state of a reservation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the names are the contract's")]
pub enum ReservationState {
    Held,
    Confirmed,
    Fulfilled,
    Cancelled,
    Expired,
}

impl ReservationState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Held, Self::Confirmed, Self::Fulfilled, Self::Cancelled, Self::Expired];

    /// The name of the state, spelled alike wherever the host shows a reservation.
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

    /// Whether the reservation still holds units.
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Held | Self::Confirmed)
    }
}

/// The part of a reservation that can change without a change of a stock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReservationStatus {
    /// The state.
    pub state: ReservationState,
    /// The time at which the hold expires; `None` where it never does.
    pub expires_at: Option<Timestamp>,
    /// The number of accepted changes so far, from 1.
    pub version: u64,
}

/// A line of a command: a quantity of one stock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineRequest {
    /// The stock.
    pub key: StockKey,
    /// The number of units.
    pub quantity: u64,
}

/// A line of a reservation: what the reservation holds, or held, of one stock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReservationLine {
    /// The stock.
    pub key: StockKey,
    /// The units that the line held at first.
    pub quantity: u64,
    /// The units of the line that left the stock.
    pub fulfilled: u64,
    /// The units of the line that were given back.
    pub released: u64,
    /// The units of the line that were freed because the hold expired.
    pub expired: u64,
}

impl ReservationLine {
    /// The units that the line still holds; `None` where the numbers contradict each other.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        let gone = self.fulfilled.checked_add(self.released)?.checked_add(self.expired)?;
        self.quantity.checked_sub(gone)
    }
}

/// A reservation, under its id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reservation {
    /// 1 to 100 lines; several lines can be about one stock.
    pub lines: Vec<ReservationLine>,
    /// The state, the expiry and the version.
    pub status: ReservationStatus,
    /// The time to live that the reservation was made with, in seconds.
    pub ttl_seconds: Option<u32>,
    /// The caller's name for the business transaction.
    pub reference: Option<String>,
    /// The time at which the reservation was made.
    pub created_at: Timestamp,
    /// The time at which the reservation last changed.
    pub updated_at: Timestamp,
}

impl Reservation {
    /// The time at which the reservation expires; `None` where it never will.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        self.status.expires_at.filter(|_| self.status.state == ReservationState::Held)
    }

    /// Whether the reservation is held and expires at `until` or before.
    #[must_use]
    pub fn is_due(&self, until: Timestamp) -> bool {
        self.due_at().is_some_and(|at| at <= until)
    }

    /// The units that the reservation still holds of a stock.
    #[must_use]
    pub fn holds(&self, key: &StockKey) -> u64 {
        if !self.status.state.is_active() {
            return 0;
        }
        let lines = self.lines.iter().filter(|line| line.key == *key);
        lines.map(|line| line.remaining().unwrap_or(0)).sum()
    }
}

/// The conditions that listed reservations meet; a condition that is `None` lets every
/// reservation through.
#[derive(Clone, Default, Debug)]
pub struct ReservationFilter {
    /// A line is about this product.
    pub product_id: Option<ProductId>,
    /// A line is at this location. Where `product_id` is given too, one line meets both.
    pub location_id: Option<LocationId>,
    /// The reservation has this state.
    pub state: Option<ReservationState>,
    /// The reservation has this reference.
    pub reference: Option<String>,
    /// The reservation expires before this time.
    pub expires_before: Option<Timestamp>,
}

impl ReservationFilter {
    /// Whether a reservation, as it is at the time `now`, meets all conditions.
    #[must_use]
    pub fn matches(&self, it: &Reservation, now: Timestamp) -> bool {
        self.matches_but_for_lines(it, now) && self.matches_lines(it)
    }

    /// Whether the lines of a reservation meet the conditions on lines.
    #[must_use]
    pub fn matches_lines(&self, it: &Reservation) -> bool {
        let line = |line: &ReservationLine| {
            self.product_id.as_ref().is_none_or(|id| *id == line.key.product_id)
                && self.location_id.as_ref().is_none_or(|id| *id == line.key.location_id)
        };
        it.lines.iter().any(line)
    }

    /// Whether a reservation meets the conditions that are not on lines. A hold that is due counts
    /// as expired.
    #[must_use]
    pub fn matches_but_for_lines(&self, it: &Reservation, now: Timestamp) -> bool {
        let state = if it.is_due(now) { ReservationState::Expired } else { it.status.state };
        self.state.is_none_or(|wanted| wanted == state)
            && self.reference.as_ref().is_none_or(|own| it.reference.as_ref() == Some(own))
            && self
                .expires_before
                .is_none_or(|before| it.status.expires_at.is_some_and(|at| at < before))
    }
}

/// A scan of reservations, the newest first.
#[derive(Clone, Default, Debug)]
pub struct ReservationScan {
    /// The conditions.
    pub filter: ReservationFilter,
    /// The position after which the scan begins; `None` begins at the newest.
    pub after: Option<u64>,
    /// The most reservations to return.
    pub limit: u32,
    /// The time at which holds are judged as due.
    pub now: Timestamp,
}

/// A page of reservations with their ids, the newest first.
#[derive(Clone, Default, Debug)]
pub struct ReservationPage {
    /// The reservations.
    pub items: Vec<(String, Reservation)>,
    /// The position after which the next page begins; `None` at the end.
    pub next: Option<u64>,
}

use super::{LocationId, ProductId, StockKey, Timestamp};
use serde::{Deserialize, Serialize};

/// Where a reservation is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are the contract's")]
pub enum ReservationState {
    Held,
    Confirmed,
    Fulfilled,
    Cancelled,
    Expired,
}

impl ReservationState {
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

    /// Whether units are still set aside for it.
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Held | Self::Confirmed)
    }
}

/// What changes about a reservation without changing a stock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReservationStatus {
    /// Where it is in its life.
    pub state: ReservationState,
    /// When the hold comes due; none: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Accepted changes so far, from 1.
    pub version: u64,
}

/// How much of one stock a command is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LineRequest {
    /// Which stock.
    pub key: StockKey,
    /// How much.
    pub quantity: u64,
}

/// What a reservation holds, or held, of one stock.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReservationLine {
    /// Of which stock.
    pub key: StockKey,
    /// How much it held at first.
    pub quantity: u64,
    /// Units that left the stock.
    pub fulfilled: u64,
    /// Units given back.
    pub released: u64,
    /// Units freed because the hold came due.
    pub expired: u64,
}

impl ReservationLine {
    /// What it still holds; none where the numbers contradict each other.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        let gone = self.fulfilled.checked_add(self.released)?.checked_add(self.expired)?;
        self.quantity.checked_sub(gone)
    }
}

/// A reservation, under its id.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reservation {
    /// 1 to 100; several may be about one stock.
    pub lines: Vec<ReservationLine>,
    /// Where it is in its life.
    pub status: ReservationStatus,
    /// The time to live it was made with, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u32>,
    /// The caller's name for the business transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Reservation {
    /// When it comes due; none: never, or no longer.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        self.status.expires_at.filter(|_| self.status.state == ReservationState::Held)
    }

    /// Whether it is held and expires not after `until`.
    #[must_use]
    pub fn is_due(&self, until: Timestamp) -> bool {
        self.due_at().is_some_and(|at| at <= until)
    }

    /// What it still holds of a stock.
    #[must_use]
    pub fn holds(&self, key: &StockKey) -> u64 {
        if !self.status.state.is_active() {
            return 0;
        }
        let lines = self.lines.iter().filter(|line| line.key == *key);
        lines.map(|line| line.remaining().unwrap_or(0)).sum()
    }
}

/// Which reservations to list.
#[derive(Clone, Default, Debug)]
pub struct ReservationFilter {
    /// Only with a line about this product.
    pub product_id: Option<ProductId>,
    /// Only with a line at this location; with a product: with a line about both.
    pub location_id: Option<LocationId>,
    /// Only in this state.
    pub state: Option<ReservationState>,
    /// Only with this reference.
    pub reference: Option<String>,
    /// Only those that expire before this.
    pub expires_before: Option<Timestamp>,
}

impl ReservationFilter {
    /// Whether it lets a reservation through, as it is at this time.
    #[must_use]
    pub fn matches(&self, it: &Reservation, now: Timestamp) -> bool {
        self.matches_but_for_lines(it, now) && self.matches_lines(it)
    }

    /// Whether the lines of a reservation do.
    #[must_use]
    pub fn matches_lines(&self, it: &Reservation) -> bool {
        let line = |line: &ReservationLine| {
            self.product_id.as_ref().is_none_or(|id| *id == line.key.product_id)
                && self.location_id.as_ref().is_none_or(|id| *id == line.key.location_id)
        };
        it.lines.iter().any(line)
    }

    /// Whether everything else does. What is held and due counts as expired.
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

/// Which reservations to scan, the newest first.
#[derive(Clone, Default, Debug)]
pub struct ReservationScan {
    /// Which.
    pub filter: ReservationFilter,
    /// Only behind this position.
    pub after: Option<u64>,
    /// At most this many.
    pub limit: u32,
    /// The time as of which.
    pub now: Timestamp,
}

/// A page of reservations with their ids, the newest first.
#[derive(Clone, Default, Debug)]
pub struct ReservationPage {
    /// The reservations.
    pub items: Vec<(String, Reservation)>,
    /// The position behind which to read on; none at the end.
    pub next: Option<u64>,
}

//! The index in memory of holds that come due soon, by stock.
//!
//! An index of all live holds by stock in the database would cost each hold a page per line, and
//! most holds are confirmed or cancelled long before they come due. So the database only has an
//! index by time, and the writer reads ahead in it: it keeps the holds that come due within
//! [`HORIZON_MS`] in memory, by stock. Holds that are already due stay there until they are
//! expired. There are such holds after a stop of the server, or when more holds come due than can
//! be expired at once.
//!
//! The index takes about 40 bytes per line of such a hold. The readers' sums take about 100 bytes
//! for each stock and each millisecond in which units of the stock come due.

use super::rows::{self, Unsigned};
use crate::model::{Reservation, StockKey, Timestamp};
use rpds::RedBlackTreeMapSync;
use rusqlite::{Connection, params};
use std::collections::BTreeSet;

/// How far ahead of the present the writer reads, in milliseconds.
pub(super) const HORIZON_MS: u64 = 60_000;

/// The most holds that one step reads, and the number of lines with which a step ends.
const HOLDS_PER_STEP: u32 = 256;
const LINES_PER_STEP: usize = 1_024;

/// Selects held reservations after a position in the order of expiry and id.
const BEHIND: &str = "SELECT reservation_no, expires_at, reservation_id FROM reservation \
     WHERE state = 1 AND expires_at <= ?3 AND (expires_at, reservation_id) > (?1, ?2) \
     ORDER BY expires_at, reservation_id LIMIT ?4";

/// Selects the units that each line of a reservation still holds.
const HOLDINGS: &str = "SELECT stock_id, quantity - fulfilled - released - expired \
     FROM reservation_line WHERE reservation_no = ?1 AND quantity > fulfilled + released + expired";

const ID: &str = "SELECT reservation_id FROM reservation WHERE reservation_no = ?1";

/// The sums of units that come due, by stock and time, as of one commit. Readers use them. A copy
/// is cheap, because copies share their common parts.
#[derive(Clone, Default)]
pub(super) struct DueSums {
    units: RedBlackTreeMapSync<(i64, Timestamp), u64>,
    /// Units that came due up to this time are one sum per stock, because no reader asks for
    /// earlier times.
    folded_until: Timestamp,
    /// The sums contain every hold that comes due before this time.
    known_before: Timestamp,
}

impl DueSums {
    /// Empty sums. Units that are due by `now` will be one sum per stock.
    pub(super) fn folded(now: Timestamp) -> Self {
        Self { folded_until: now, ..Self::default() }
    }

    /// Adds the result of a step of reading ahead.
    pub(super) fn extend(&mut self, step: &ReadAheadStep) {
        self.apply(&step.changes);
        self.known_before = step.known_before;
    }

    /// The units of the stock that are due by `until`.
    pub(super) fn until(&self, stock_id: i64, until: Timestamp) -> u64 {
        self.units.range((stock_id, 0)..=(stock_id, until)).map(|(_, units)| units).sum()
    }

    /// The latest time for which the sums are exact.
    pub(super) fn exact_until(&self) -> Timestamp {
        self.known_before.saturating_sub(1)
    }

    /// Applies the changes of a commit, or of a step of reading ahead.
    pub(super) fn apply(&mut self, changes: &[DueChange]) {
        for change in changes {
            let at = if change.at <= self.folded_until { 0 } else { change.at };
            let slot = (change.stock_id, at);
            let before = self.units.get(&slot).copied().unwrap_or(0);
            let after = if change.removed {
                before.saturating_sub(change.units)
            } else {
                before.saturating_add(change.units)
            };
            if after == 0 {
                self.units.remove_mut(&slot);
            } else {
                self.units.insert_mut(slot, after);
            }
        }
    }
}

/// The addition of a reservation's line to the index, or its removal.
#[derive(Clone, Copy, Debug)]
pub(super) struct DueChange {
    stock_id: i64,
    /// The time at which the line comes due.
    at: Timestamp,
    /// The number of the reservation.
    number: i64,
    units: u64,
    /// Whether the line is removed; otherwise it is added.
    removed: bool,
}

/// The result of one step of reading ahead.
pub(super) struct ReadAheadStep {
    pub(super) changes: Vec<DueChange>,
    /// The index contains every hold that comes due before this time.
    pub(super) known_before: Timestamp,
    /// Whether more holds may come due within the horizon.
    pub(super) more: bool,
}

/// The writer's index of reservations that come due, by stock and time.
#[derive(Default)]
pub(super) struct DueIndex {
    /// Numbers of stocks, times of expiry, and numbers of reservations.
    by_stock: BTreeSet<(i64, Timestamp, i64)>,
    /// The index contains every hold up to this position in the order of expiry and id.
    known: (Timestamp, String),
}

impl DueIndex {
    /// The index contains every hold that comes due before this time.
    pub(super) fn known_before(&self) -> Timestamp {
        self.known.0
    }

    /// Reads ahead by one step, up to the horizon.
    pub(super) fn read_ahead(
        &mut self,
        connection: &Connection,
        now: Timestamp,
    ) -> rusqlite::Result<ReadAheadStep> {
        let until = now.saturating_add(HORIZON_MS);
        let (mut changes, mut last, mut holds) = (Vec::new(), None, 0);
        let mut behind = connection.prepare_cached(BEHIND)?;
        let mut holdings = connection.prepare_cached(HOLDINGS)?;
        let (at, id) = &self.known;
        let mut found =
            behind.query(params![Unsigned(*at), id, Unsigned(until), HOLDS_PER_STEP])?;
        while let Some(row) = found.next()? {
            let (number, at): (i64, _) = (row.get(0)?, rows::unsigned(row, 1)?);
            let mut lines = holdings.query([number])?;
            while let Some(line) = lines.next()? {
                let (stock_id, units) = (line.get(0)?, rows::unsigned(line, 1)?);
                changes.push(DueChange { stock_id, at, number, units, removed: false });
            }
            last = Some((at, row.get(2)?));
            holds += 1;
            if changes.len() >= LINES_PER_STEP {
                break;
            }
        }
        let more = holds == HOLDS_PER_STEP || changes.len() >= LINES_PER_STEP;
        self.known = match last {
            Some(place) if more => place,
            _ => (until.saturating_add(1), String::new()),
        };
        self.apply(&changes);
        Ok(ReadAheadStep { changes, known_before: self.known.0, more })
    }

    /// Adds to `changes` the changes of the index that result from a change of a reservation from
    /// `before` to `after`. The index itself stays as it is until [`DueIndex::apply`].
    pub(super) fn collect_changes(
        &self,
        id: &str,
        number: i64,
        before: Option<&Reservation>,
        after: Option<&Reservation>,
        stock_id: &dyn Fn(&StockKey) -> rusqlite::Result<i64>,
        changes: &mut Vec<DueChange>,
    ) -> rusqlite::Result<()> {
        for (reservation, removed) in [(before, true), (after, false)] {
            let Some(reservation) = reservation else { continue };
            let Some(at) = reservation.due_at().filter(|at| self.knows(*at, id)) else { continue };
            for line in &reservation.lines {
                let units = line.remaining().unwrap_or(0);
                if units > 0 {
                    let stock_id = stock_id(&line.key)?;
                    changes.push(DueChange { stock_id, at, number, units, removed });
                }
            }
        }
        Ok(())
    }

    /// Whether the position of a hold in the order of expiry and id is within the index.
    fn knows(&self, at: Timestamp, id: &str) -> bool {
        (at, id) <= (self.known.0, self.known.1.as_str())
    }

    /// Applies the changes of a commit, or of a step of reading ahead.
    pub(super) fn apply(&mut self, changes: &[DueChange]) {
        for DueChange { stock_id, at, number, removed, .. } in changes {
            let entry = (*stock_id, *at, *number);
            if *removed {
                self.by_stock.remove(&entry);
            } else {
                self.by_stock.insert(entry);
            }
        }
    }

    /// The ids of up to `limit` reservations that hold units of the stock and are due by `until`,
    /// the longest due first.
    pub(super) fn due_on(
        &self,
        connection: &Connection,
        stock_id: i64,
        until: Timestamp,
        limit: u32,
    ) -> rusqlite::Result<Vec<String>> {
        let due = self.by_stock.range((stock_id, 0, 0)..=(stock_id, until, i64::MAX));
        let numbers = due.map(|(_, _, number)| number);
        let mut id = connection.prepare_cached(ID)?;
        numbers
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .map(|number| id.query_row([number], |row| row.get(0)))
            .collect()
    }
}

#[cfg(test)]
#[path = "due_tests.rs"]
mod tests;

//! The chains of the events of a stock and of a reservation. Each event names the previous one of
//! its chain. Anchors are stored at intervals, so that a chain can be entered near any of its
//! events.

use super::{
    handles::StockHandle,
    rows::{Unsigned, unsigned},
};
use rusqlite::{Connection, OptionalExtension, params};

/// The sequences of some events, in ascending order.
#[derive(Default)]
pub(super) struct EventSequences {
    /// The sequences.
    pub(super) sequences: Vec<u64>,
    /// Whether more events follow.
    pub(super) more: bool,
}

/// The number of events of a stock from one anchor of its chain to the next.
pub(super) const ANCHOR_SPACING: u64 = 64;

const LINK: &str = "SELECT ordinal, previous FROM event_row WHERE sequence = ?1 AND stock_id = ?2";

const ANCHOR: &str =
    "SELECT ordinal, sequence FROM ledger_anchor WHERE stock_id = ?1 AND ordinal >= ?2 LIMIT 1";

/// The ordinal of an event in its stock's chain, from 1, and the sequence of the previous event of
/// the chain. Returns `None` where the event is not one of the stock.
pub(super) fn link(
    connection: &Connection,
    stock_id: i64,
    sequence: u64,
) -> rusqlite::Result<Option<(u64, Option<u64>)>> {
    connection
        .prepare_cached(LINK)?
        .query_row(params![Unsigned(sequence), stock_id], |row| {
            let previous: Option<Unsigned> = row.get(1)?;
            Ok((unsigned(row, 0)?, previous.map(|sequence| sequence.0)))
        })
        .optional()
}

/// The sequence of the event with this ordinal in the stock's chain. The search begins at the next
/// anchor, or at the end of the chain, and goes backwards.
pub(super) fn at_ordinal(
    connection: &Connection,
    handle: &StockHandle,
    ordinal: u64,
) -> rusqlite::Result<Option<u64>> {
    let anchor = connection
        .prepare_cached(ANCHOR)?
        .query_row(params![handle.stock_id, Unsigned(ordinal)], |row| {
            Ok((unsigned(row, 0)?, unsigned(row, 1)?))
        })
        .optional()?;
    let (mut at, mut sequence) = anchor.unwrap_or((handle.event_count, handle.last_event));
    while at > ordinal {
        let Some((_, Some(previous))) = link(connection, handle.stock_id, sequence)? else {
            return Ok(None);
        };
        (at, sequence) = (at - 1, previous);
    }
    Ok(Some(sequence))
}

/// The sequences of the first event of a stock and of its last event up to the sequence `until`.
/// Returns `None` where the stock had no event by then.
pub(super) fn first_and_last_until(
    connection: &Connection,
    handle: &StockHandle,
    until: u64,
) -> rusqlite::Result<Option<(u64, u64)>> {
    let first = at_ordinal(connection, handle, 1)?;
    let Some(first) = first.filter(|first| *first <= until) else { return Ok(None) };
    let (_, last) = last_until(connection, handle, (1, first), until)?;
    Ok(Some((first, last)))
}

/// The ordinal and the sequence of the last event up to the sequence `until`, by binary search over
/// ordinals. `from` is the ordinal and the sequence of an event up to `until`, or zeros. The
/// anchors bound the cost of each step.
fn last_until(
    connection: &Connection,
    handle: &StockHandle,
    from: (u64, u64),
    until: u64,
) -> rusqlite::Result<(u64, u64)> {
    if handle.last_event <= until {
        return Ok((handle.event_count, handle.last_event));
    }
    let (mut low, mut high) = (from, handle.event_count);
    while low.0 < high {
        let middle = low.0 + (high - low.0).div_ceil(2);
        match at_ordinal(connection, handle, middle)? {
            Some(sequence) if sequence <= until => low = (middle, sequence),
            _ => high = middle - 1,
        }
    }
    Ok(low)
}

/// Up to `most` events of a stock after the sequence `after`.
pub(super) fn of_stock(
    connection: &Connection,
    handle: &StockHandle,
    after: u64,
    most: usize,
) -> rusqlite::Result<EventSequences> {
    let (passed, _) = last_until(connection, handle, (0, 0), after)?;
    let last = handle.event_count.min(passed.saturating_add(most as u64));
    let mut sequences = Vec::new();
    let mut next = if last > passed { at_ordinal(connection, handle, last)? } else { None };
    for _ in passed..last {
        let Some(sequence) = next else { break };
        sequences.push(sequence);
        next = link(connection, handle.stock_id, sequence)?.and_then(|(_, previous)| previous);
    }
    sequences.reverse();
    Ok(EventSequences { sequences, more: last < handle.event_count })
}

/// The number of versions of a reservation from one anchor of its chain to the next. A version has
/// a bounded number of events.
const VERSIONS_PER_ANCHOR: u64 = 16;

/// Whether a commit that takes a reservation from version `before` to version `after` must write an
/// anchor.
pub(super) fn makes_anchor(before: u64, after: u64) -> bool {
    before / VERSIONS_PER_ANCHOR != after / VERSIONS_PER_ANCHOR
}

const INSERT_RESERVATION_ANCHOR: &str =
    "INSERT OR IGNORE INTO reservation_anchor (reservation_no, sequence) VALUES (?1, ?2)";

/// Writes an anchor at the latest event of a reservation.
pub(super) fn write_anchor(
    connection: &Connection,
    number: i64,
    sequence: u64,
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(INSERT_RESERVATION_ANCHOR)?;
    insert.execute(params![number, Unsigned(sequence)]).map(|_| ())
}

const RESERVATION: &str =
    "SELECT reservation_no, last_event FROM reservation WHERE reservation_id = ?1";

const RESERVATION_ANCHOR: &str = "SELECT sequence FROM reservation_anchor \
     WHERE reservation_no = ?1 AND sequence > ?2 ORDER BY sequence LIMIT 1";

const RESERVATION_LINK: &str = "SELECT reservation_previous FROM event_row WHERE sequence = ?1";

/// The events of a reservation after the sequence `after`: at least `most` of them, or all. The
/// list ends at an anchor or at the last event, so it may be longer than `most`.
pub(super) fn of_reservation(
    connection: &Connection,
    id: &str,
    after: u64,
    most: usize,
) -> rusqlite::Result<EventSequences> {
    let found = connection
        .prepare_cached(RESERVATION)?
        .query_row([id], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<Unsigned>>(1)?)))
        .optional()?;
    let Some((number, Some(Unsigned(last)))) = found else { return Ok(EventSequences::default()) };
    let mut anchor = connection.prepare_cached(RESERVATION_ANCHOR)?;
    let mut previous = connection.prepare_cached(RESERVATION_LINK)?;
    let (mut sequences, mut passed) = (Vec::new(), after);
    while passed < last && sequences.len() < most {
        let end = anchor
            .query_row(params![number, Unsigned(passed)], |row| unsigned(row, 0))
            .optional()?
            .unwrap_or(last);
        let from = sequences.len();
        let mut next = Some(end);
        while let Some(sequence) = next.filter(|sequence| *sequence > passed) {
            sequences.push(sequence);
            next = previous
                .query_row([Unsigned(sequence)], |row| row.get::<_, Option<Unsigned>>(0))?
                .map(|sequence| sequence.0);
        }
        if let Some(new) = sequences.get_mut(from..) {
            new.reverse();
        }
        passed = end;
    }
    Ok(EventSequences { sequences, more: passed < last })
}

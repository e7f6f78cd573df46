//! The events about a stock, as a chain that can be entered anywhere.

use super::rows::{Unsigned, unsigned};
use crate::store::Handle;
use rusqlite::{Connection, OptionalExtension, params};

/// The chain of a stock's events can be entered at every so many of them.
pub(super) const ANCHOR_SPACING: u64 = 64;

const LINK: &str = "SELECT ordinal, previous FROM event WHERE sequence = ?1 AND stock_id = ?2";

const ANCHOR: &str =
    "SELECT ordinal, sequence FROM ledger_anchor WHERE stock_id = ?1 AND ordinal >= ?2 LIMIT 1";

/// An event's place in its stock's ledger, and the event before it; none where it is not
/// about the stock.
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

/// The sequence of the event with this place in the ledger, found from the nearest anchor
/// behind it.
pub(super) fn at_ordinal(
    connection: &Connection,
    handle: &Handle,
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

/// The sequences of the first event, and of the last one up to a sequence; none where there was
/// none yet. Events come by rising ordinal, so it is found by halving: the anchors keep each
/// look short.
pub(super) fn first_and_last_until(
    connection: &Connection,
    handle: &Handle,
    until: u64,
) -> rusqlite::Result<Option<(u64, u64)>> {
    let first = at_ordinal(connection, handle, 1)?;
    let Some(first) = first.filter(|first| *first <= until) else { return Ok(None) };
    let (mut low, mut high) = ((1, first), handle.event_count);
    while low.0 < high {
        let middle = low.0 + (high - low.0).div_ceil(2);
        match at_ordinal(connection, handle, middle)? {
            Some(sequence) if sequence <= until => low = (middle, sequence),
            _ => high = middle - 1,
        }
    }
    Ok(Some((first, low.1)))
}

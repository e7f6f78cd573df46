//! The end of the event log.

use super::rows::unsigned;
use crate::store::LogEnd;
use rusqlite::{Connection, OptionalExtension};

/// The sequence of the last event; 0 where there is none.
pub(super) fn last_sequence(connection: &Connection) -> rusqlite::Result<u64> {
    connection
        .prepare_cached("SELECT coalesce(max(sequence), 0) FROM event_row")?
        .query_row([], |row| unsigned(row, 0))
}

/// The sequence and the time of the last event; both 0 where there is none.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<LogEnd> {
    connection
        .prepare_cached("SELECT sequence, at FROM event_row ORDER BY sequence DESC LIMIT 1")?
        .query_row([], |row| Ok(LogEnd { sequence: unsigned(row, 0)?, at: unsigned(row, 1)? }))
        .optional()
        .map(Option::unwrap_or_default)
}

//! Commands as they were decided, for replays.

use super::rows::{Unsigned, broken, optional, unsigned};
use crate::model::{Digest, Recorded, State};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Serialize, de::DeserializeOwned};

/// How many more than were added may be dropped with one commit, where the bound was lowered.
const SURPLUS_DROPPED_MAX: u64 = 256;

fn json<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

fn parsed<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|error| broken(column, &error.to_string()))
}

/// Adds some, and drops as many of the oldest as there are too many.
pub(super) fn write(
    connection: &Connection,
    recorded: &[Recorded],
    most: u64,
    mut number: impl FnMut(Digest) -> rusqlite::Result<i64>,
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO command (at, component_id, first_sequence, event_count, command, decision, \
         replaced) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for it in recorded {
        let replaced = (!it.replaced.is_empty()).then(|| json(&it.replaced)).transpose()?;
        insert.execute(params![
            Unsigned(it.at),
            number(it.component)?,
            it.first_sequence.map(Unsigned),
            Unsigned(it.event_count),
            json(&it.command)?,
            json(&it.decision)?,
            replaced,
        ])?;
    }
    let last = u64::try_from(connection.last_insert_rowid()).unwrap_or_default();
    connection
        .prepare_cached(
            "DELETE FROM command WHERE command_no IN \
             (SELECT command_no FROM command WHERE command_no <= ?1 ORDER BY command_no LIMIT ?2)",
        )?
        .execute(params![
            Unsigned(last.saturating_sub(most)),
            Unsigned(recorded.len() as u64 + SURPLUS_DROPPED_MAX)
        ])
        .map(|_| ())
}

/// Forgets them all: what happens unrecorded makes them useless.
pub(super) fn forget(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM command", []).map(|_| ())
}

/// Whether there are any.
pub(super) fn any(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM command)", [], |row| row.get(0))
}

/// The number of the last one; 0: there is none.
pub(super) fn last(connection: &Connection) -> rusqlite::Result<u64> {
    connection
        .prepare_cached("SELECT coalesce(max(command_no), 0) FROM command")?
        .query_row([], |row| unsigned(row, 0))
}

/// Some of them behind a number.
pub(super) fn page(
    connection: &Connection,
    after: u64,
    limit: u32,
) -> rusqlite::Result<Vec<(u64, Recorded)>> {
    connection
        .prepare_cached(
            "SELECT command_no, at, digest, first_sequence, event_count, command, decision, \
             replaced FROM command JOIN component USING (component_id) WHERE command_no > ?1 \
             ORDER BY command_no LIMIT ?2",
        )?
        .query_map(params![Unsigned(after), limit], |row| {
            let replaced = match row.get_ref(7)? {
                rusqlite::types::ValueRef::Null => State::default(),
                _ => parsed(row, 7)?,
            };
            let recorded = Recorded {
                at: unsigned(row, 1)?,
                component: Digest(row.get(2)?),
                first_sequence: optional(row, 3)?,
                event_count: unsigned(row, 4)?,
                command: parsed(row, 5)?,
                decision: parsed(row, 6)?,
                replaced,
            };
            Ok((unsigned(row, 0)?, recorded))
        })?
        .collect()
}

/// The number of the one that an event belongs to.
pub(super) fn with_event(connection: &Connection, sequence: u64) -> rusqlite::Result<Option<u64>> {
    connection
        .prepare_cached(
            "SELECT command_no, first_sequence, event_count FROM command \
             WHERE first_sequence <= ?1 ORDER BY first_sequence DESC LIMIT 1",
        )?
        .query_row([Unsigned(sequence)], |row| {
            let end = unsigned(row, 1)?.saturating_add(unsigned(row, 2)?);
            Ok((sequence < end).then_some(unsigned(row, 0)?))
        })
        .optional()
        .map(Option::flatten)
}

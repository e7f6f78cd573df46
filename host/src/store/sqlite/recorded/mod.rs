//! Recorded commands: commands as they were decided, kept for replays.
//!
//! The command, the decision and the state before it are stored as JSON. The conversions in this
//! folder define the form of that JSON. The column `form` has the version of the form.

mod command;
mod decision;
mod parts;
#[cfg(test)]
mod tests;

use super::rows::{Unsigned, invalid_column, optional, unsigned};
use crate::model::{Digest, InvalidId, Recorded, StateBefore};
use command::CommandRow;
use decision::{DecidedRow, StateBeforeRow};
use rusqlite::{Connection, OptionalExtension, Row, params, types::ValueRef};
use serde::{Serialize, de::DeserializeOwned};

/// The form in which rows are written; rows of every form from 1 to this one can be read. Form 1
/// spelled one command `fulfil`; form 2 spells it `fulfill`.
const FORM: u32 = 2;

/// The most rows that one commit deletes beyond the number of rows that it inserts. The bound
/// spreads the work over many commits after an operator has lowered `RECORDED_COMMANDS_MAX`.
const SURPLUS_DELETED_MAX: u64 = 256;

fn json<T: Serialize>(row: &T) -> rusqlite::Result<String> {
    serde_json::to_string(row)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// A value from the JSON text in a column.
fn parsed<R, T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    R: DeserializeOwned,
    T: TryFrom<R, Error = InvalidId>,
{
    let text = row.get_ref(column)?.as_str()?;
    let stored: R =
        serde_json::from_str(text).map_err(|error| invalid_column(column, &error.to_string()))?;
    T::try_from(stored).map_err(|error| invalid_column(column, &error.to_string()))
}

/// Inserts recorded commands, and deletes the oldest rows while the table has more than `most`.
/// `number` maps the digest of a component to its number.
pub(super) fn write(
    connection: &Connection,
    recorded: &[Recorded],
    most: u64,
    mut number: impl FnMut(Digest) -> rusqlite::Result<i64>,
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO command (at, component_id, first_sequence, event_count, command, decision, \
         replaced, form) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for it in recorded {
        let replaced = (!it.replaced.is_empty()).then(|| StateBeforeRow::from(&it.replaced));
        insert.execute(params![
            Unsigned(it.at),
            number(it.component)?,
            it.first_sequence.map(Unsigned),
            Unsigned(it.event_count),
            json(&CommandRow::from(&it.command))?,
            json(&DecidedRow::from(&it.decision))?,
            replaced.as_ref().map(json).transpose()?,
            FORM,
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
            Unsigned(recorded.len() as u64 + SURPLUS_DELETED_MAX)
        ])
        .map(|_| ())
}

/// Deletes all recorded commands. Recorded commands become useless once a command is carried out
/// without being recorded, because the state before them cannot be reconstructed any more.
pub(super) fn delete_all(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM command", []).map(|_| ())
}

/// Whether the table has recorded commands.
pub(super) fn any(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM command)", [], |row| row.get(0))
}

/// The number of the last recorded command; 0 where there is none.
pub(super) fn last(connection: &Connection) -> rusqlite::Result<u64> {
    connection
        .prepare_cached("SELECT coalesce(max(command_no), 0) FROM command")?
        .query_row([], |row| unsigned(row, 0))
}

/// Up to `limit` recorded commands that follow the number `after`, with their numbers, in order.
pub(super) fn page(
    connection: &Connection,
    after: u64,
    limit: u32,
) -> rusqlite::Result<Vec<(u64, Recorded)>> {
    connection
        .prepare_cached(
            "SELECT command_no, at, digest, first_sequence, event_count, command, decision, \
             replaced, form FROM command JOIN component USING (component_id) \
             WHERE command_no > ?1 ORDER BY command_no LIMIT ?2",
        )?
        .query_map(params![Unsigned(after), limit], numbered)?
        .collect()
}

/// A recorded command and its number, from the columns that [`page`] selects.
fn numbered(row: &Row<'_>) -> rusqlite::Result<(u64, Recorded)> {
    let form: u32 = row.get(8)?;
    if !(1..=FORM).contains(&form) {
        let what = format!("a recorded command has form {form}; forms 1 to {FORM} are known");
        return Err(invalid_column(8, &what));
    }
    let replaced = match row.get_ref(7)? {
        ValueRef::Null => StateBefore::default(),
        _ => parsed::<StateBeforeRow<'static>, _>(row, 7)?,
    };
    let recorded = Recorded {
        at: unsigned(row, 1)?,
        component: Digest(row.get(2)?),
        first_sequence: optional(row, 3)?,
        event_count: unsigned(row, 4)?,
        command: parsed::<CommandRow<'static>, _>(row, 5)?,
        decision: parsed::<DecidedRow<'static>, _>(row, 6)?,
        replaced,
    };
    Ok((unsigned(row, 0)?, recorded))
}

/// The number of the recorded command that produced the event of this sequence; `None` where that
/// command was not recorded.
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

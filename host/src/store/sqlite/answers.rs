//! Answers to requests that may be sent again.

use super::{connection::failed, rows::Unsigned};
use crate::{
    model::{StoreFailure, Timestamp},
    store::{Answered, RequestKey},
};
use rusqlite::{Connection, OptionalExtension, params};

const FIND: &str =
    "SELECT fingerprint, response FROM answer WHERE caller = ?1 AND key = ?2 AND at >= ?3";

/// A key that is old enough to be forgotten may be taken again before it is.
const WRITE: &str = "INSERT OR REPLACE INTO answer (caller, key, fingerprint, at, response) \
     VALUES (?1, ?2, ?3, ?4, ?5)";

/// The numbers rise with the time, so the oldest are the first.
const FORGET: &str = "DELETE FROM answer WHERE answer_no IN \
     (SELECT answer_no FROM answer ORDER BY answer_no LIMIT ?2) AND at < ?1";

pub(super) fn find(
    connection: &Connection,
    key: &RequestKey,
    since: Timestamp,
) -> Result<Option<Answered>, StoreFailure> {
    connection
        .prepare_cached(FIND)
        .and_then(|mut statement| {
            statement
                .query_row(params![key.caller, key.key, Unsigned(since)], |row| {
                    Ok(Answered { fingerprint: row.get(0)?, response: row.get(1)? })
                })
                .optional()
        })
        .map_err(failed("looking for an earlier answer"))
}

pub(super) fn write(
    connection: &Connection,
    key: &RequestKey,
    answered: &Answered,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let Answered { fingerprint, response } = answered;
    let mut statement = connection.prepare_cached(WRITE)?;
    statement.execute(params![key.caller, key.key, fingerprint, Unsigned(now), response])?;
    Ok(())
}

pub(super) fn forget(
    connection: &Connection,
    before: Timestamp,
    limit: u32,
) -> Result<usize, StoreFailure> {
    connection
        .prepare_cached(FORGET)
        .and_then(|mut statement| statement.execute(params![Unsigned(before), limit]))
        .map_err(failed("forgetting old answers"))
}

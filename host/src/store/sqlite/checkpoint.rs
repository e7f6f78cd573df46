//! Moves the write-ahead log into the database file, and keeps the promises of `file_match.rs`
//! about the mark while it does.

use super::mark::{self, FileState, Mark};
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

/// Moves what no reader and no writer is in the way of; waits for nobody.
const PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";
/// Waits for readers of older snapshots.
const FULL: &str = "PRAGMA wal_checkpoint(FULL)";
/// Waits for readers of the log, so that the next commit begins a new one.
const RESTART: &str = "PRAGMA wal_checkpoint(RESTART)";
/// Does that, and cuts the log to no length.
const TRUNCATE: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// Moves nothing.
const NOOP: &str = "PRAGMA wal_checkpoint(NOOP)";

/// Pages in the log as this process knows it, also those that were moved.
///
/// # Errors
/// Where SQLite fails, or the connection is within a transaction.
pub(super) fn pages_in_log(connection: &Connection) -> rusqlite::Result<u64> {
    let pages: i64 = connection.query_row(NOOP, [], |row| row.get(1))?;
    Ok(u64::try_from(pages).unwrap_or(0))
}

/// Makes the database file whole and the log empty. Nobody else may write meanwhile.
///
/// # Errors
/// Where SQLite fails, or somebody reads. The log belongs to the database file all the same.
pub(super) fn truncate_log(connection: &mut Connection) -> rusqlite::Result<()> {
    // A checkpoint moves pages in their order, the mark among them: so that a kill in its midst
    // leaves no mark that says more than is true, nothing else is left to be moved with it.
    if !run_to_the_end(connection, FULL)? {
        return Err(busy("moved"));
    }
    if Mark::find(connection)?.is_some() {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        mark::renew(&transaction, FileState::Whole)?;
        transaction.commit()?;
    }
    match connection.query_row(TRUNCATE, [], |row| row.get(0))? {
        false => Ok(()),
        true => Err(busy("emptied")),
    }
}

/// Before a process serves: moves what the last one has left in the log, and a mark that says that
/// the database file may need a log from now on. Then a new log begins.
///
/// A process that was killed may have left commits in the log that are in the system's memory
/// only, and whose sync has failed: here they become durable, or the start is told of it, before
/// anything is built on them.
///
/// # Errors
/// Where SQLite fails. The log belongs to the database file all the same.
pub(super) fn start_log(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    mark::renew(&transaction, FileState::NeedsLog)?;
    transaction.commit()?;
    if checkpoint_all(connection)? && restart_log(connection)? {
        Ok(())
    } else {
        Err(busy("moved"))
    }
}

/// Moves all of the log, and the mark of the latest commit with it. Returns false where a reader
/// of an older snapshot or another checkpoint is in the way.
pub(super) fn checkpoint_all(connection: &Connection) -> rusqlite::Result<bool> {
    run_to_the_end(connection, PASSIVE)
}

/// Behind a checkpoint that moved all of the log: commits another mark. A new log begins with it
/// unless somebody still reads the old one, and a backup of the database file from before that
/// checkpoint does not fit the new log. Returns false where somebody else writes.
pub(super) fn restart_log(connection: &mut Connection) -> rusqlite::Result<bool> {
    let Some(transaction) = begin_at_once(connection)? else { return Ok(false) };
    mark::renew(&transaction, FileState::NeedsLog)?;
    transaction.commit()?;
    Ok(true)
}

/// Moves all of the log, and then a mark that says that the database file is whole. Returns false
/// where somebody reads or writes, or `still_quiet` says so once nobody else can commit. The log
/// stays as it is until the first commit of the next log overwrites it.
pub(super) fn mark_whole(
    connection: &mut Connection,
    still_quiet: impl FnOnce() -> bool,
) -> rusqlite::Result<bool> {
    if !checkpoint_all(connection)? {
        return Ok(false);
    }
    let Some(transaction) = begin_at_once(connection)? else { return Ok(false) };
    if !still_quiet() {
        return Ok(false);
    }
    mark::renew(&transaction, FileState::Whole)?;
    transaction.commit()?;
    checkpoint_all(connection)
}

/// Moves what can be moved without waiting. Returns whether SQLite succeeded. A failure loses
/// nothing: the log keeps all that was not moved.
pub(super) fn checkpoint_some(connection: &Connection) -> bool {
    report(connection, PASSIVE)
}

/// Waits until all of the log is moved and nobody reads it, so that the next commit begins a new
/// log.
pub(super) fn wait_and_restart_log(connection: &Connection) {
    report(connection, RESTART);
}

/// A transaction, unless somebody else writes.
fn begin_at_once(connection: &mut Connection) -> rusqlite::Result<Option<Transaction<'_>>> {
    match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(transaction) => Ok(Some(transaction)),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(None),
        Err(error) => Err(error),
    }
}

fn run_to_the_end(connection: &Connection, statement: &str) -> rusqlite::Result<bool> {
    connection.query_row(statement, [], |row| {
        let (busy, pages, moved): (bool, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(!busy && pages == moved)
    })
}

/// Runs a checkpoint. Returns whether it succeeded.
fn report(connection: &Connection, statement: &str) -> bool {
    match connection.prepare_cached(statement).and_then(|mut it| it.query_row([], |_| Ok(()))) {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, "the write-ahead log could not be checkpointed");
            false
        }
    }
}

fn busy(not_done: &str) -> rusqlite::Error {
    let cause = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
    let message = format!("the write-ahead log is being read, so that it cannot be {not_done}");
    rusqlite::Error::SqliteFailure(cause, Some(message))
}

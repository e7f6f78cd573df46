//! Checkpoints copy the committed pages of the write-ahead log into the database file. The
//! functions here keep the invariants of the mark (`file_match.rs`).

use super::mark::{self, FileState, Mark};
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

/// Copies as many pages as possible without waiting. Readers of older snapshots limit the pages.
const PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";
/// Waits for writers and for readers of older snapshots, and copies all pages.
const FULL: &str = "PRAGMA wal_checkpoint(FULL)";
/// As `FULL`, and then waits until no reader uses the log, so that the next commit restarts it.
const RESTART: &str = "PRAGMA wal_checkpoint(RESTART)";
/// As `RESTART`, and then truncates the log to zero bytes.
const TRUNCATE: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// Copies nothing and reports the number of pages.
const NOOP: &str = "PRAGMA wal_checkpoint(NOOP)";

/// The number of pages in the log as this process knows it, including checkpointed ones.
///
/// # Errors
/// SQLite fails, or the connection is within a transaction.
pub(super) fn pages_in_log(connection: &Connection) -> rusqlite::Result<u64> {
    let pages: i64 = connection.query_row(NOOP, [], |row| row.get(1))?;
    Ok(u64::try_from(pages).unwrap_or(0))
}

/// Makes the database file whole and truncates the log. Nobody else may write meanwhile.
///
/// # Errors
/// SQLite fails, or a reader uses the log. The log still matches the database file then.
pub(super) fn truncate_log(connection: &mut Connection) -> rusqlite::Result<()> {
    // A checkpoint copies pages in the order of their numbers, the mark's page among them. All
    // other pages are copied before the mark says "whole", so that a kill during the last
    // checkpoint cannot leave a false mark.
    if !run_checkpoint(connection, FULL)? {
        return Err(busy("checkpointed"));
    }
    if Mark::find(connection)?.is_some() {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        mark::renew(&transaction, FileState::Whole)?;
        transaction.commit()?;
    }
    match connection.query_row(TRUNCATE, [], |row| row.get(0))? {
        false => Ok(()),
        true => Err(busy("truncated")),
    }
}

/// Before a process serves: commits a mark that says that the database file may need its log,
/// checkpoints everything that the previous process left in the log, and restarts the log.
///
/// The previous process may have been killed after a sync had failed, with commits in the log that
/// are only in the operating system's cache. The function makes such commits durable, or fails,
/// before new commits depend on them.
///
/// # Errors
/// SQLite fails. The log still matches the database file then.
pub(super) fn start_log(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    mark::renew(&transaction, FileState::NeedsLog)?;
    transaction.commit()?;
    if checkpoint_all(connection)? && restart_log(connection)? {
        Ok(())
    } else {
        Err(busy("checkpointed"))
    }
}

/// Checkpoints the whole log without waiting. Returns false where a reader of an older snapshot or
/// another checkpoint prevents that.
pub(super) fn checkpoint_all(connection: &Connection) -> rusqlite::Result<bool> {
    run_checkpoint(connection, PASSIVE)
}

/// After [`checkpoint_all`]: commits another mark, which restarts the log unless a reader still
/// uses it. A backup of the database file from before the checkpoint does not match the restarted
/// log. Returns false where another connection writes.
pub(super) fn restart_log(connection: &mut Connection) -> rusqlite::Result<bool> {
    let Some(transaction) = begin_at_once(connection)? else { return Ok(false) };
    mark::renew(&transaction, FileState::NeedsLog)?;
    transaction.commit()?;
    Ok(true)
}

/// Checkpoints the whole log, commits a mark that says that the database file is whole, and
/// checkpoints that mark. Returns false where a reader or a writer prevents that, or where
/// `still_quiet`, called when nobody else can commit, returns false. The log keeps its content
/// until the next commit restarts it.
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

/// Checkpoints as many pages as possible without waiting. Returns whether SQLite succeeded. A
/// failure loses nothing: pages that were not copied stay in the log.
pub(super) fn checkpoint_some(connection: &Connection) -> bool {
    run_or_warn(connection, PASSIVE)
}

/// Checkpoints the whole log and waits until no reader uses it, so that the next commit restarts
/// it.
pub(super) fn wait_and_restart_log(connection: &Connection) {
    run_or_warn(connection, RESTART);
}

/// Begins a transaction without waiting. Returns `None` where another connection writes.
fn begin_at_once(connection: &mut Connection) -> rusqlite::Result<Option<Transaction<'_>>> {
    match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(transaction) => Ok(Some(transaction)),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Runs a checkpoint. Returns whether it has copied every page of the log.
fn run_checkpoint(connection: &Connection, statement: &str) -> rusqlite::Result<bool> {
    connection.query_row(statement, [], |row| {
        let (busy, pages, copied): (bool, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(!busy && pages == copied)
    })
}

/// Runs a checkpoint and logs an error. Returns whether SQLite succeeded.
fn run_or_warn(connection: &Connection, statement: &str) -> bool {
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
    let message = format!("a reader uses the write-ahead log, so it cannot be {not_done}");
    rusqlite::Error::SqliteFailure(cause, Some(message))
}

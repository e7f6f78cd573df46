use crate::model::{QueryDeadline, StoreFailure};
use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};
use std::{path::Path, time::Duration};

/// Pages that a connection keeps in memory, in KiB: the writer's are those that change, a reader
/// finds the rest in the system's cache.
const WRITER_CACHE_KIB: i64 = 32 * 1024;
const READER_CACHE_KIB: i64 = 8 * 1024;

/// Statements that a connection keeps prepared.
const STATEMENTS_MAX: usize = 64;

/// Only the moment in which a checkpoint or the first reader after a crash holds the file
/// can make anybody wait: there is one writer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A write-ahead log longer than this, in bytes, is cut back once it is checkpointed.
const WAL_BYTES_KEPT: i64 = 64 * 1024 * 1024;

/// Only this process may open the database, and SQLite knows it: the index of the
/// write-ahead log stays in memory, and no read costs a file lock.
const VFS: &std::ffi::CStr = c"unix-excl";

/// A connection that may write.
pub(super) fn writable(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connection = open(file, flags, WRITER_CACHE_KIB)?;
    // A commit is acknowledged when it is on disk, not when it is written.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
    // Checkpoints are a matter of their own.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(connection)
}

/// A connection that cannot write.
pub(super) fn readable(file: &Path) -> rusqlite::Result<Connection> {
    let connection = open(file, OpenFlags::SQLITE_OPEN_READ_ONLY, READER_CACHE_KIB)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn open(file: &Path, flags: OpenFlags, cache_kib: i64) -> rusqlite::Result<Connection> {
    // Each connection belongs to one thread at a time, so SQLite need not lock it.
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags_and_vfs(file, flags, VFS)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // The last connection to be closed would checkpoint and remove the log otherwise, whatever
    // the mark of the file says (`file_match.rs`).
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

/// How many steps of SQLite's virtual machine a query makes before it is asked again whether it
/// may go on: some ten microseconds.
const STEPS_PER_LOOK: i32 = 1_000;

/// Lets what the connection reads from now on be stopped, or no longer.
pub(super) fn limit(connection: &mut Connection, deadline: Option<&QueryDeadline>) {
    let set = match deadline.cloned() {
        Some(deadline) => {
            connection.progress_handler(STEPS_PER_LOOK, Some(move || deadline.is_over()))
        }
        None => connection.progress_handler(0, None::<fn() -> bool>),
    };
    // Only a connection that another one owns refuses.
    debug_assert!(set.is_ok());
}

/// Names what was being done when SQLite failed.
pub(super) fn failed(doing: &'static str) -> impl Fn(rusqlite::Error) -> StoreFailure {
    move |cause| {
        let stopped = cause.sqlite_error_code() == Some(ErrorCode::OperationInterrupted);
        StoreFailure { stopped, ..StoreFailure::new(doing, cause) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const LONG: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
         WHERE i < 100000000000) SELECT max(i) FROM n";

    #[test]
    fn a_read_is_stopped_when_nobody_waits_for_it_and_the_next_one_is_not() {
        let mut connection = Connection::open_in_memory().unwrap();
        let (deadline, waiting) = QueryDeadline::new(Duration::from_secs(3600), Arc::default());
        limit(&mut connection, Some(&deadline));
        let gone = std::thread::spawn(move || drop(waiting));
        let stopped = connection.query_row(LONG, [], |row| row.get::<_, i64>(0));
        gone.join().unwrap();
        assert!(failed("reading")(stopped.unwrap_err()).stopped);

        limit(&mut connection, None);
        let short = LONG.replace("100000000000", "10000");
        assert_eq!(connection.query_row(&short, [], |row| row.get::<_, i64>(0)), Ok(10_000));
    }
}

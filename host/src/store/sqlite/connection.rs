//! SQLite connections and their settings.

use crate::model::{QueryDeadline, StoreFailure};
use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};
use std::{path::Path, time::Duration};

/// The page caches of a writing and of a reading connection, in KiB. The writer caches the pages
/// that it changes. A reader has the operating system's cache behind its own.
const WRITER_CACHE_KIB: i64 = 32 * 1024;
const READER_CACHE_KIB: i64 = 8 * 1024;

/// The most statements that a connection keeps prepared.
const STATEMENTS_MAX: usize = 64;

/// The longest wait for a lock of SQLite. There is one writer, so a connection waits only for a
/// checkpoint or for the first reader after a crash.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The length to which a longer write-ahead log is truncated once it is checkpointed, in bytes.
const WAL_BYTES_KEPT: i64 = 64 * 1024 * 1024;

/// The VFS for a database that only one process opens. SQLite keeps the index of the write-ahead
/// log in memory, and a read takes no file lock.
const VFS: &std::ffi::CStr = c"unix-excl";

/// Opens a connection that may write.
pub(super) fn writable(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connection = open(file, flags, WRITER_CACHE_KIB)?;
    // Each commit syncs the log, because a commit is acknowledged only once it is on disk.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
    // The checkpointing thread makes the checkpoints.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(connection)
}

/// Opens a connection that cannot write.
pub(super) fn readable(file: &Path) -> rusqlite::Result<Connection> {
    let connection = open(file, OpenFlags::SQLITE_OPEN_READ_ONLY, READER_CACHE_KIB)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn open(file: &Path, flags: OpenFlags, cache_kib: i64) -> rusqlite::Result<Connection> {
    // One thread at a time uses a connection, so SQLite need not lock it.
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags_and_vfs(file, flags, VFS)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Without this setting, closing the last connection would checkpoint and remove the log,
    // whatever the mark says (`file_match.rs`).
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

/// The steps of SQLite's virtual machine between two checks of a query's deadline: some ten
/// microseconds.
const STEPS_PER_DEADLINE_CHECK: i32 = 1_000;

/// Sets the deadline of the reads that follow on a connection; `None` removes it. A read beyond the
/// deadline fails with `SQLITE_INTERRUPT`.
pub(super) fn limit(connection: &mut Connection, deadline: Option<&QueryDeadline>) {
    let set = match deadline.cloned() {
        Some(deadline) => {
            connection.progress_handler(STEPS_PER_DEADLINE_CHECK, Some(move || deadline.is_over()))
        }
        None => connection.progress_handler(0, None::<fn() -> bool>),
    };
    // SQLite refuses only for a connection that another one owns.
    debug_assert!(set.is_ok());
}

/// Turns an error of SQLite into a [`StoreFailure`] that names the activity `doing`.
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

    /// A query that would run for hours.
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

//! What a failed commit leaves behind.
//!
//! SQLite writes the frames of a transaction to the write-ahead log, the one with the commit mark
//! last, and then syncs the log. Where the sync failed, or something after it, all of the
//! transaction may be in the log: this process goes on as if it were not, but the next one that
//! reads the log would find it. The next transaction takes its place, frame by frame, so that it
//! is gone for certain once that one is on disk.
//!
//! Where a write failed, the transaction lacks a part, and nothing can come of it, but for one
//! case: the write was made in part, over frames of an older log, and the bytes that were there
//! are those that were to come. So the log is read.

use super::{
    checkpoint,
    file_match::beside,
    wal::{self, Wal},
};
use rusqlite::{Connection, ErrorCode};
use std::path::Path;

/// Whether a commit that failed in this way has written nothing at all.
pub(super) fn wrote_nothing(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code().is_none_or(|code| {
        matches!(
            code,
            ErrorCode::ConstraintViolation | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked
        )
    })
}

/// Whether the log file may have a transaction that is not part of the log as the connection knows
/// it: one that failed here, and would be found by the next process.
pub(super) fn log_may_have_more(connection: &Connection, file: &Path) -> bool {
    // In this order: where another log begins in between, nothing of this one is found any more.
    let Ok(known) = checkpoint::pages_in_log(connection) else { return true };
    match wal::read(&beside(file, "-wal"), |_| ()) {
        Ok(Wal::Readable(found)) => found.committed_frames > known,
        Ok(Wal::Empty | Wal::HeaderDamaged { .. }) => false,
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::connection, *};
    use std::fs;

    #[test]
    fn a_transaction_that_is_whole_in_the_log_may_last_whatever_had_failed() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (file, copy) = (folder.path().join("test.db"), other.path().join("test.db"));
        let connection = connection::writable(&file).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        connection.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)").unwrap();
        let (log, copied_log) = (beside(&file, "-wal"), beside(&copy, "-wal"));
        let known = fs::read(&log).unwrap();
        assert!(!log_may_have_more(&connection, &file));

        // The transaction is made in a copy, so that this process knows nothing of it.
        fs::copy(&file, &copy).unwrap();
        fs::copy(&log, &copied_log).unwrap();
        let failed = connection::writable(&copy).unwrap();
        failed.execute("INSERT INTO t VALUES (2)", []).unwrap();
        let bytes = fs::read(&copied_log).unwrap();
        fs::write(&log, &bytes).unwrap();
        assert!(log_may_have_more(&connection, &file));
        fs::write(&log, &bytes[..bytes.len() - 1]).unwrap();
        assert!(!log_may_have_more(&connection, &file), "it lacks a part");
        fs::write(&log, &known).unwrap();
        assert!(!log_may_have_more(&connection, &file));

        connection.query_row("PRAGMA wal_checkpoint", [], |_| Ok(())).unwrap();
        assert!(!log_may_have_more(&connection, &file), "moved or not");
    }
}

//! Whether a failed commit may still be in the write-ahead log and reappear after a restart.
//!
//! SQLite writes the frames of a transaction to the log, the frame with the commit mark last, and
//! then syncs the log. If the sync fails, or anything after it, the whole transaction may be in the
//! log. This process goes on without the transaction, but the next process that reads the log would
//! find it. The next transaction of this process overwrites the failed one frame by frame, so the
//! failed one is certainly gone once the next one is on disk.
//!
//! If a write fails, the transaction is incomplete in the log and cannot reappear, with one
//! exception: the write was partial, over the frames of an older log, and the old bytes happen to
//! be the ones that were missing. Therefore the log is read.

use super::{
    checkpoint,
    file_match::beside,
    wal::{self, Wal},
};
use rusqlite::{Connection, ErrorCode};
use std::path::Path;

/// Whether a commit that failed with this error has written nothing to the log.
pub(super) fn wrote_nothing(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code().is_none_or(|code| {
        matches!(
            code,
            ErrorCode::ConstraintViolation | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked
        )
    })
}

/// Whether the log file may have a transaction that the connection does not know: a failed one that
/// the next process would find.
pub(super) fn log_may_have_more(connection: &Connection, file: &Path) -> bool {
    // In this order: if the log restarts in between, fewer frames are found and not more.
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
    fn a_failed_transaction_that_is_complete_in_the_log_may_last() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (file, copy) = (folder.path().join("test.db"), other.path().join("test.db"));
        let connection = connection::writable(&file).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        connection.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)").unwrap();
        let (log, copied_log) = (beside(&file, "-wal"), beside(&copy, "-wal"));
        let known = fs::read(&log).unwrap();
        assert!(!log_may_have_more(&connection, &file));

        // The transaction is made in a copy, so that the first connection does not know it.
        fs::copy(&file, &copy).unwrap();
        fs::copy(&log, &copied_log).unwrap();
        let failed = connection::writable(&copy).unwrap();
        failed.execute("INSERT INTO t VALUES (2)", []).unwrap();
        let bytes = fs::read(&copied_log).unwrap();
        fs::write(&log, &bytes).unwrap();
        assert!(log_may_have_more(&connection, &file));
        fs::write(&log, &bytes[..bytes.len() - 1]).unwrap();
        assert!(!log_may_have_more(&connection, &file), "an incomplete transaction");
        fs::write(&log, &known).unwrap();
        assert!(!log_may_have_more(&connection, &file));

        connection.query_row("PRAGMA wal_checkpoint", [], |_| Ok(())).unwrap();
        assert!(!log_may_have_more(&connection, &file), "a checkpointed log");
    }
}

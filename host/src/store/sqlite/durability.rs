//! What a failed commit leaves behind.
//!
//! SQLite writes the frames of a transaction to the write-ahead log, the one with the commit mark
//! last, and then syncs the log. Where a write failed, the mark was not written, and nothing can
//! come of it. Where the sync failed, or something after it, all of the transaction may be in the
//! log: this process goes on as if it were not, but the next one that reads the log would find it.
//! The next transaction takes its place, frame by frame, so that it is gone for certain once that
//! one is on disk.

use super::{
    belonging::beside,
    wal::{self, Committed, Wal},
};
use rusqlite::{ErrorCode, ffi};
use std::path::Path;

/// Whether a commit that failed in this way is certainly not in the log.
pub(super) fn is_certainly_undone(error: &rusqlite::Error) -> bool {
    let Some(cause) = error.sqlite_error() else { return true };
    matches!(cause.extended_code, ffi::SQLITE_IOERR_WRITE)
        || matches!(
            cause.code,
            ErrorCode::DiskFull
                | ErrorCode::ConstraintViolation
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
        )
}

/// Whether no transaction at all is in the log, so that the failed one is not: it was the sync
/// of the log's header that failed.
pub(super) fn log_is_empty(file: &Path) -> bool {
    matches!(
        wal::read(&beside(file, "-wal"), |_| ()),
        Ok(Wal::Empty | Wal::Readable(Committed { transactions: 0, cut_off: 0, .. }))
    )
}

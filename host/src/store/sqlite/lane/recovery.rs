//! Recovery after a failed commit: makes certain that the commit cannot reappear, and makes the
//! lane ready to write.

use super::SqliteLane;
use crate::store::sqlite::{
    catch_up, connection, failed_commit, listing,
    mark::{self, FileState},
    write_back::WriteBack,
};

impl SqliteLane {
    /// Makes the lane ready to write, and proves it with a test write.
    pub(super) fn recover_all(&mut self) -> rusqlite::Result<()> {
        self.overwrite_failed()?;
        self.read_state()?;
        // Brings the rows up to date where the start could not. After a commit whose outcome was
        // unknown, the log may also have more events than the lane knows.
        if !self.writable || self.log_end.sequence != self.published.sequence() {
            let end = catch_up::rows(&mut self.connection)?;
            let (index, sums) = self.reread_due()?;
            let recent = listing::catch_up(&mut self.connection)?;
            // In one step, so that no reader sees the sums of another commit.
            self.published.reset(end, sums, recent);
            (self.due, self.write_back) = (index, WriteBack::new(end));
            self.publish_first_due();
        }
        self.writable = true;
        Ok(())
    }

    /// Opens a new connection, because an I/O error can leave the old one in any state, and commits
    /// a new mark. The frame of the new mark overwrites the first frame of the failed commit, so
    /// the failed commit cannot reappear once the mark is on disk. A read would prove nothing about
    /// a full disk.
    fn overwrite_failed(&mut self) -> rusqlite::Result<()> {
        self.connection = connection::writable(&self.database.file)?;
        if let Some(checkpointer) = &self.checkpointer {
            checkpointer.watch(&mut self.connection)?;
        }
        let transaction = self.connection.transaction()?;
        mark::renew(&transaction, FileState::NeedsLog)?;
        transaction.commit()
    }

    /// After a failed commit: whether the commit may reappear after a restart. If it may, tries to
    /// overwrite it first.
    pub(super) fn may_have_lasted(&mut self, error: &rusqlite::Error) -> bool {
        if failed_commit::wrote_nothing(error)
            || !failed_commit::log_may_have_more(&self.connection, &self.database.file)
        {
            return false;
        }
        match self.overwrite_failed() {
            Ok(()) => false,
            Err(error) => {
                tracing::warn!(
                    %error,
                    "a failed commit could not be overwritten; it may reappear after a restart"
                );
                true
            }
        }
    }

    /// Rolls back a failed transaction, unless SQLite has rolled it back already.
    pub(super) fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // The error of the commit is the one to report. `recover` replaces the connection.
            let _ = self.run("ROLLBACK");
        }
    }
}

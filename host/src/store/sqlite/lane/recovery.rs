//! After a commit that failed: dropping it for certain, and getting ready to write again.

use super::SqliteLane;
use crate::store::sqlite::{
    catch_up, connection, failed_commit, listing,
    mark::{self, FileState},
    write_back::WriteBack,
};

impl SqliteLane {
    /// Gets ready to write again, and proves it by writing.
    pub(super) fn recover_all(&mut self) -> rusqlite::Result<()> {
        self.replace_failed()?;
        self.remember()?;
        // Where opening could not bring the rows up to date, that is done now. Where a commit
        // was answered with "outcome unknown", the log may know more than the lane does.
        if !self.writable || self.log_end.sequence != self.published.sequence() {
            let end = catch_up::rows(&mut self.connection)?;
            let (index, sums) = self.read_due_anew()?;
            let recent = listing::catch_up(&mut self.connection)?;
            // At once, so that no reader meets sums of another commit.
            self.published.reset(end, sums, recent);
            (self.due, self.write_back) = (index, WriteBack::new(end));
            self.note_first_due();
        }
        self.writable = true;
        Ok(())
    }

    /// Opens a new connection, since an I/O error can leave the old one in any state, and commits
    /// a new mark. The new mark overwrites the first frame of the failed commit, so that once it is
    /// on disk nothing of that commit can come back. Reading would prove nothing about a full disk.
    fn replace_failed(&mut self) -> rusqlite::Result<()> {
        self.connection = connection::writable(&self.database.file)?;
        if let Some(checkpointer) = &self.checkpointer {
            checkpointer.watch(&mut self.connection)?;
        }
        let transaction = self.connection.transaction()?;
        mark::renew(&transaction, FileState::NeedsLog)?;
        transaction.commit()
    }

    /// After a commit that failed: whether it may be there after a restart. Where the failure
    /// leaves that open, tries to make sure that it is not.
    pub(super) fn may_have_lasted(&mut self, error: &rusqlite::Error) -> bool {
        if failed_commit::wrote_nothing(error)
            || !failed_commit::log_may_have_more(&self.connection, &self.database.file)
        {
            return false;
        }
        match self.replace_failed() {
            Ok(()) => false,
            Err(error) => {
                tracing::warn!(%error, "a failed commit could not be taken back for certain");
                true
            }
        }
    }

    /// Drops a transaction that failed; SQLite may have done so already.
    pub(super) fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // The first error is the one to tell; `recover` sees to the rest.
            let _ = self.run("ROLLBACK");
        }
    }
}

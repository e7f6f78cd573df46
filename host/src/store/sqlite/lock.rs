//! The lock that keeps other processes away from a database.

use super::OpenError;
use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

/// A guard that keeps other processes away from a database. The kernel releases the lock when the
/// process ends, however it ends, so no stale lock can remain.
///
/// The lock is on a file beside the database. If this program opened and closed the database file
/// itself, the locks that SQLite has on that file would be released.
pub(super) struct FileLock {
    _held: File,
}

impl FileLock {
    /// Locks the database.
    ///
    /// # Errors
    /// [`OpenError::InUse`] where another process has the lock; [`OpenError::Lock`] where the lock
    /// file cannot be created or locked.
    pub(super) fn acquire(database: &Path) -> Result<Self, OpenError> {
        let mut name = database.as_os_str().to_owned();
        name.push(".lock");
        let file = PathBuf::from(name);
        let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&file);
        let held = opened.map_err(|cause| OpenError::Lock { file: file.clone(), cause })?;
        match held.try_lock() {
            Ok(()) => Ok(Self { _held: held }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse(database.to_owned())),
            Err(TryLockError::Error(cause)) => Err(OpenError::Lock { file, cause }),
        }
    }
}

use super::OpenError;
use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

/// Keeps other processes away from a database, for as long as it lives. The kernel drops it
/// with the process, however that ends, so no stale lock can remain.
///
/// It is a file beside the database: opening and closing the database itself a second time
/// would drop the locks that SQLite holds on it.
pub(super) struct FileLock {
    _held: File,
}

impl FileLock {
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

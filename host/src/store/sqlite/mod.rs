//! The store on SQLite: one database file and its write-ahead log, used by one process. A commit is
//! acknowledged once it is on disk.

mod append;
mod catch_up;
mod chain;
mod checkpoint;
mod checkpointer;
mod connection;
mod damaged_header;
mod due;
mod events;
mod failed_commit;
mod file_match;
mod handles;
mod idempotency;
mod installed;
mod integrity_check;
mod lane;
mod listing;
mod lock;
mod log;
mod log_end;
mod mark;
mod migrations;
mod opening;
mod published;
mod recorded;
mod reservations;
mod rows;
mod snapshot;
mod stock_scans;
mod stocks;
mod wal;
mod write_back;

pub use handles::{ReservationHandle, StockHandle};
pub use integrity_check::IntegrityCheck;
pub use lane::SqliteLane;
pub use log::SqliteLog;
pub use migrations::{LATEST_VERSION, Migrated};
pub use snapshot::SqliteSnapshot;

use crate::{
    model::{Integrity, StoreFailure},
    store::Store,
};
use integrity_check::SharedIntegrity;
use lock::FileLock;
use published::Published;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// The reason why a database cannot be opened. The messages say what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder of the database cannot be created or resolved.
    #[error("the folder {folder} of the database cannot be used: {cause}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The error of the operating system.
        cause: std::io::Error,
    },
    /// Another process has the database open.
    #[error(
        "the database {0} is in use by another holdfast process: stop that one first, or give \
         this one another --database-path"
    )]
    InUse(PathBuf),
    /// The lock file cannot be created or locked.
    #[error("the lock file {file} cannot be used: {cause}")]
    Lock {
        /// The lock file.
        file: PathBuf,
        /// The error of the operating system.
        cause: std::io::Error,
    },
    /// The file is not a database of this program.
    #[error(
        "{file} is not a Holdfast database ({reason}): it was left untouched; give another \
         --database-path, or restore the file from a backup"
    )]
    Foreign {
        /// The file.
        file: PathBuf,
        /// The description of the file that was found.
        reason: String,
    },
    /// The database does not exist and cannot be created.
    #[error("the database {file} cannot be created: {cause}")]
    Create {
        /// The file.
        file: PathBuf,
        /// The error of the operating system.
        cause: std::io::Error,
    },
    /// The database file, its write-ahead log or its rollback journal cannot be read.
    #[error("the database {file} or its write-ahead log cannot be read: {cause}")]
    Unreadable {
        /// The database file.
        file: PathBuf,
        /// The error of the operating system.
        cause: std::io::Error,
    },
    /// The database file and the log beside it do not match.
    #[error(
        "the database {file} and the log {log} do not belong together: {why}. Nothing was changed"
    )]
    Mismatch {
        /// The database file.
        file: PathBuf,
        /// The write-ahead log or the rollback journal beside it.
        log: PathBuf,
        /// The mismatch, and how to repair it.
        why: String,
    },
    /// A newer version of this program has written the database.
    #[error(
        "the database {file} has schema version {found}, this binary knows {known} at most: run \
         the newer holdfast that wrote it"
    )]
    Newer {
        /// The file.
        file: PathBuf,
        /// The schema version of the database.
        found: u32,
        /// The latest schema version that this binary knows.
        known: u32,
    },
    /// SQLite failed for any other reason.
    #[error("the database {file} cannot be opened: {cause}")]
    Sqlite {
        /// The file.
        file: PathBuf,
        /// The error of SQLite.
        cause: rusqlite::Error,
    },
}

/// An open database. A lock keeps other processes away from it until the last clone is dropped.
#[derive(Clone)]
pub struct SqliteStore {
    migrated: Migrated,
    published: Arc<Published>,
    integrity: SharedIntegrity,
    database: Arc<LockedDatabase>,
}

/// The database file and its lock, shared by the store and its lane.
struct LockedDatabase {
    file: PathBuf,
    /// Whether the start could write to the database. If not, the lane must recover first.
    writable: bool,
    /// Whether a lane was opened. A lane leaves the files in order when it is closed.
    has_lane: AtomicBool,
    _lock: FileLock,
}

impl Drop for LockedDatabase {
    /// Without a lane, makes the database file whole: the start has marked it as needing its log.
    fn drop(&mut self) {
        if !self.writable || self.has_lane.load(Ordering::Relaxed) {
            return;
        }
        let truncated = connection::writable(&self.file)
            .and_then(|mut connection| checkpoint::truncate_log(&mut connection));
        if let Err(error) = truncated {
            tracing::warn!(
                %error,
                "the write-ahead log could not be checkpointed at the end; nothing is lost"
            );
        }
    }
}

impl SqliteStore {
    /// Opens the database, creates it where it does not exist, and migrates its schema.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(file: &Path) -> Result<Self, OpenError> {
        let folder = match file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let folder = std::fs::create_dir_all(folder)
            .and_then(|()| folder.canonicalize())
            .map_err(|cause| OpenError::Folder { folder: folder.to_owned(), cause })?;
        // The real path, so that two names of one file lead to one lock file.
        let file = match (file.canonicalize(), file.file_name()) {
            (Ok(file), _) => file,
            (Err(_), Some(name)) => folder.join(name),
            (Err(cause), None) => return Err(OpenError::Folder { folder, cause }),
        };
        let lock = FileLock::acquire(&file)?;
        let opening::Opened { migrated, published, writable } = opening::open(&file)?;
        let database =
            LockedDatabase { file, writable, has_lane: AtomicBool::new(false), _lock: lock };
        let (published, database) = (Arc::new(published), Arc::new(database));
        Ok(Self { migrated, published, integrity: SharedIntegrity::default(), database })
    }

    /// The schema versions before and after opening.
    #[must_use]
    pub fn migrated(&self) -> Migrated {
        self.migrated
    }

    /// Opens the writer. `idle` is the interval at which the checkpointing thread looks whether the
    /// database file can be made whole.
    fn lane_with_idle(&self, idle: Duration) -> Result<SqliteLane, StoreFailure> {
        self.database.has_lane.store(true, Ordering::Relaxed);
        SqliteLane::open(Arc::clone(&self.database), Arc::clone(&self.published), idle)
    }

    /// Starts the integrity check of the whole database on a thread of its own.
    ///
    /// # Errors
    /// SQLite cannot open another connection, or the operating system cannot start a thread.
    pub fn check(&self) -> Result<IntegrityCheck, StoreFailure> {
        IntegrityCheck::start(&self.database.file, self.integrity.clone())
    }
}

impl Store for SqliteStore {
    type StockHandle = StockHandle;
    type ReservationHandle = ReservationHandle;
    type Lane = SqliteLane;
    type Snapshot = SqliteSnapshot;
    type Log = SqliteLog;

    fn lane(&self) -> Result<SqliteLane, StoreFailure> {
        self.lane_with_idle(checkpointer::IDLE)
    }

    fn snapshot(&self) -> Result<SqliteSnapshot, StoreFailure> {
        SqliteSnapshot::open(&self.database.file, Arc::clone(&self.published))
    }

    fn log(&self) -> Result<SqliteLog, StoreFailure> {
        SqliteLog::open(&self.database.file, Arc::clone(&self.published))
    }

    /// The result of [`SqliteStore::check`] so far.
    fn integrity(&self) -> Integrity {
        self.integrity.get()
    }
}

//! SQLite: one file, one writing process, WAL, every commit on disk before it is
//! acknowledged.

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

/// Why a database cannot be opened. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made, or not be written to.
    #[error("the folder {folder} of the database cannot be used: {cause}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// Another process has it.
    #[error(
        "the database {0} is in use by another holdfast process: stop that one first, or give \
         this one another --database-path"
    )]
    InUse(PathBuf),
    /// The lock file cannot be made.
    #[error("the lock file {file} cannot be used: {cause}")]
    Lock {
        /// The lock file.
        file: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// It is something else.
    #[error(
        "{file} is not a Holdfast database ({reason}): it was left untouched; give another \
         --database-path, or restore the file from a backup"
    )]
    Foreign {
        /// The file.
        file: PathBuf,
        /// What it is instead.
        reason: String,
    },
    /// There is none, and none can be made.
    #[error("the database {file} cannot be made: {cause}")]
    Create {
        /// The file.
        file: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// It, or a file beside it, cannot be read.
    #[error("the database {file} or its write-ahead log cannot be read: {cause}")]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The database and its log do not belong together.
    #[error(
        "the database {file} and the log {log} do not belong together: {why}. Nothing was changed"
    )]
    Apart {
        /// The database.
        file: PathBuf,
        /// The file beside it.
        log: PathBuf,
        /// What is wrong, and what helps.
        why: String,
    },
    /// It was written by a newer binary.
    #[error(
        "the database {file} has schema version {found}, this binary knows {known} at most: run \
         the newer holdfast that wrote it"
    )]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its version.
        found: u32,
        /// The latest that this binary knows.
        known: u32,
    },
    /// Anything else.
    #[error("the database {file} cannot be opened: {cause}")]
    Sqlite {
        /// The file.
        file: PathBuf,
        /// What SQLite says.
        cause: rusqlite::Error,
    },
}

/// An open database, held against other processes until it is dropped.
#[derive(Clone)]
pub struct SqliteStore {
    migrated: Migrated,
    published: Arc<Published>,
    integrity: SharedIntegrity,
    database: Arc<LockedDatabase>,
}

/// The database, for as long as anybody here uses it.
struct LockedDatabase {
    file: PathBuf,
    /// Whether what opening had to write could be written.
    writable: bool,
    /// Whether there is, or was, a lane. It leaves the files as they should be.
    has_lane: AtomicBool,
    _lock: FileLock,
}

impl Drop for LockedDatabase {
    /// Makes the database file whole again where it was opened only to be read.
    fn drop(&mut self) {
        if !self.writable || self.has_lane.load(Ordering::Relaxed) {
            return;
        }
        let settled = connection::writable(&self.file)
            .and_then(|mut connection| checkpoint::truncate_log(&mut connection));
        if let Err(error) = settled {
            tracing::warn!(%error, "the database could not be closed tidily; nothing is lost");
        }
    }
}

impl SqliteStore {
    /// Opens the database, creates it where there is none, and brings its schema up to date.
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
        // The real path: two names of one file must meet in one lock.
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

    /// What opening did to the schema.
    #[must_use]
    pub fn migrated(&self) -> Migrated {
        self.migrated
    }

    /// The writer, with another interval of looking whether the database file can be made whole.
    fn lane_idling(&self, idle: Duration) -> Result<SqliteLane, StoreFailure> {
        self.database.has_lane.store(true, Ordering::Relaxed);
        SqliteLane::open(Arc::clone(&self.database), Arc::clone(&self.published), idle)
    }

    /// Begins to look through the whole database, beside everybody else.
    ///
    /// # Errors
    /// Where SQLite cannot open another connection, or the system not start another thread.
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
        self.lane_idling(checkpointer::IDLE)
    }

    fn snapshot(&self) -> Result<SqliteSnapshot, StoreFailure> {
        SqliteSnapshot::open(&self.database.file, Arc::clone(&self.published))
    }

    fn log(&self) -> Result<SqliteLog, StoreFailure> {
        SqliteLog::open(&self.database.file, Arc::clone(&self.published))
    }

    /// What [`SqliteStore::check`] has found so far.
    fn integrity(&self) -> Integrity {
        self.integrity.get()
    }
}

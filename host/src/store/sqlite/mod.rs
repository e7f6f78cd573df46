//! SQLite: one file, one writing process, WAL, every commit on disk before it is
//! acknowledged.

mod answers;
mod append;
mod belonging;
mod chain;
mod checkpoint;
mod connection;
mod durability;
mod events;
mod installed;
mod lagging;
mod lane;
mod lock;
mod log;
mod mark;
mod migrations;
mod opening;
mod recorded;
mod reservations;
mod rows;
mod snapshot;
mod stocks;
mod wal;

pub use lane::SqliteLane;
pub use log::SqliteLog;
pub use migrations::{LATEST_VERSION, Migrated};
pub use snapshot::SqliteSnapshot;

use crate::model::StoreFailure;
use lagging::Lagging;
use lock::FileLock;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
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
    file: PathBuf,
    migrated: Migrated,
    lagging: Arc<Lagging>,
    /// Whether what opening had to write could be written.
    writable: bool,
    lock: Arc<FileLock>,
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
        let opening::Opened { migrated, lagging, writable } = opening::open(&file)?;
        let lagging = Arc::new(lagging);
        Ok(Self { file, migrated, lagging, writable, lock: Arc::new(lock) })
    }

    /// What opening did to the schema.
    #[must_use]
    pub fn migrated(&self) -> Migrated {
        self.migrated
    }

    /// The writer. There must be one only.
    ///
    /// # Errors
    /// Where SQLite cannot open another connection.
    pub fn lane(&self) -> Result<SqliteLane, StoreFailure> {
        self.lane_idling(checkpoint::IDLE)
    }

    /// The writer, with another time without commits after which the database file is made whole.
    fn lane_idling(&self, idle: Duration) -> Result<SqliteLane, StoreFailure> {
        let (lagging, lock) = (Arc::clone(&self.lagging), Arc::clone(&self.lock));
        SqliteLane::open(self.file.clone(), lagging, lock, self.writable, idle)
    }

    /// A reader.
    ///
    /// # Errors
    /// Where SQLite cannot open another connection.
    pub fn snapshot(&self) -> Result<SqliteSnapshot, StoreFailure> {
        SqliteSnapshot::open(&self.file, Arc::clone(&self.lagging))
    }

    /// A reader of the event log.
    ///
    /// # Errors
    /// Where SQLite cannot open another connection.
    pub fn log(&self) -> Result<SqliteLog, StoreFailure> {
        SqliteLog::open(&self.file, Arc::clone(&self.lagging))
    }
}

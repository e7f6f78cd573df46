//! SQLite: one file, one writing process, WAL, every commit on disk before it is
//! acknowledged.

mod answers;
mod append;
mod chain;
mod checkpoint;
mod connection;
mod due;
mod events;
mod installed;
mod lagging;
mod lane;
mod lock;
mod log;
mod migrations;
mod recorded;
mod reservations;
mod rows;
mod snapshot;
mod stocks;

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
        let migrated = migrations::apply(&file)?;
        let sequence = lagging::bring_up_to_date(&file)
            .map_err(|cause| OpenError::Sqlite { file: file.clone(), cause })?;
        let lagging = Arc::new(Lagging::none(sequence));
        Ok(Self { file, migrated, lagging, lock: Arc::new(lock) })
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
        SqliteLane::open(self.file.clone(), Arc::clone(&self.lagging), Arc::clone(&self.lock))
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

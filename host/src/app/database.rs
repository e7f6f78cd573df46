//! The one place that names the store: everything else works with the traits of [`crate::store`].

use crate::{
    config::Config,
    store::sqlite::{self, SqliteStore},
};

/// The database that this program is built with.
pub type Database = SqliteStore;

pub use sqlite::{IntegrityCheck, OpenError};

/// Opens the database that the settings name, makes it where there is none, and brings its schema
/// up to date.
///
/// # Errors
/// [`OpenError`].
pub fn open(config: &Config) -> Result<Database, OpenError> {
    Database::open(&config.database_path)
}

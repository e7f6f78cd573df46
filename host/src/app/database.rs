//! The choice of the store. Everything else works with the traits of [`crate::store`].

use crate::{
    config::Config,
    store::sqlite::{self, SqliteStore},
};

/// The store that this program is built with.
pub type Database = SqliteStore;

pub use sqlite::{IntegrityCheck, OpenError};

/// Opens the database that the settings name, creates it where it does not exist, and brings its
/// schema up to date.
///
/// # Errors
/// [`OpenError`].
pub fn open(config: &Config) -> Result<Database, OpenError> {
    Database::open(&config.database_path)
}

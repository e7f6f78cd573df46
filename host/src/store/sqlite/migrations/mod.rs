//! Numbered migrations of the schema, forward only. `user_version` is the number of migrations that
//! were applied. `application_id` identifies a database of this program.

use super::{
    OpenError, checkpoint,
    mark::{self, FileState},
};
use rusqlite::{Connection, ErrorCode};
use std::path::Path;

const MIGRATIONS: [&str; 9] = [
    include_str!("0001_stock_and_event_log.sql"),
    include_str!("0002_reservations.sql"),
    include_str!("0003_lagging_rows.sql"),
    include_str!("0004_components_and_commands.sql"),
    include_str!("0005_due_holds.sql"),
    include_str!("0006_file_mark.sql"),
    include_str!("0007_lists.sql"),
    include_str!("0008_answer_bytes.sql"),
    include_str!("0009_form_of_recorded_commands.sql"),
];

/// The schema version of this binary.
#[allow(clippy::cast_possible_truncation, reason = "a handful of files")]
pub const LATEST_VERSION: u32 = MIGRATIONS.len() as u32;

/// The application id in the header of a database: "hold" in ASCII.
pub(super) const APPLICATION_ID: u32 = 0x686f_6c64;

/// The schema version before and after opening.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Migrated {
    /// The version before; 0 for a new database.
    pub from: u32,
    /// The version after.
    pub to: u32,
}

/// Applies the missing migrations in one transaction.
pub(super) fn apply(connection: &mut Connection, file: &Path) -> Result<Migrated, OpenError> {
    let sqlite = |cause: rusqlite::Error| match cause.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            OpenError::Foreign { file: file.to_owned(), reason: cause.to_string() }
        }
        _ => OpenError::Sqlite { file: file.to_owned(), cause },
    };
    let found = identify(connection, file).map_err(|error| error.or(sqlite))?;
    if found > LATEST_VERSION {
        return Err(OpenError::Newer { file: file.to_owned(), found, known: LATEST_VERSION });
    }
    use_write_ahead_log(connection).map_err(sqlite)?;
    if found < LATEST_VERSION {
        migrate(connection, found).map_err(sqlite)?;
    }
    Ok(Migrated { from: found, to: LATEST_VERSION })
}

/// Switches the database to a write-ahead log if it has none: a new database, or a copy that
/// another program made. The switch changes a few bytes of the first page in one write, so it needs
/// no rollback journal. A kill would leave such a journal behind, and [`super::file_match`] would
/// refuse it.
fn use_write_ahead_log(connection: &Connection) -> rusqlite::Result<()> {
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if mode == "wal" {
        return Ok(());
    }
    connection.pragma_update(None, "journal_mode", "MEMORY")?;
    connection.pragma_update(None, "journal_mode", "WAL")
}

/// The schema version of the database; 0 for an empty file.
///
/// # Errors
/// The file is a database of another program, or SQLite fails.
fn identify(connection: &Connection, file: &Path) -> Result<u32, Identify> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u32>(0));
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let tables: u32 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (application, tables) {
        (APPLICATION_ID, _) => Ok(version),
        (0, 0) if version == 0 => Ok(0),
        _ => Err(Identify::Foreign(OpenError::Foreign {
            file: file.to_owned(),
            reason: format!(
                "it is an SQLite database of another program, with {tables} tables and indexes \
                 and application id {application:#x}"
            ),
        })),
    }
}

enum Identify {
    Foreign(OpenError),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Identify {
    fn from(cause: rusqlite::Error) -> Self {
        Self::Sqlite(cause)
    }
}

impl Identify {
    fn or(self, sqlite: impl Fn(rusqlite::Error) -> OpenError) -> OpenError {
        match self {
            Self::Foreign(error) => error,
            Self::Sqlite(cause) => sqlite(cause),
        }
    }
}

/// Applies the migrations after version `found` in one transaction. The log starts with this
/// transaction, so the transaction writes or renews the mark (`file_match.rs`).
fn migrate(connection: &mut Connection, found: u32) -> rusqlite::Result<()> {
    checkpoint::truncate_log(connection)?;
    let transaction = connection.transaction()?;
    for (version, migration) in (1_u32..).zip(MIGRATIONS) {
        if version > found {
            transaction.execute_batch(migration)?;
        }
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", LATEST_VERSION)?;
    mark::renew(&transaction, FileState::NeedsLog)?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::{super::connection, *};
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    fn apply(file: &Path) -> Result<Migrated, OpenError> {
        super::apply(&mut connection::writable(file).unwrap(), file)
    }

    fn temporary() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("inventory.db");
        (folder, file)
    }

    #[test]
    fn a_new_file_gets_the_whole_schema_and_a_current_one_no_change() {
        let (_folder, file) = temporary();
        assert_eq!(apply(&file).unwrap(), Migrated { from: 0, to: LATEST_VERSION });
        assert_eq!(apply(&file).unwrap(), Migrated { from: LATEST_VERSION, to: LATEST_VERSION });
    }

    /// A copy that SQLite's `VACUUM INTO` has made has no write-ahead log.
    #[test]
    fn a_database_is_switched_to_a_write_ahead_log_without_a_rollback_journal() {
        let (_folder, file) = temporary();
        apply(&file).unwrap();
        let mut connection = connection::writable(&file).unwrap();
        connection.pragma_update(None, "journal_mode", "DELETE").unwrap();
        let journal = super::super::file_match::beside(&file, "-journal");
        let seen = Arc::new(AtomicBool::new(false));
        let hook = Arc::clone(&seen);
        connection
            .commit_hook(Some(move || {
                hook.fetch_or(journal.exists(), Ordering::Relaxed);
                false
            }))
            .unwrap();
        super::apply(&mut connection, &file).unwrap();
        assert!(!seen.load(Ordering::Relaxed), "a kill would leave the journal behind");
        let mode = connection.pragma_query_value(None, "journal_mode", |row| row.get(0));
        assert_eq!(mode, Ok("wal".to_owned()));
    }

    #[test]
    fn a_newer_schema_is_refused_with_both_versions() {
        let (_folder, file) = temporary();
        apply(&file).unwrap();
        let connection = Connection::open(&file).unwrap();
        connection.pragma_update(None, "user_version", LATEST_VERSION + 1).unwrap();
        drop(connection);
        assert!(matches!(
            apply(&file),
            Err(OpenError::Newer { found, known, .. })
                if (found, known) == (LATEST_VERSION + 1, LATEST_VERSION)
        ));
    }

    #[test]
    fn events_are_neither_changed_nor_deleted() {
        let (_folder, file) = temporary();
        apply(&file).unwrap();
        let connection = Connection::open(&file).unwrap();
        connection
            .execute_batch(
                "INSERT INTO event_row (sequence, kind, at, component_id, command_id, version)
                 VALUES (1, 1, 1, 1, zeroblob(16), 1)",
            )
            .unwrap();
        assert!(connection.execute("UPDATE event_row SET version = 2", []).is_err());
        assert!(connection.execute("DELETE FROM event_row", []).is_err());
    }

    #[test]
    fn the_schema_refuses_impossible_quantities_as_the_last_line_of_defence() {
        let (_folder, file) = temporary();
        apply(&file).unwrap();
        let connection = Connection::open(&file).unwrap();
        let insert = |total: i64, reserved: i64, unattributed: i64| {
            connection.execute(
                "INSERT INTO stock VALUES ('a', 'default', 1, ?1, ?2, ?3, 0, 1, 1, 1, 1, 1)",
                [total, reserved, unattributed],
            )
        };
        assert!(insert(5, 6, 0).is_err());
        assert!(insert(5, 4, 5).is_err());
        assert!(insert(-1, 0, 0).is_err());
        assert!(insert(1_000_000_000_000, 0, 0).is_err());
        assert!(insert(5, 5, 5).is_ok());
    }
}

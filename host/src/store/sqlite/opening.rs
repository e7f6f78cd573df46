//! Opening a database: examine its files, create it where it does not exist, migrate its schema,
//! and bring rows that lag behind the log up to date.

use super::{
    OpenError, catch_up, checkpoint, connection,
    file_match::{self, Examined, beside},
    handles::Stored,
    listing,
    log_end::last_sequence,
    migrations::{self, Migrated},
    published::Published,
    rows::{self, STORED_COLUMNS},
};
use crate::model::StockKey;
use rusqlite::Connection;
use std::{
    fs::{self, File},
    io,
    path::Path,
    sync::LazyLock,
};

/// The result of opening a database: it can be read.
pub(super) struct Opened {
    pub(super) migrated: Migrated,
    /// The committed state that the rows of the database do not show.
    pub(super) published: Published,
    /// Whether the database could be written. If not, [`super::SqliteLane`] must recover before it
    /// can commit.
    pub(super) writable: bool,
}

/// Opens a database, and creates it where it does not exist.
///
/// # Errors
/// [`OpenError`].
pub(super) fn open(file: &Path) -> Result<Opened, OpenError> {
    let sqlite = |cause| OpenError::Sqlite { file: file.to_owned(), cause };
    let created = match file_match::examine(file)? {
        Examined::NoDatabase => Some(create(file)?),
        Examined::Database => None,
    };
    let mut connection = connection::writable(file).map_err(sqlite)?;
    let migrated = migrations::apply(&mut connection, file)?;
    let migrated = created.unwrap_or(migrated);
    let prepared = catch_up::rows(&mut connection).and_then(|end| {
        let recent = listing::catch_up(&mut connection)?;
        checkpoint::start_log(&mut connection)?;
        Ok(Published::all_current(end, recent))
    });
    match prepared {
        Ok(published) => Ok(Opened { migrated, published, writable: true }),
        Err(error) => {
            tracing::error!(
                %error, database = %file.display(),
                "the database cannot be written: the server is read-only until it can be"
            );
            // The error may have left the connection in any state.
            drop(connection);
            // A read-only connection would make SQLite keep the index of the log in a shared file.
            let connection = connection::writable(file).map_err(sqlite)?;
            let published = still_lagging(&connection).map_err(sqlite)?;
            Ok(Opened { migrated, published, writable: false })
        }
    }
}

/// Creates a database under a temporary name and renames it, so that at any time the database
/// either does not exist or is complete.
fn create(file: &Path) -> Result<Migrated, OpenError> {
    let draft = beside(file, ".new");
    let remove = |file: &Path| match fs::remove_file(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    };
    let uncreated = |cause| OpenError::Create { file: file.to_owned(), cause };
    let drafts = ["", "-wal", "-journal"].map(|ending| beside(&draft, ending));
    drafts.iter().try_for_each(|left_behind| remove(left_behind)).map_err(uncreated)?;
    let sqlite = |cause| OpenError::Sqlite { file: draft.clone(), cause };
    let mut connection = connection::writable(&draft).map_err(sqlite)?;
    // The draft is synced once, before it is renamed.
    connection.pragma_update(None, "synchronous", "OFF").map_err(sqlite)?;
    let migrated = migrations::apply(&mut connection, &draft)?;
    checkpoint::truncate_log(&mut connection).map_err(sqlite)?;
    drop(connection);
    let folder = file.parent().unwrap_or(Path::new("."));
    drafts
        .iter()
        .skip(1)
        .try_for_each(|left_behind| remove(left_behind))
        // The log of an empty or missing database: `examine` has found no commit in it.
        .and_then(|()| remove(&beside(file, "-wal")))
        .and_then(|()| File::open(&draft)?.sync_all())
        .and_then(|()| fs::rename(&draft, file))
        .and_then(|()| File::open(folder)?.sync_all())
        .map_err(uncreated)?;
    Ok(migrated)
}

/// Selects the stocks whose rows lag behind the log, as the log has them. [`catch_up::rows`]
/// updates the same rows; this query replaces it where nothing can be written.
static STILL_LAGGING: LazyLock<String> = LazyLock::new(|| {
    format!(
        "WITH now AS (SELECT stock.product_id, stock.location_id, stock.stock_id, \
         event.ordinal AS event_count, event.sequence AS last_event, event.total, \
         event.reserved, event.unattributed, event.minimum, event.version, \
         stock.created_at, event.at AS updated_at \
         FROM (SELECT max(sequence) AS last FROM event_row \
         WHERE sequence > (SELECT sequence FROM rows_current_to) AND stock_id IS NOT NULL \
         GROUP BY stock_id) JOIN event_row AS event ON event.sequence = last \
         JOIN stock ON stock.stock_id = event.stock_id AND stock.event_count < event.ordinal) \
         SELECT product_id, location_id, {STORED_COLUMNS} \
         FROM now"
    )
});

/// Reads the stocks whose rows lag behind the log, for a database that cannot be written.
fn still_lagging(connection: &Connection) -> rusqlite::Result<Published> {
    let end = last_sequence(connection)?;
    let stocks = connection
        .prepare(&STILL_LAGGING)?
        .query_map([], |row| Ok((rows::key(row, 0)?, rows::stored(row, 2)?)))?
        .collect::<rusqlite::Result<Vec<(StockKey, Stored)>>>()?;
    tracing::info!(
        stocks = stocks.len(),
        sequence = end,
        "stocks whose rows lag were read from the event log"
    );
    Ok(Published::with_lagging(end, stocks, listing::uncovered(connection)?))
}

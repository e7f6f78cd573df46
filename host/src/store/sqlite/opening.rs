//! From a path to a database that can be read: examined, made where there is none, brought up to
//! date, and whole.

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

/// A database that can be read.
pub(super) struct Opened {
    pub(super) migrated: Migrated,
    /// What is committed and not in the database.
    pub(super) published: Published,
    /// Whether what opening had to write could be written. If not, [`super::SqliteLane`] has to
    /// recover before it can commit.
    pub(super) writable: bool,
}

/// Opens a database, or makes one.
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
    let tidied = catch_up::rows(&mut connection).and_then(|end| {
        let recent = listing::catch_up(&mut connection)?;
        checkpoint::start_log(&mut connection)?;
        Ok(Published::all_current(end, recent))
    });
    match tidied {
        Ok(published) => Ok(Opened { migrated, published, writable: true }),
        Err(error) => {
            tracing::error!(
                %error, database = %file.display(),
                "the database cannot be written: read-only until it can be"
            );
            // The error can leave the connection in any state.
            drop(connection);
            // One that only reads would make SQLite share the index of the log in a file.
            let connection = connection::writable(file).map_err(sqlite)?;
            let published = still_lagging(&connection).map_err(sqlite)?;
            Ok(Opened { migrated, published, writable: false })
        }
    }
}

/// Makes a database under another name, so that there is none or a whole one at any time.
fn create(file: &Path) -> Result<Migrated, OpenError> {
    let draft = beside(file, ".new");
    let remove = |file: &Path| match fs::remove_file(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    };
    let written = |cause| OpenError::Create { file: file.to_owned(), cause };
    let drafts = ["", "-wal", "-journal"].map(|ending| beside(&draft, ending));
    drafts.iter().try_for_each(|left_behind| remove(left_behind)).map_err(written)?;
    let sqlite = |cause| OpenError::Sqlite { file: draft.clone(), cause };
    let mut connection = connection::writable(&draft).map_err(sqlite)?;
    // It is synced once, at the end.
    connection.pragma_update(None, "synchronous", "OFF").map_err(sqlite)?;
    let migrated = migrations::apply(&mut connection, &draft)?;
    checkpoint::truncate_log(&mut connection).map_err(sqlite)?;
    drop(connection);
    let folder = file.parent().unwrap_or(Path::new("."));
    drafts
        .iter()
        .skip(1)
        .try_for_each(|left_behind| remove(left_behind))
        // Beside an empty or missing database, a log without a commit is of no use to anybody.
        .and_then(|()| remove(&beside(file, "-wal")))
        .and_then(|()| File::open(&draft)?.sync_all())
        .and_then(|()| fs::rename(&draft, file))
        .and_then(|()| File::open(folder)?.sync_all())
        .map_err(written)?;
    Ok(migrated)
}

/// Stocks as the log says they are, where their rows do not say so: the query of
/// [`catch_up::rows`], for where nothing can be written.
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

fn still_lagging(connection: &Connection) -> rusqlite::Result<Published> {
    let end = last_sequence(connection)?;
    let stocks = connection
        .prepare(&STILL_LAGGING)?
        .query_map([], |row| Ok((rows::key(row, 0)?, rows::stored(row, 2)?)))?
        .collect::<rusqlite::Result<Vec<(StockKey, Stored)>>>()?;
    tracing::info!(stocks = stocks.len(), sequence = end, "stocks are read from the log");
    Ok(Published::with_lagging(end, stocks, listing::rest(connection)?))
}

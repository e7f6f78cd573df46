//! Brings the rows of stocks up to date from the event log: at the start, and when the lane closes.

use super::{
    log_end::last_sequence,
    mark,
    rows::{Unsigned, unsigned},
};
use rusqlite::Connection;

/// Records in the database the sequence up to which all rows of stocks are current.
pub(super) fn note_current(connection: &Connection, sequence: u64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE rows_current_to SET sequence = ?1")?
        .execute([Unsigned(sequence)])
        .map(|_| ())
}

/// Updates each row that lags from the last event of its stock. Only events after the sequence up
/// to which all rows are current are read.
const CATCH_UP: &str = "UPDATE stock SET total = event.total, reserved = event.reserved, \
     unattributed = event.unattributed, minimum = event.minimum, version = event.version, \
     updated_at = event.at, event_count = event.ordinal, last_event = event.sequence \
     FROM (SELECT max(sequence) AS last FROM event_row \
     WHERE sequence > (SELECT sequence FROM rows_current_to) AND stock_id IS NOT NULL \
     GROUP BY stock_id) JOIN event_row AS event ON event.sequence = last \
     WHERE stock.stock_id = event.stock_id AND stock.event_count < event.ordinal";

/// Whether all rows are current up to the end of the log.
fn all_current(connection: &Connection) -> rusqlite::Result<bool> {
    let current = "SELECT sequence FROM rows_current_to";
    let current = connection.query_row(current, [], |row| unsigned(row, 0))?;
    Ok(current == last_sequence(connection)?)
}

/// Brings all rows up to date from the log. Returns the last sequence of the log.
pub(super) fn rows(connection: &mut Connection) -> rusqlite::Result<u64> {
    let end = last_sequence(connection)?;
    if all_current(connection)? {
        return Ok(end);
    }
    let transaction = connection.transaction()?;
    let changed = transaction.execute(CATCH_UP, [])?;
    note_current(&transaction, end)?;
    // The write-ahead log may restart with this transaction.
    mark::renew(&transaction, mark::FileState::NeedsLog)?;
    transaction.commit()?;
    tracing::info!(
        rows = changed,
        sequence = end,
        "rows of stocks were brought up to date from the event log"
    );
    Ok(end)
}

//! The mark of a database: its identity, and whether the database file is whole. `file_match.rs`
//! explains its use.

use super::wal::big_endian_u32;
use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;

/// The first schema version with the mark.
pub(super) const MARKED_VERSION: u32 = 6;

const TABLE_EXISTS: &str =
    "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = 'file_mark'";
const READ: &str = "SELECT database_id, base, previous, whole FROM file_mark";
const WRITE: &str = "UPDATE file_mark SET previous = base, base = ?1, whole = ?2";

/// The first bytes of the mark's row in its page, in SQLite's record format: the length of the row,
/// the row id (1), the length of the record header, and the serial types of the first four columns:
/// NULL (the row id takes its place) and three blobs of 16 bytes.
const ROW_HEAD: [u8; 7] = [54, 1, 6, 0, 44, 44, 44];
/// The serial types of the column `whole`: the integers 0 and 1.
const FALSE: u8 = 8;
const TRUE: u8 = 9;

/// The row of `file_mark`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Mark {
    /// The identity of the database; it never changes.
    pub(super) database_id: [u8; 16],
    /// The random identity of this mark.
    pub(super) base: [u8; 16],
    /// The `base` of the mark before this one.
    pub(super) previous: [u8; 16],
    /// Whether the database file is whole; otherwise it may need its write-ahead log.
    pub(super) whole: bool,
}

/// The state of the database file that a mark states.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FileState {
    /// The database file contains every commit, once a checkpoint has copied the mark into it.
    Whole,
    /// The database file may need its log.
    NeedsLog,
}

impl Mark {
    /// The mark and the number of its page; `None` in a database of a schema without the mark.
    pub(super) fn find(connection: &Connection) -> rusqlite::Result<Option<(u32, Self)>> {
        let page = connection.query_row(TABLE_EXISTS, [], |row| row.get(0)).optional()?;
        let Some(page) = page else { return Ok(None) };
        let mark = connection.query_row(READ, [], |row| {
            let (database_id, base, previous) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Self { database_id, base, previous, whole: row.get(3)? })
        })?;
        Ok(Some((page, mark)))
    }

    /// Parses the mark from the image of its page, which is a table leaf with one row. Returns
    /// `None` for any other page.
    pub(super) fn in_page(image: &[u8]) -> Option<Self> {
        let one_row_of_a_table = image.first() == Some(&13) && big_endian_u32(image, 3) >> 16 == 1;
        let place = usize::try_from(big_endian_u32(image, 8) >> 16).ok()?;
        let row = image.get(place..)?.strip_prefix(&ROW_HEAD)?;
        let (whole, values) = row.split_first()?;
        let (database_id, values) = values.split_first_chunk()?;
        let (base, values) = values.split_first_chunk()?;
        let previous = values.first_chunk()?;
        let mark = Self {
            database_id: *database_id,
            base: *base,
            previous: *previous,
            whole: *whole == TRUE,
        };
        (one_row_of_a_table && matches!(*whole, FALSE | TRUE)).then_some(mark)
    }
}

/// Replaces the mark by a new one within the current transaction.
pub(super) fn renew(connection: &Connection, state: FileState) -> rusqlite::Result<()> {
    let whole = state == FileState::Whole;
    let mut write = connection.prepare_cached(WRITE)?;
    match write.execute((Uuid::new_v4().as_bytes(), whole))? {
        1 => Ok(()),
        _ => Err(rusqlite::Error::QueryReturnedNoRows),
    }
}

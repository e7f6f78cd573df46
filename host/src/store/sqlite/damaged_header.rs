//! A write-ahead log with a damaged header, which SQLite treats as empty.
//!
//! A log restarts when the database file has all of its pages. A kill during the first write of the
//! restart can leave half a header. Nothing is lost then: every page after that header is in the
//! database file already.

use super::wal::{self, LogContent};
use std::{collections::BTreeMap, fs::File, io, os::unix::fs::FileExt, path::Path};

/// The offset of the page size in the header of a database file, in bytes.
const PAGE_BYTES_AT: u64 = 16;

/// Whether the database file has the latest image of every page that is committed in the log.
///
/// # Errors
/// One of the files cannot be read.
pub(super) fn is_checkpointed(file: &Path, log: &Path) -> io::Result<bool> {
    let database = File::open(file)?;
    let mut page_bytes = [0; 2];
    database.read_exact_at(&mut page_bytes, PAGE_BYTES_AT)?;
    let page_bytes = match u16::from_be_bytes(page_bytes) {
        1 => 65_536,
        bytes if bytes >= 512 && bytes.is_power_of_two() => usize::from(bytes),
        _ => return Ok(false),
    };
    let mut page = vec![0; page_bytes];
    let mut frames = Vec::new();
    let found = wal::read_without_header(log, page_bytes, |frame| {
        let place = u64::from(frame.page - 1) * page_bytes as u64;
        let copied = database.read_exact_at(&mut page, place).is_ok() && page == frame.image;
        frames.push((frame.transaction, frame.page, copied));
    })?;
    let LogContent { transactions, cut_off, .. } = found;
    let committed = frames.into_iter().take_while(|(number, ..)| *number <= transactions);
    // The last frame of a page is the latest.
    let pages: BTreeMap<_, _> = committed.map(|(_, page, copied)| (page, copied)).collect();
    Ok(cut_off <= 1 && pages.into_values().all(|copied| copied))
}

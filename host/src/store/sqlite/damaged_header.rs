//! A log whose header is damaged: SQLite takes it for empty.
//!
//! A log begins anew when all of it is in the database file, and a kill within the first write to
//! it can leave half a header. Nothing is lost then, which shows in the pages behind that header.

use super::wal::{self, LogContent};
use std::{collections::BTreeMap, fs::File, io, os::unix::fs::FileExt, path::Path};

/// Where the header of a database file says how large its pages are.
const PAGE_BYTES_AT: u64 = 16;

/// Whether each page that is committed in the log is in the database file as the log has it.
///
/// # Errors
/// Where one of the files cannot be read.
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
        let moved = database.read_exact_at(&mut page, place).is_ok() && page == frame.image;
        frames.push((frame.transaction, frame.page, moved));
    })?;
    let LogContent { transactions, cut_off, .. } = found;
    let committed = frames.into_iter().take_while(|(number, ..)| *number <= transactions);
    // The last frame of a page is the one that counts.
    let pages: BTreeMap<_, _> = committed.map(|(_, page, moved)| (page, moved)).collect();
    Ok(cut_off <= 1 && pages.into_values().all(|moved| moved))
}

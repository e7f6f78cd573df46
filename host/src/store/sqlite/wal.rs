//! A parser for write-ahead logs that changes nothing. SQLite itself cannot open a log without
//! possibly recovering it.
//!
//! The format is documented at <https://sqlite.org/fileformat2.html#walformat>: a header of 32
//! bytes, then frames of a header of 24 bytes and a page image each. Each checksum covers
//! everything before it. A frame is valid only if its salts equal those of the header.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;

/// The first four bytes of a log without their last bit, which is the byte order of the checksums.
const MAGIC: u32 = 0x377f_0682;

/// The largest and the smallest page size of SQLite, in bytes.
const PAGE_BYTES_MAX: u32 = 65_536;
const PAGE_BYTES_MIN: u32 = 512;

/// The size of the read buffer, in bytes.
const READ_BYTES: usize = 1024 * 1024;

/// The state of a log, judged by the log alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wal {
    /// The file does not exist, or is too short for a frame.
    Empty,
    /// The header is not valid, so SQLite treats the log as empty.
    HeaderDamaged {
        /// The length of the log in bytes.
        bytes: u64,
    },
    /// The header is valid.
    Readable(LogContent),
}

/// The extent of the committed transactions in a log.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct LogContent {
    /// The number of transactions before the first frame that is not valid.
    pub(super) transactions: u64,
    /// The number of the frame that ends the last of these transactions, from 1; 0 where there is
    /// none.
    pub(super) committed_frames: u64,
    /// The number of commit marks that SQLite drops because they follow the first frame that is not
    /// valid. Where these frames form several unbroken chains, the largest number of one chain.
    ///
    /// 1 is normal: a transaction was not committed and left a remnant. Either the power failed
    /// while the transaction was written, or its sync failed and the next transactions overwrote
    /// its first frames. A log can have several remnants, each in a chain of its own. 2 or more
    /// means that the damaged frame cuts off committed transactions: a transaction begins only when
    /// the one before is on disk, and continues its chain.
    pub(super) cut_off: u64,
    /// The number of the first frame that is not valid, from 1.
    pub(super) ends_at_frame: u64,
}

/// A valid frame.
pub(super) struct Frame<'a> {
    /// The number of the frame's transaction, from 1. The transaction is committed only if the
    /// number is at most [`LogContent::transactions`].
    pub(super) transaction: u64,
    /// The number of the page, from 1.
    pub(super) page: u32,
    /// The content of the page.
    pub(super) image: &'a [u8],
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Checksum(u32, u32);

/// The byte order of the numbers that a log's checksums add up.
#[derive(Clone, Copy)]
enum ByteOrder {
    Big,
    Little,
}

impl ByteOrder {
    /// Continues a checksum over `bytes`, whose length is a multiple of 8.
    fn sums(self, Checksum(mut first, mut second): Checksum, bytes: &[u8]) -> Checksum {
        for pair in bytes.as_chunks::<8>().0 {
            let [a, b, c, d, e, f, g, h] = *pair;
            let (one, other) = match self {
                Self::Big => (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])),
                Self::Little => {
                    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
                }
            };
            first = first.wrapping_add(one).wrapping_add(second);
            second = second.wrapping_add(other).wrapping_add(first);
        }
        Checksum(first, second)
    }
}

/// The big-endian number at the offset `at`; 0 beyond the end.
pub(super) fn big_endian_u32(bytes: &[u8], at: usize) -> u32 {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk());
    found.map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

fn sums_at(bytes: &[u8], at: usize) -> Checksum {
    Checksum(big_endian_u32(bytes, at), big_endian_u32(bytes, at + 4))
}

/// The header of a log.
struct Header {
    order: ByteOrder,
    page_bytes: usize,
    salts: Checksum,
    sums: Checksum,
}

impl Header {
    fn parse(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let (magic, page_bytes) = (big_endian_u32(bytes, 0), big_endian_u32(bytes, 8));
        let order = if magic & 1 == 1 { ByteOrder::Big } else { ByteOrder::Little };
        let sums = order.sums(Checksum(0, 0), bytes.get(..24)?);
        let valid = magic & !1 == MAGIC
            && (PAGE_BYTES_MIN..=PAGE_BYTES_MAX).contains(&page_bytes)
            && page_bytes.is_power_of_two()
            && sums == sums_at(bytes, 24);
        let page_bytes = usize::try_from(page_bytes).ok()?;
        valid.then(|| Self { order, page_bytes, salts: sums_at(bytes, 16), sums })
    }
}

/// Reads a log and calls `show` with each valid frame in order.
///
/// # Errors
/// The file cannot be read.
pub(super) fn read(file: &Path, show: impl FnMut(&Frame<'_>)) -> io::Result<Wal> {
    let opened = match File::open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Wal::Empty),
        opened => opened?,
    };
    let bytes = opened.metadata()?.len();
    if bytes <= HEADER_BYTES as u64 {
        return Ok(Wal::Empty);
    }
    let mut input = BufReader::with_capacity(READ_BYTES, opened);
    let mut header = [0; HEADER_BYTES];
    input.read_exact(&mut header)?;
    let Some(Header { order, page_bytes, salts, sums }) = Header::parse(&header) else {
        return Ok(Wal::HeaderDamaged { bytes });
    };
    let begin = ChainStart { order, page_bytes, salts: Some(salts), sums: Some(sums) };
    frames(&mut input, begin, show).map(Wal::Readable)
}

/// Reads a log with a damaged header and calls `show` with each frame that continues the chain of
/// the first frame. The first frame cannot be verified and counts as valid.
///
/// # Errors
/// The file cannot be read.
pub(super) fn read_without_header(
    file: &Path,
    page_bytes: usize,
    show: impl FnMut(&Frame<'_>),
) -> io::Result<LogContent> {
    let mut input = BufReader::with_capacity(READ_BYTES, File::open(file)?);
    input.read_exact(&mut [0; HEADER_BYTES])?;
    let order = if cfg!(target_endian = "big") { ByteOrder::Big } else { ByteOrder::Little };
    frames(&mut input, ChainStart { order, page_bytes, salts: None, sums: None }, show)
}

/// The values that the first frame of the chain must continue. `None` accepts the values of the
/// first frame.
struct ChainStart {
    order: ByteOrder,
    page_bytes: usize,
    salts: Option<Checksum>,
    sums: Option<Checksum>,
}

fn frames(
    input: &mut impl Read,
    begin: ChainStart,
    mut show: impl FnMut(&Frame<'_>),
) -> io::Result<LogContent> {
    let ChainStart { order, page_bytes, mut salts, mut sums } = begin;
    let mut frame = vec![0; FRAME_HEADER_BYTES + page_bytes];
    let mut found = LogContent { ends_at_frame: 1, ..LogContent::default() };
    let mut intact = true;
    // Whether the current chain belongs to this log and not to an overwritten one.
    let (mut chain_ours, mut chain_commits) = (true, 0);
    while read_frame(input, &mut frame)? {
        let (head, image) = frame.split_at(FRAME_HEADER_BYTES);
        let ours = sums_at(head, 8) == *salts.get_or_insert_with(|| sums_at(head, 8));
        let (commits, claimed) = (big_endian_u32(head, 4) > 0, sums_at(head, 16));
        // After a damaged frame, the next frame is verified against the checksum that the damaged
        // one states.
        let linked = sums.replace(claimed).is_none_or(|before| {
            let head = head.get(..8).unwrap_or_default();
            order.sums(order.sums(before, head), image) == claimed
        });
        let valid = linked && ours && big_endian_u32(head, 0) > 0;
        if intact && valid {
            let (transaction, page) = (found.transactions + 1, big_endian_u32(head, 0));
            show(&Frame { transaction, page, image });
            if commits {
                found.transactions += 1;
                found.committed_frames = found.ends_at_frame;
            }
            found.ends_at_frame += 1;
            continue;
        }
        intact = false;
        if !linked {
            (chain_ours, chain_commits) = (false, 0);
        }
        chain_ours |= ours;
        chain_commits += u64::from(chain_ours && commits);
        found.cut_off = found.cut_off.max(chain_commits);
    }
    Ok(found)
}

/// Reads the next frame. Returns false where less than a frame is left.
fn read_frame(input: &mut impl Read, frame: &mut [u8]) -> io::Result<bool> {
    match input.read_exact(frame) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;
    use std::fs;

    /// A log with one transaction that creates a table, and one for each insert.
    fn log(inserts: u32) -> (tempfile::TempDir, std::path::PathBuf, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("test.db");
        let connection = Connection::open(&file).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        connection.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
        connection.execute_batch("CREATE TABLE t (x)").unwrap();
        for number in 0..inserts {
            connection.execute("INSERT INTO t VALUES (?1)", [number]).unwrap();
        }
        (folder, file.with_extension("db-wal"), connection)
    }

    fn committed(file: &Path) -> LogContent {
        match read(file, |_| ()).unwrap() {
            Wal::Readable(committed) => committed,
            other => panic!("{other:?}"),
        }
    }

    fn flip(file: &Path, at: usize) {
        let mut bytes = fs::read(file).unwrap();
        bytes[at] ^= 1;
        fs::write(file, bytes).unwrap();
    }

    #[test]
    fn every_transaction_is_read_and_its_pages_are_shown() {
        let (_folder, wal, _connection) = log(5);
        let mut shown = Vec::new();
        let read = read(&wal, |frame| shown.push((frame.transaction, frame.page))).unwrap();
        let Wal::Readable(found) = read else { panic!("{read:?}") };
        assert_eq!((found.transactions, found.cut_off), (6, 0));
        assert_eq!(shown.first(), Some(&(1, 1)));
        assert_eq!(shown.last(), Some(&(6, 2)));
        assert_eq!(found.ends_at_frame, shown.len() as u64 + 1);
    }

    #[test]
    fn commits_that_a_damaged_frame_cuts_off_are_counted() {
        let (_folder, wal, _connection) = log(5);
        // The fourth frame is that of the second insert; each insert is a frame of 4,120 bytes.
        for at in [0, 5, 9, 17, 24, 4_119] {
            flip(&wal, 32 + 3 * 4_120 + at);
            let found = committed(&wal);
            assert_eq!(found.transactions, 2, "those before the damaged frame");
            assert!(found.cut_off >= 2, "{found:?} at {at}");
            flip(&wal, 32 + 3 * 4_120 + at);
        }
        let undamaged = fs::read(&wal).unwrap();
        let mut bytes = undamaged.clone();
        bytes[32 + 3 * 4_120..][..16].fill(0);
        fs::write(&wal, bytes).unwrap();
        assert!(committed(&wal).cut_off >= 2, "a frame without salts");
        fs::write(&wal, undamaged).unwrap();
        flip(&wal, 32 + 6 * 4_120 + 30);
        assert_eq!(committed(&wal).cut_off, 1, "the last one may not have been committed");
    }

    #[test]
    fn a_log_that_restarted_ends_where_the_old_frames_begin() {
        let (_folder, wal, connection) = log(5);
        connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
        connection.execute("INSERT INTO t VALUES (9)", []).unwrap();
        let found = committed(&wal);
        assert_eq!((found.transactions, found.cut_off), (1, 0));
    }

    #[test]
    fn a_damaged_header_and_an_empty_log_are_told_apart() {
        let (folder, wal, _connection) = log(1);
        flip(&wal, 20);
        assert!(matches!(read(&wal, |_| ()).unwrap(), Wal::HeaderDamaged { bytes } if bytes > 32));
        fs::write(&wal, [0; 32]).unwrap();
        assert_eq!(read(&wal, |_| ()).unwrap(), Wal::Empty);
        assert_eq!(read(&folder.path().join("none"), |_| ()).unwrap(), Wal::Empty);
    }

    /// A log in which the sync of a transaction failed, so that the next transaction overwrote its
    /// first frames. Both transactions are made in copies of the log from before.
    fn after_a_failed_transaction(log: &LogCopy, rows: u32) -> LogCopy {
        let failed = log.copy();
        failed.insert(rows);
        let next = log.copy();
        next.insert(1);
        let valid = usize::try_from(committed(&next.file).ends_at_frame - 1).unwrap() * 4_120;
        let (mut bytes, next_bytes) = (failed.bytes(), next.bytes());
        bytes[..32 + valid].copy_from_slice(&next_bytes[..32 + valid]);
        fs::write(&next.file, bytes).unwrap();
        next.copy()
    }

    /// A log that can be copied with its database.
    struct LogCopy {
        _folder: tempfile::TempDir,
        file: std::path::PathBuf,
        connection: Connection,
    }

    impl LogCopy {
        fn at(folder: tempfile::TempDir) -> Self {
            let file = folder.path().join("test.db");
            let connection = Connection::open(&file).unwrap();
            connection.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
            Self { _folder: folder, file: file.with_extension("db-wal"), connection }
        }

        fn copy(&self) -> Self {
            let folder = tempfile::tempdir().unwrap();
            fs::copy(self.file.with_extension("db"), folder.path().join("test.db")).unwrap();
            fs::copy(&self.file, folder.path().join("test.db-wal")).unwrap();
            Self::at(folder)
        }

        /// A transaction of about two pages for each row.
        fn insert(&self, rows: u32) {
            let rows = format!(
                "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
                 WHERE i < {rows}) SELECT randomblob(6000) FROM n"
            );
            self.connection.execute(&rows, []).unwrap();
        }

        fn bytes(&self) -> Vec<u8> {
            fs::read(&self.file).unwrap()
        }
    }

    #[test]
    fn remnants_of_failed_transactions_do_not_count_as_commits() {
        let (folder, _, connection) = log(5);
        let begun =
            LogCopy { file: folder.path().join("test.db-wal"), _folder: folder, connection };
        let once = after_a_failed_transaction(&begun, 90);
        let twice = after_a_failed_transaction(&once, 60);
        let thrice = after_a_failed_transaction(&twice, 1);
        for (log, transactions) in [(&once, 7), (&twice, 8), (&thrice, 9)] {
            let found = committed(&log.file);
            assert_eq!((found.transactions, found.cut_off), (transactions, 1));
        }
        // Damage is still recognised beside remnants.
        for at in [0, 5, 9, 17, 24, 4_119] {
            flip(&thrice.file, 32 + 3 * 4_120 + at);
            let found = committed(&thrice.file);
            assert!(found.transactions == 2 && found.cut_off >= 2, "{found:?} at {at}");
            flip(&thrice.file, 32 + 3 * 4_120 + at);
        }
    }

    #[test]
    fn a_failed_transaction_of_one_frame_leaves_nothing() {
        let (folder, _, connection) = log(5);
        let begun =
            LogCopy { file: folder.path().join("test.db-wal"), _folder: folder, connection };
        let copies = [begun.copy(), begun.copy()];
        for (number, copy) in (0..).zip(&copies) {
            copy.connection.execute("INSERT INTO t VALUES (?1)", [number]).unwrap();
        }
        assert_eq!(copies[0].bytes().len(), copies[1].bytes().len());
        assert_eq!(committed(&copies[1].file).cut_off, 0);
    }
}

//! The listing index: finds the reservations that name a product, a location, or both.
//!
//! An index row for each line would cost each hold a page per line. So the index is built like a
//! log-structured merge tree. The entries of the latest reservations are in memory. When they reach
//! [`RUN_ENTRIES`], they are written as a *run*: sorted entries in blocks. A search looks in memory
//! and then in one run after another, the newest first. After a restart, the entries that no run
//! covers are read from the lines of the latest reservations.
//!
//! The index returns reservations that *may* match: terms are hashes, and a reservation keeps the
//! terms of lines that were replaced. The caller tests each reservation.

use super::mark;
use crate::model::{LocationId, ProductId, Reservation, ReservationFilter, ReservationLine};
use rusqlite::{Connection, OptionalExtension, params};
use siphasher::sip::SipHasher13;
use std::{
    hash::Hasher,
    sync::{PoisonError, RwLock},
};

/// The number of entries in memory, of 16 bytes each, with which a run is written.
const RUN_ENTRIES: usize = 65_536;

/// The number of entries in a sorted chunk in memory.
const CHUNK_ENTRIES: usize = 4_096;

/// The most entries of a block, and the bytes of an entry in it. A block fits one page of the
/// database.
const ENTRIES_PER_BLOCK: usize = 320;
const ENTRY_BYTES: usize = 12;

/// The most runs that one search reads.
const RUNS_MAX: u32 = 4_096;

const BLOCKS: &str = "SELECT first_term, entries FROM listing_block \
     WHERE run_no = ?1 AND last_term >= ?2 ORDER BY last_term, block_no";

const RUNS: &str = "SELECT run_no, first_reservation FROM listing_run \
     WHERE first_reservation < ?1 ORDER BY run_no DESC LIMIT ?2";

const MOVED: &str = "SELECT reservation_no FROM listing_moved WHERE term = ?1 \
     AND reservation_no < ?2 AND reservation_no >= ?3 ORDER BY reservation_no DESC LIMIT ?4";

const UNINDEXED: &str = "SELECT reservation_no, product_id, location_id FROM reservation_line \
     JOIN stock USING (stock_id) WHERE reservation_no > ?1 ORDER BY reservation_no";

/// A search term: a hash of a product, a location, or both. The hash algorithm is part of the file
/// format.
pub(super) type Term = i64;

fn term(product: Option<&str>, location: Option<&str>) -> Term {
    let mut hasher = SipHasher13::new();
    for part in [product, location] {
        // Ids are never empty.
        let part = part.unwrap_or_default().as_bytes();
        hasher.write_u8(u8::try_from(part.len()).unwrap_or(u8::MAX));
        hasher.write(part);
    }
    hasher.finish().cast_signed()
}

/// The most selective term of a filter; `None` where the filter names neither product nor location.
pub(super) fn term_of(filter: &ReservationFilter) -> Option<Term> {
    let product = filter.product_id.as_ref().map(ProductId::as_str);
    let location = filter.location_id.as_ref().map(LocationId::as_str);
    (product.is_some() || location.is_some()).then(|| term(product, location))
}

/// A term, and the number of a reservation that has it.
type Entry = (Term, i64);

/// Adds the entries of a reservation. The entry of a location is added once for consecutive lines,
/// so it can occur more than once.
fn add_terms<'a>(
    keys: impl Iterator<Item = (&'a str, &'a str)>,
    number: i64,
    entries: &mut Vec<Entry>,
) {
    let mut last = None;
    for (product, location) in keys {
        entries.push((term(Some(product), None), number));
        if last != Some(location) {
            entries.push((term(None, Some(location)), number));
        }
        entries.push((term(Some(product), Some(location)), number));
        last = Some(location);
    }
}

fn keys(lines: &[ReservationLine]) -> impl Iterator<Item = (&str, &str)> {
    lines.iter().map(|line| (line.key.product_id.as_str(), line.key.location_id.as_str()))
}

/// The entries in memory, which no run covers. The writer appends entries while readers search. An
/// entry that is newer than a reader's commit does no harm, because the reader does not find the
/// entry's reservation in the database.
pub(super) struct Recent {
    /// The number of the first reservation that no run covers.
    first: i64,
    entries: RwLock<Entries>,
}

/// Entries in sorted chunks of [`CHUNK_ENTRIES`], and the latest ones unsorted. So a commit only
/// appends, and a reader searches few chunks.
#[derive(Default)]
struct Entries {
    sorted: Vec<Vec<Entry>>,
    latest: Vec<Entry>,
    /// The highest number of a reservation that has entries.
    last: i64,
}

impl Entries {
    fn add(&mut self, entry: Entry) {
        self.latest.push(entry);
        if self.latest.len() == CHUNK_ENTRIES {
            let mut chunk = std::mem::replace(&mut self.latest, Vec::with_capacity(CHUNK_ENTRIES));
            chunk.sort_unstable();
            self.sorted.push(chunk);
        }
    }

    fn count(&self) -> usize {
        self.sorted.len() * CHUNK_ENTRIES + self.latest.len()
    }

    /// The numbers of the reservations with a term, unordered; a number can occur more than once.
    fn of(&self, term: Term) -> impl Iterator<Item = i64> {
        let sorted = self.sorted.iter().flat_map(move |chunk| {
            let from = chunk.partition_point(|(its, _)| *its < term);
            let behind = chunk.get(from..).unwrap_or_default();
            behind.iter().take_while(move |(its, _)| *its == term)
        });
        let latest = self.latest.iter().filter(move |(its, _)| *its == term);
        sorted.chain(latest).map(|(_, number)| *number)
    }

    /// All entries in ascending order, without duplicates.
    fn in_order(&self) -> Vec<Entry> {
        let mut all = Vec::with_capacity(self.count());
        self.sorted.iter().for_each(|chunk| all.extend_from_slice(chunk));
        all.extend_from_slice(&self.latest);
        // The stable sort detects the sorted chunks and merges them.
        all.sort();
        all.dedup();
        all
    }
}

impl Recent {
    /// No entries yet. `covered` is the number of the last reservation that a run covers; 0 where
    /// there is no run.
    pub(super) fn after(covered: i64) -> Self {
        Self { first: covered + 1, entries: RwLock::default() }
    }

    /// Adds the entries of a commit.
    pub(super) fn add(&self, new: &[Entry]) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        for entry in new {
            entries.last = entries.last.max(entry.1);
            entries.add(*entry);
        }
    }

    /// Up to `most` numbers of reservations with a term, below `before`, the highest first.
    fn numbers(&self, term: Term, before: i64, most: usize) -> Vec<i64> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let mut numbers: Vec<_> = entries.of(term).filter(|number| *number < before).collect();
        drop(entries);
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        numbers.dedup();
        numbers.truncate(most);
        numbers
    }

    fn count(&self) -> usize {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).count()
    }
}

/// The changes of the index by a commit.
#[derive(Default)]
pub(super) struct IndexUpdate {
    new: Vec<Entry>,
    /// The entries in memory from this commit on, where the commit writes a run; otherwise `None`.
    next: Option<Recent>,
}

impl IndexUpdate {
    /// Adds the new terms of a reservation that is written. Where a run covers the reservation
    /// already, the terms are written to the database at once.
    pub(super) fn add(
        &mut self,
        connection: &Connection,
        recent: &Recent,
        number: i64,
        before: Option<&Reservation>,
        after: &Reservation,
    ) -> rusqlite::Result<()> {
        let lines = |it: &ReservationLine, other: &ReservationLine| it.key == other.key;
        let same = |before: &&Reservation| {
            before.lines.len() == after.lines.len()
                && before.lines.iter().zip(&after.lines).all(|(a, b)| lines(a, b))
        };
        if before.is_some_and(|before| same(&before)) {
            return Ok(());
        }
        let Some(before) = before else {
            add_terms(keys(&after.lines), number, &mut self.new);
            return Ok(());
        };
        let (mut new, mut known) = (Vec::new(), Vec::new());
        add_terms(keys(&after.lines), number, &mut new);
        add_terms(keys(&before.lines), number, &mut known);
        known.sort_unstable();
        new.retain(|entry| known.binary_search(entry).is_err());
        if number >= recent.first {
            self.new.append(&mut new);
            return Ok(());
        }
        write_moved(connection, &new)
    }

    /// Writes a run if the entries in memory have reached [`RUN_ENTRIES`].
    pub(super) fn write_run(
        &mut self,
        connection: &Connection,
        recent: &Recent,
    ) -> rusqlite::Result<()> {
        if recent.count() < RUN_ENTRIES {
            return Ok(());
        }
        self.begin_after(connection, write_run(connection, recent)?)
    }

    /// Replaces the entries in memory after a run was written. The entries that this commit adds to
    /// reservations of the new run are not in the run, so they are written separately.
    fn begin_after(&mut self, connection: &Connection, next: Recent) -> rusqlite::Result<()> {
        let covered = |entry: &mut Entry| entry.1 < next.first;
        let moved: Vec<Entry> = self.new.extract_if(.., covered).collect();
        write_moved(connection, &moved)?;
        self.next = Some(next);
        Ok(())
    }

    /// Applies the update once it is committed. Returns the new entries in memory if they replace
    /// `recent`.
    pub(super) fn apply(self, recent: &Recent) -> Option<Recent> {
        let next = self.next.as_ref();
        next.unwrap_or(recent).add(&self.new);
        self.next
    }
}

/// Writes entries of reservations that a run covers already to the table `listing_moved`.
fn write_moved(connection: &Connection, entries: &[Entry]) -> rusqlite::Result<()> {
    let insert = "INSERT OR IGNORE INTO listing_moved (term, reservation_no) VALUES (?1, ?2)";
    let mut insert = connection.prepare_cached(insert)?;
    entries.iter().try_for_each(|(term, number)| insert.execute([term, number]).map(|_| ()))
}

/// Writes the entries in memory as a run. Returns the empty entries that follow the run.
fn write_run(connection: &Connection, recent: &Recent) -> rusqlite::Result<Recent> {
    let entries = recent.entries.read().unwrap_or_else(PoisonError::into_inner);
    connection
        .prepare_cached(
            "INSERT INTO listing_run (first_reservation, last_reservation) VALUES (?1, ?2)",
        )?
        .execute([recent.first, entries.last])?;
    let run = connection.last_insert_rowid();
    let mut insert = connection.prepare_cached(
        "INSERT INTO listing_block (run_no, first_term, last_term, entries) \
         VALUES (?1, ?2, ?3, ?4)",
    )?;
    let mut block = Block::default();
    for (term, number) in entries.in_order() {
        if block.bytes.len() == ENTRIES_PER_BLOCK * ENTRY_BYTES {
            block.write(&mut insert, run)?;
        }
        block.push(term, number - recent.first)?;
    }
    block.write(&mut insert, run)?;
    Ok(Recent::after(entries.last))
}

/// A block of entries that is being filled.
#[derive(Default)]
struct Block {
    /// The first term and the last; `None` in an empty block.
    span: Option<(Term, Term)>,
    bytes: Vec<u8>,
}

impl Block {
    fn push(&mut self, term: Term, offset: i64) -> rusqlite::Result<()> {
        let offset = u32::try_from(offset)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        self.span = Some((self.span.map_or(term, |(first, _)| first), term));
        self.bytes.extend_from_slice(&term.to_be_bytes());
        self.bytes.extend_from_slice(&offset.to_be_bytes());
        Ok(())
    }

    fn write(&mut self, insert: &mut rusqlite::Statement<'_>, run: i64) -> rusqlite::Result<()> {
        if let Some((first, last)) = self.span.take() {
            insert.execute(params![run, first, last, self.bytes])?;
            self.bytes.clear();
        }
        Ok(())
    }
}

/// The offsets of the reservations with a term in a block. An offset is relative to the first
/// reservation of the run.
fn offsets(block: &[u8], term: Term) -> impl Iterator<Item = u32> {
    let (entries, _) = block.as_chunks::<ENTRY_BYTES>();
    let entry = |entry: &[u8; ENTRY_BYTES]| {
        let [a, b, c, d, e, f, g, h, rest @ ..] = *entry;
        (Term::from_be_bytes([a, b, c, d, e, f, g, h]), u32::from_be_bytes(rest))
    };
    let from = entries.partition_point(|it| entry(it).0 < term);
    let behind = entries.get(from..).unwrap_or_default();
    behind.iter().map(entry).take_while(move |(its, _)| *its == term).map(|(_, offset)| offset)
}

/// The numbers of reservations that may match, the highest first.
pub(super) struct Candidates {
    pub(super) numbers: Vec<i64>,
    /// The number below which there may be more, where the search stopped early; otherwise `None`.
    pub(super) more_below: Option<i64>,
}

/// Searches for about `most` reservations with a term, with numbers below `before`.
pub(super) fn find(
    connection: &Connection,
    recent: &Recent,
    term: Term,
    before: i64,
    most: usize,
) -> rusqlite::Result<Candidates> {
    let mut numbers = recent.numbers(term, before, most);
    // All reservations with the term from this number on have been found.
    let mut reached = recent.first.min(before);
    let mut complete = false;
    if numbers.len() < most {
        let mut runs = connection.prepare_cached(RUNS)?;
        let mut runs = runs.query(params![before, RUNS_MAX])?;
        let mut looked = 0;
        complete = true;
        while let Some(run) = runs.next()? {
            let (run, first): (i64, i64) = (run.get(0)?, run.get(1)?);
            numbers.extend(in_run(connection, run, first, term, before)?);
            (reached, looked) = (first, looked + 1);
            if numbers.len() >= most || looked == RUNS_MAX {
                complete = false;
                break;
            }
        }
    }
    if complete {
        reached = 0;
    } else if numbers.len() > most {
        numbers.truncate(most);
    }
    if numbers.len() >= most {
        reached = reached.max(numbers.last().copied().unwrap_or(0));
        complete = false;
    }
    let limit = u32::try_from(most).unwrap_or(u32::MAX);
    let mut moved = connection.prepare_cached(MOVED)?;
    let moved: Vec<i64> = moved
        .query_map(params![term, before, reached, limit], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    if moved.len() >= most {
        reached = reached.max(moved.last().copied().unwrap_or(0));
        complete = false;
    }
    numbers.extend(moved);
    numbers.retain(|number| *number >= reached);
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    numbers.dedup();
    Ok(Candidates { numbers, more_below: (!complete).then_some(reached) })
}

/// The numbers below `before` of reservations with a term in one run, the highest first. `first` is
/// the number of the run's first reservation.
fn in_run(
    connection: &Connection,
    run: i64,
    first: i64,
    term: Term,
    before: i64,
) -> rusqlite::Result<Vec<i64>> {
    let mut numbers = Vec::new();
    let mut blocks = connection.prepare_cached(BLOCKS)?;
    let mut blocks = blocks.query([run, term])?;
    while let Some(block) = blocks.next()? {
        if block.get::<_, Term>(0)? > term {
            break;
        }
        let entries = block.get_ref(1)?.as_blob()?;
        let found = offsets(entries, term).map(|offset| first + i64::from(offset));
        numbers.extend(found.take_while(|number| *number < before));
    }
    numbers.reverse();
    Ok(numbers)
}

/// Reads the entries that no run covers from the lines of the reservations. Each time the entries
/// fill a run, it is written in a transaction of its own.
pub(super) fn catch_up(connection: &mut Connection) -> rusqlite::Result<Recent> {
    let mut runs = 0;
    loop {
        let transaction = connection.transaction()?;
        if let Some(recent) = read_uncovered(&transaction, true)? {
            if runs > 0 {
                tracing::info!(runs, "the listing index of reservations was brought up to date");
            }
            return Ok(recent);
        }
        // The write-ahead log may restart with this transaction.
        mark::renew(&transaction, mark::FileState::NeedsLog)?;
        transaction.commit()?;
        runs += 1;
    }
}

/// Reads the entries that no run covers, in a database that cannot be written.
pub(super) fn uncovered(connection: &Connection) -> rusqlite::Result<Recent> {
    // Never `None`, because no run is written.
    read_uncovered(connection, false)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

/// Reads the entries that no run covers. Returns `None` after writing a run: more entries may
/// follow.
fn read_uncovered(connection: &Connection, may_write: bool) -> rusqlite::Result<Option<Recent>> {
    let last = "SELECT last_reservation FROM listing_run ORDER BY run_no DESC LIMIT 1";
    let covered = connection.query_row(last, [], |row| row.get(0)).optional()?.unwrap_or(0);
    let recent = Recent::after(covered);
    let mut lines = connection.prepare(UNINDEXED)?;
    let mut lines = lines.query([covered])?;
    let mut at: Option<(i64, Vec<(String, String)>)> = None;
    let take = |recent: &Recent, (number, keys): (i64, Vec<(String, String)>)| {
        let keys = keys.iter().map(|(product, location)| (product.as_str(), location.as_str()));
        let mut entries = Vec::new();
        add_terms(keys, number, &mut entries);
        recent.add(&entries);
    };
    while let Some(row) = lines.next()? {
        let (number, key) = (row.get(0)?, (row.get(1)?, row.get(2)?));
        match &mut at {
            Some((current, keys)) if *current == number => keys.push(key),
            _ => {
                if let Some(done) = at.replace((number, vec![key])) {
                    take(&recent, done);
                    if may_write && recent.count() >= RUN_ENTRIES {
                        write_run(connection, &recent)?;
                        return Ok(None);
                    }
                }
            }
        }
    }
    if let Some(done) = at {
        take(&recent, done);
    }
    Ok(Some(recent))
}

#[cfg(test)]
#[path = "listing_tests.rs"]
mod tests;

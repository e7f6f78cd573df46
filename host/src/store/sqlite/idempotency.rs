//! Idempotency records: the answers to requests that may be sent again.
//!
//! Large records are bounded in bytes, per caller and in all: where a new one would exceed a bound,
//! the oldest go in the same commit. Small records count nowhere and go at their time only: a bound
//! over them, too, would forget a plain command's key within seconds at full speed.

use super::{
    connection::failed,
    rows::{Unsigned, unsigned},
};
use crate::{
    model::{StoreFailure, Timestamp},
    store::{IdempotencyBounds, IdempotencyKey, IdempotencyRecord, LargeRecords},
};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, params};
use std::collections::HashMap;

/// From this size on, in bytes, a record is a large one. Few answers to single commands are.
pub(super) const LARGE_BYTES_MIN: u64 = 16 * 1024;

/// What a record takes besides its response, its key and its caller, in bytes, about: its
/// fingerprint, its numbers, and its entries in indexes.
const OVERHEAD_BYTES: u64 = 128;

/// Bytes of records that one commit may remove beyond those that it adds, where a bound was
/// lowered.
const SURPLUS_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Bytes of large records that are forgotten at once when their time has come.
const FORGOTTEN_BYTES_MAX: u64 = 8 * 1024 * 1024;

const FIND: &str =
    "SELECT fingerprint, response FROM answer WHERE caller = ?1 AND key = ?2 AND at >= ?3";

const WRITE: &str = "INSERT OR IGNORE INTO answer \
     (caller, key, fingerprint, at, response, large_bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

const REMOVE: &str =
    "DELETE FROM answer WHERE caller = ?1 AND key = ?2 RETURNING caller, large_bytes";

const REMOVE_OLDEST_OF_CALLER: &str = "DELETE FROM answer WHERE answer_no = \
     (SELECT answer_no FROM answer INDEXED BY answer_large_by_caller \
     WHERE caller = ?1 AND large_bytes IS NOT NULL ORDER BY answer_no LIMIT 1) \
     RETURNING caller, large_bytes";

const REMOVE_OLDEST: &str = "DELETE FROM answer WHERE answer_no = \
     (SELECT answer_no FROM answer INDEXED BY answer_large_by_age \
     WHERE large_bytes IS NOT NULL ORDER BY answer_no LIMIT 1) \
     RETURNING caller, large_bytes";

/// The numbers rise with the time, so the oldest are the first.
const FORGET: &str = "DELETE FROM answer WHERE answer_no IN \
     (SELECT answer_no FROM answer WHERE answer_no <= ?3 ORDER BY answer_no LIMIT ?2) \
     AND at < ?1 RETURNING caller, large_bytes";

const LARGE_BY_AGE: &str = "SELECT answer_no, large_bytes FROM answer \
     INDEXED BY answer_large_by_age WHERE large_bytes IS NOT NULL ORDER BY answer_no";

/// Reads nothing but the index of large records.
const LARGE_BY_CALLER: &str = "SELECT caller, count(*), sum(large_bytes) FROM answer \
     INDEXED BY answer_large_by_caller WHERE large_bytes IS NOT NULL GROUP BY caller";

pub(super) fn find(
    connection: &Connection,
    key: &IdempotencyKey,
    since: Timestamp,
) -> Result<Option<IdempotencyRecord>, StoreFailure> {
    connection
        .prepare_cached(FIND)
        .and_then(|mut statement| {
            statement
                .query_row(params![key.caller, key.key, Unsigned(since)], |row| {
                    Ok(IdempotencyRecord { fingerprint: row.get(0)?, response: row.get(1)? })
                })
                .optional()
        })
        .map_err(failed("looking for an earlier answer"))
}

/// The bytes that a record counts, where it is a large one.
fn large_bytes(key: &IdempotencyKey, record: &IdempotencyRecord) -> Option<u64> {
    let bytes = record.response.len() + key.key.len() + key.caller.len();
    let bytes = (bytes as u64).saturating_add(OVERHEAD_BYTES);
    (bytes >= LARGE_BYTES_MIN).then_some(bytes)
}

/// How many large records there are, and their bytes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Sum {
    records: u64,
    bytes: u64,
}

impl Sum {
    fn exceeds(self, bytes_max: u64) -> bool {
        // A record that is larger than the bound is kept alone.
        self.bytes > bytes_max && self.records > 1
    }
}

/// A large record that added or went.
struct LargeRecordChange {
    caller: String,
    bytes: u64,
    added: bool,
}

/// Writes and removes records, and knows the sums over the large ones.
#[derive(Default)]
pub(super) struct IdempotencyRecords {
    callers: HashMap<String, Sum>,
    all: Sum,
    /// Large records that went before their time, since the start.
    forgotten_early: u64,
    /// What changed since the last commit, and how many of it went early.
    uncommitted: Vec<LargeRecordChange>,
    uncommitted_early: u64,
}

impl IdempotencyRecords {
    /// Reads the sums again.
    pub(super) fn read(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.roll_back();
        let mut statement = connection.prepare(LARGE_BY_CALLER)?;
        let sums = statement.query_map([], |row| {
            Ok((row.get(0)?, Sum { records: unsigned(row, 1)?, bytes: unsigned(row, 2)? }))
        })?;
        self.callers = sums.collect::<rusqlite::Result<_>>()?;
        self.all = self.callers.values().fold(Sum::default(), |all, it| Sum {
            records: all.records + it.records,
            bytes: all.bytes + it.bytes,
        });
        Ok(())
    }

    /// The bytes that are kept, and how many records went early.
    pub(super) fn figures(&self) -> LargeRecords {
        LargeRecords { bytes: self.all.bytes, forgotten_early: self.forgotten_early }
    }

    /// Writes the records of a batch. For each large one that exceeds a bound, the oldest go.
    pub(super) fn write(
        &mut self,
        connection: &Connection,
        records: &HashMap<IdempotencyKey, IdempotencyRecord>,
        bounds: IdempotencyBounds,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        let mut added: HashMap<&str, u64> = HashMap::new();
        for (key, record) in records {
            let large = large_bytes(key, record);
            self.insert(connection, key, record, large, now)?;
            if let Some(bytes) = large {
                *added.entry(&key.caller).or_default() += bytes;
            }
        }
        for (caller, added) in &added {
            let exceeded = |it: &Self| {
                it.callers.get(*caller).is_some_and(|sum| sum.exceeds(bounds.caller_bytes_max))
            };
            self.make_room(*added, exceeded, connection, REMOVE_OLDEST_OF_CALLER, [caller])?;
        }
        let exceeded = |it: &Self| it.all.exceeds(bounds.bytes_max);
        self.make_room(added.values().sum(), exceeded, connection, REMOVE_OLDEST, [])
    }

    fn insert(
        &mut self,
        connection: &Connection,
        key: &IdempotencyKey,
        record: &IdempotencyRecord,
        large: Option<u64>,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        let IdempotencyKey { caller, key } = key;
        let IdempotencyRecord { fingerprint, response } = record;
        let mut statement = connection.prepare_cached(WRITE)?;
        let mut insert = || {
            let large = large.map(Unsigned);
            statement.execute(params![caller, key, fingerprint, Unsigned(now), response, large])
        };
        if insert()? == 0 {
            // A key that is old enough to be forgotten may be taken again before it is.
            self.remove(connection.prepare_cached(REMOVE)?, params![caller, key])?;
            insert()?;
        }
        if let Some(bytes) = large {
            self.note(LargeRecordChange { caller: caller.clone(), bytes, added: true });
        }
        Ok(())
    }

    /// Removes the oldest records, one by one, while a bound is exceeded. Where it was kept before
    /// the commit, it is kept after it: at least as much may go as added.
    fn make_room<P: Params + Copy>(
        &mut self,
        added: u64,
        exceeded: impl Fn(&Self) -> bool,
        connection: &Connection,
        oldest: &str,
        whose: P,
    ) -> rusqlite::Result<()> {
        let mut left = added.saturating_add(SURPLUS_BYTES_MAX);
        while left > 0 && exceeded(self) {
            let removed = self.remove(connection.prepare_cached(oldest)?, whose)?;
            if removed.bytes == 0 {
                break;
            }
            self.uncommitted_early += removed.records;
            left = left.saturating_sub(removed.bytes);
        }
        Ok(())
    }

    /// Forgets some records from before `before`, up to `limit` and a bound in bytes. Returns
    /// whether there may be more.
    pub(super) fn forget(
        &mut self,
        connection: &Connection,
        before: Timestamp,
        limit: u32,
    ) -> Result<bool, StoreFailure> {
        self.some_of_large(connection)
            .and_then(|last| {
                let statement = connection.prepare_cached(FORGET)?;
                self.remove(statement, params![Unsigned(before), limit, last])
            })
            .map(|gone| gone.records >= u64::from(limit) || gone.bytes >= FORGOTTEN_BYTES_MAX)
            .map_err(failed("forgetting old answers"))
    }

    /// The number up to which records may be forgotten at once.
    fn some_of_large(&self, connection: &Connection) -> rusqlite::Result<i64> {
        if self.all.bytes <= FORGOTTEN_BYTES_MAX {
            return Ok(i64::MAX);
        }
        let mut statement = connection.prepare_cached(LARGE_BY_AGE)?;
        let (mut rows, mut bytes) = (statement.query([])?, 0);
        while let Some(row) = rows.next()? {
            bytes += unsigned(row, 1)?;
            if bytes >= FORGOTTEN_BYTES_MAX {
                return row.get(0);
            }
        }
        Ok(i64::MAX)
    }

    /// Runs a statement that removes records. Returns how many, and the bytes of the large ones.
    fn remove(
        &mut self,
        mut statement: CachedStatement<'_>,
        which: impl Params,
    ) -> rusqlite::Result<Sum> {
        let (mut rows, mut removed) = (statement.query(which)?, Sum::default());
        let mut changes = Vec::new();
        while let Some(row) = rows.next()? {
            removed.records += 1;
            if row.get_ref(1)? != rusqlite::types::ValueRef::Null {
                let bytes = unsigned(row, 1)?;
                removed.bytes += bytes;
                changes.push(LargeRecordChange { caller: row.get(0)?, bytes, added: false });
            }
        }
        changes.into_iter().for_each(|change| self.note(change));
        Ok(removed)
    }

    fn note(&mut self, change: LargeRecordChange) {
        self.apply(&change, change.added);
        self.uncommitted.push(change);
    }

    fn apply(&mut self, change: &LargeRecordChange, added: bool) {
        let LargeRecordChange { caller, bytes, .. } = change;
        let known = self.callers.entry(caller.clone()).or_default();
        for sum in [&mut *known, &mut self.all] {
            if added {
                sum.records += 1;
                sum.bytes += bytes;
            } else {
                sum.records = sum.records.saturating_sub(1);
                sum.bytes = sum.bytes.saturating_sub(*bytes);
            }
        }
        if known.records == 0 {
            self.callers.remove(caller);
        }
    }

    /// What was written since the last commit is committed.
    pub(super) fn commit(&mut self) {
        self.uncommitted.clear();
        self.forgotten_early += std::mem::take(&mut self.uncommitted_early);
    }

    /// What was written since the last commit is undone.
    pub(super) fn roll_back(&mut self) {
        for change in std::mem::take(&mut self.uncommitted).iter().rev() {
            self.apply(change, !change.added);
        }
        self.uncommitted_early = 0;
    }
}

#[cfg(test)]
#[path = "idempotency_tests.rs"]
mod tests;

//! Idempotency records, in the table `answer`.
//!
//! Large records are bounded in bytes, per caller and in all: the commit of a new record that
//! exceeds a bound evicts the oldest large records. Small records are not counted and are deleted
//! only when they expire. If the bounds counted them too, a server at full speed would evict the
//! key of a single command within seconds.

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

/// The size from which on a record is large, in bytes. Few answers to single commands are.
pub(super) const LARGE_BYTES_MIN: u64 = 16 * 1024;

/// The size of a record without its response, key and caller, in bytes, approximately: fingerprint,
/// numbers, and entries in indexes.
const OVERHEAD_BYTES: u64 = 128;

/// The most bytes that one commit evicts beyond those that it adds, after an operator has lowered a
/// bound.
const SURPLUS_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The most bytes of expired large records that one commit deletes.
const EXPIRED_BYTES_MAX: u64 = 8 * 1024 * 1024;

const FIND: &str =
    "SELECT fingerprint, response FROM answer WHERE caller = ?1 AND key = ?2 AND at >= ?3";

const WRITE: &str = "INSERT OR IGNORE INTO answer \
     (caller, key, fingerprint, at, response, large_bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

const DELETE: &str =
    "DELETE FROM answer WHERE caller = ?1 AND key = ?2 RETURNING caller, large_bytes";

const DELETE_OLDEST_OF_CALLER: &str = "DELETE FROM answer WHERE answer_no = \
     (SELECT answer_no FROM answer INDEXED BY answer_large_by_caller \
     WHERE caller = ?1 AND large_bytes IS NOT NULL ORDER BY answer_no LIMIT 1) \
     RETURNING caller, large_bytes";

const DELETE_OLDEST: &str = "DELETE FROM answer WHERE answer_no = \
     (SELECT answer_no FROM answer INDEXED BY answer_large_by_age \
     WHERE large_bytes IS NOT NULL ORDER BY answer_no LIMIT 1) \
     RETURNING caller, large_bytes";

/// Records are numbered in the order of their times, so the oldest have the smallest numbers.
const DELETE_EXPIRED: &str = "DELETE FROM answer WHERE answer_no IN \
     (SELECT answer_no FROM answer WHERE answer_no <= ?3 ORDER BY answer_no LIMIT ?2) \
     AND at < ?1 RETURNING caller, large_bytes";

const LARGE_BY_AGE: &str = "SELECT answer_no, large_bytes FROM answer \
     INDEXED BY answer_large_by_age WHERE large_bytes IS NOT NULL ORDER BY answer_no";

/// Reads only the index of large records.
const LARGE_BY_CALLER: &str = "SELECT caller, count(*), sum(large_bytes) FROM answer \
     INDEXED BY answer_large_by_caller WHERE large_bytes IS NOT NULL GROUP BY caller";

/// The record of a key, unless it was written before `since`.
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
        .map_err(failed("reading an idempotency record"))
}

/// The size of a record in bytes; `None` for a record that is not large.
fn large_bytes(key: &IdempotencyKey, record: &IdempotencyRecord) -> Option<u64> {
    let bytes = record.response.len() + key.key.len() + key.caller.len();
    let bytes = (bytes as u64).saturating_add(OVERHEAD_BYTES);
    (bytes >= LARGE_BYTES_MIN).then_some(bytes)
}

/// The number of records and their size in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Sum {
    records: u64,
    bytes: u64,
}

impl Sum {
    fn exceeds(self, bytes_max: u64) -> bool {
        // A single record that is larger than the bound is kept.
        self.bytes > bytes_max && self.records > 1
    }
}

/// The addition or deletion of a large record.
struct LargeRecordChange {
    caller: String,
    bytes: u64,
    /// Whether the record was added; otherwise it was deleted.
    added: bool,
}

/// Writes and deletes records, and keeps sums over the large ones.
#[derive(Default)]
pub(super) struct IdempotencyRecords {
    /// The sums over the large records of each caller who has any.
    callers: HashMap<String, Sum>,
    /// The sum over all large records.
    all: Sum,
    /// The number of large records that were evicted before they expired, since the start.
    forgotten_early: u64,
    /// The changes since the last commit, and the number of evictions among them.
    uncommitted: Vec<LargeRecordChange>,
    uncommitted_early: u64,
}

impl IdempotencyRecords {
    /// Reads the sums from the database.
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

    /// The size of the large records, and the number of evictions.
    pub(super) fn figures(&self) -> LargeRecords {
        LargeRecords { bytes: self.all.bytes, forgotten_early: self.forgotten_early }
    }

    /// Writes the records of a batch, and evicts the oldest large records while a bound is
    /// exceeded.
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
            self.evict(*added, exceeded, connection, DELETE_OLDEST_OF_CALLER, [caller])?;
        }
        let exceeded = |it: &Self| it.all.exceeds(bounds.bytes_max);
        self.evict(added.values().sum(), exceeded, connection, DELETE_OLDEST, [])
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
            // The key belongs to an expired record that has not been deleted yet.
            self.delete(connection.prepare_cached(DELETE)?, params![caller, key])?;
            insert()?;
        }
        if let Some(bytes) = large {
            self.note(LargeRecordChange { caller: caller.clone(), bytes, added: true });
        }
        Ok(())
    }

    /// Evicts the oldest records, one by one, while a bound is exceeded. One call may evict `added`
    /// bytes and [`SURPLUS_BYTES_MAX`] more, so a bound that held before the commit holds after it.
    fn evict<P: Params + Copy>(
        &mut self,
        added: u64,
        exceeded: impl Fn(&Self) -> bool,
        connection: &Connection,
        oldest: &str,
        whose: P,
    ) -> rusqlite::Result<()> {
        let mut left = added.saturating_add(SURPLUS_BYTES_MAX);
        while left > 0 && exceeded(self) {
            let deleted = self.delete(connection.prepare_cached(oldest)?, whose)?;
            if deleted.bytes == 0 {
                break;
            }
            self.uncommitted_early += deleted.records;
            left = left.saturating_sub(deleted.bytes);
        }
        Ok(())
    }

    /// Deletes up to `limit` records that were written before `before`, the oldest first, and at
    /// most about [`EXPIRED_BYTES_MAX`] of large ones. Returns whether more of them may be left.
    pub(super) fn delete_expired(
        &mut self,
        connection: &Connection,
        before: Timestamp,
        limit: u32,
    ) -> Result<bool, StoreFailure> {
        self.last_to_delete(connection)
            .and_then(|last| {
                let statement = connection.prepare_cached(DELETE_EXPIRED)?;
                self.delete(statement, params![Unsigned(before), limit, last])
            })
            .map(|deleted| {
                deleted.records >= u64::from(limit) || deleted.bytes >= EXPIRED_BYTES_MAX
            })
            .map_err(failed("deleting expired idempotency records"))
    }

    /// The number of the last record that one commit may delete, so that the large records up to it
    /// have about [`EXPIRED_BYTES_MAX`].
    fn last_to_delete(&self, connection: &Connection) -> rusqlite::Result<i64> {
        if self.all.bytes <= EXPIRED_BYTES_MAX {
            return Ok(i64::MAX);
        }
        let mut statement = connection.prepare_cached(LARGE_BY_AGE)?;
        let (mut rows, mut bytes) = (statement.query([])?, 0);
        while let Some(row) = rows.next()? {
            bytes += unsigned(row, 1)?;
            if bytes >= EXPIRED_BYTES_MAX {
                return row.get(0);
            }
        }
        Ok(i64::MAX)
    }

    /// Runs a statement that deletes records. Returns the number of deleted records, and the size
    /// of the large ones.
    fn delete(
        &mut self,
        mut statement: CachedStatement<'_>,
        which: impl Params,
    ) -> rusqlite::Result<Sum> {
        let (mut rows, mut deleted) = (statement.query(which)?, Sum::default());
        let mut changes = Vec::new();
        while let Some(row) = rows.next()? {
            deleted.records += 1;
            if row.get_ref(1)? != rusqlite::types::ValueRef::Null {
                let bytes = unsigned(row, 1)?;
                deleted.bytes += bytes;
                changes.push(LargeRecordChange { caller: row.get(0)?, bytes, added: false });
            }
        }
        changes.into_iter().for_each(|change| self.note(change));
        Ok(deleted)
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

    /// Notes that the changes since the last commit are committed.
    pub(super) fn commit(&mut self) {
        self.uncommitted.clear();
        self.forgotten_early += std::mem::take(&mut self.uncommitted_early);
    }

    /// Takes the changes since the last commit back from the sums.
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

//! The writer: one connection, used by one thread.

mod look_ahead;
mod reads;
mod recovery;
mod write;

use super::{
    LockedDatabase, catch_up, checkpoint,
    checkpointer::Checkpointer,
    connection::{self, failed},
    due::DueIndex,
    handles::ReservationHandle,
    idempotency::{self, IdempotencyRecords},
    installed, log_end,
    published::Published,
    recorded,
    write_back::WriteBack,
};
use crate::{
    model::{Digest, Installed, Map, StoreFailure, Timestamp},
    store::{
        BatchKeys, CommitError, Committed, IdempotencyKey, IdempotencyRecord, Lane, LargeRecords,
        LogEnd, LookAhead, batch::number_recorded,
    },
};
use rusqlite::Connection;
use std::{sync::Arc, time::Duration};

/// A batch to be committed to this store.
type Batch<'a, 'w> = crate::store::Batch<'a, 'w, SqliteLane>;

/// The writer: one connection, used by one thread.
pub struct SqliteLane {
    database: Arc<LockedDatabase>,
    connection: Connection,
    /// `None` once the lane is closed.
    checkpointer: Option<Checkpointer>,
    next_stock_id: i64,
    log_end: LogEnd,
    components: Map<Digest, i64>,
    /// Whether the database has recorded commands.
    has_recorded: bool,
    idempotency: IdempotencyRecords,
    published: Arc<Published>,
    write_back: WriteBack,
    due: DueIndex,
    /// Whether the database can be written, as far as the lane knows.
    writable: bool,
}

impl SqliteLane {
    pub(super) fn open(
        database: Arc<LockedDatabase>,
        published: Arc<Published>,
        idle: Duration,
    ) -> Result<Self, StoreFailure> {
        let doing = "opening the writing connection";
        let mut connection = connection::writable(&database.file).map_err(failed(doing))?;
        let writable = database.writable;
        if writable {
            // A complete checkpoint makes the first commit restart the log. SQLite then syncs the
            // header of the log before it writes the commit, so if the disk cannot sync, the commit
            // is certainly not in the log. Where this checkpoint fails, a first commit whose sync
            // fails has an unknown outcome.
            let _ = checkpoint::checkpoint_all(&connection);
        }
        let checkpointer = Checkpointer::start(&database.file, idle, !writable)?;
        checkpointer.watch(&mut connection).map_err(failed(doing))?;
        let mut lane = Self {
            database,
            connection,
            checkpointer: Some(checkpointer),
            next_stock_id: 1,
            log_end: LogEnd::default(),
            components: Map::default(),
            has_recorded: false,
            idempotency: IdempotencyRecords::default(),
            write_back: WriteBack::new(published.sequence()),
            published,
            due: DueIndex::default(),
            writable,
        };
        lane.read_state().map_err(failed("reading the end of the log"))?;
        Ok(lane)
    }

    #[cfg(test)]
    pub(super) fn idempotency(&self) -> &IdempotencyRecords {
        &self.idempotency
    }

    /// Reads the state that the lane keeps in memory from the database.
    fn read_state(&mut self) -> rusqlite::Result<()> {
        let last = "SELECT coalesce(max(stock_id), 0) FROM stock";
        self.next_stock_id = self.connection.query_row(last, [], |row| row.get::<_, i64>(0))? + 1;
        self.log_end = log_end::read(&self.connection)?;
        self.components = self
            .connection
            .prepare("SELECT digest, component_id FROM component")?
            .query_map([], |row| Ok((Digest(row.get(0)?), row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        self.has_recorded = recorded::any(&self.connection)?;
        self.idempotency.read(&self.connection)
    }

    fn run(&self, statement: &'static str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(statement)?.execute([]).map(|_| ())
    }
}

impl Lane for SqliteLane {
    /// Begins one transaction for the reads and the writes of the batch, so that its reads need no
    /// locks. The keys are not fetched in advance: a read is a function call in this process and
    /// not a round trip.
    fn begin_batch(&mut self, _: &BatchKeys<'_>) -> Result<(), StoreFailure> {
        if let Some(checkpointer) = &self.checkpointer {
            checkpointer.restart_log(&self.connection);
        }
        self.run("BEGIN IMMEDIATE").map_err(failed("beginning a batch"))
    }

    /// Never returns a conflict: no other process can write to the file, and there is one lane.
    fn commit(
        &mut self,
        mut batch: Batch<'_, '_>,
    ) -> Result<Committed<ReservationHandle>, CommitError> {
        let end = self.log_end.sequence;
        number_recorded(batch.recorded, end);
        let before = self.next_stock_id;
        let mut committing = false;
        let written = self.write_marked(&batch).and_then(|written| {
            committing = true;
            self.run("COMMIT")?;
            Ok(written)
        });
        match written {
            Ok(written) => {
                let reservation_handles = self.committed(&mut batch, written);
                let first_sequence = (!batch.log.is_empty()).then_some(end + 1);
                Ok(Committed { first_sequence, reservation_handles })
            }
            Err(error) => {
                self.roll_back();
                self.next_stock_id = before;
                self.components.clear();
                self.idempotency.roll_back();
                if let Some(checkpointer) = &self.checkpointer {
                    checkpointer.rolled_back();
                }
                let outcome_unknown = committing && self.may_have_lasted(&error);
                let failure = StoreFailure::new("committing a batch", error);
                Err(StoreFailure { outcome_unknown, ..failure }.into())
            }
        }
    }

    fn look_ahead(&mut self, now: Timestamp) -> Result<LookAhead, StoreFailure> {
        self.read_ahead(now).map_err(failed("reading ahead the holds that come due"))
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.published.next_due()
    }

    fn log_end(&mut self) -> Result<LogEnd, StoreFailure> {
        Ok(self.log_end)
    }

    fn installed(&mut self) -> Result<Option<Installed>, StoreFailure> {
        installed::find(&self.connection).map_err(failed("reading which component decides"))
    }

    fn idempotency_record(
        &mut self,
        key: &IdempotencyKey,
        since: Timestamp,
    ) -> Result<Option<IdempotencyRecord>, StoreFailure> {
        idempotency::find(&self.connection, key, since)
    }

    fn delete_idempotency_records(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<bool, StoreFailure> {
        self.idempotency.delete_expired(&self.connection, before, limit)
    }

    fn large_records(&self) -> LargeRecords {
        self.idempotency.figures()
    }

    fn writable(&self) -> bool {
        self.writable
    }

    fn recover(&mut self) -> Result<(), StoreFailure> {
        self.recover_all().map_err(failed("recovering the writing connection"))
    }

    fn close(&mut self) -> Result<(), StoreFailure> {
        self.checkpointer = None;
        catch_up::rows(&mut self.connection).map_err(failed("writing the rows that lag"))?;
        checkpoint::truncate_log(&mut self.connection).map_err(failed("checkpointing the database"))
    }
}

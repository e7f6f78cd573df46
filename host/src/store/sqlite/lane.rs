use super::{
    answers,
    append::Appender,
    checkpoint::Checkpointer,
    connection::{self, failed},
    lock::FileLock,
    reservations,
    rows::{Unsigned, unsigned},
    snapshot,
};
use crate::{
    model::{
        DeficitScan, Digest, Event, Map, ReservationPage, ReservationScan, Stock, StockKey,
        StockScan, StoreFailure, Timestamp,
    },
    store::{
        Answered, Batch, Handle, Lane, LogEnd, RequestKey, ReservationHandle, Snapshot, StockWrite,
        Stored, StoredDue, StoredReservation,
    },
};
use rusqlite::{Connection, OptionalExtension, Statement, params};
use std::{collections::HashMap, path::PathBuf, sync::Arc};

const INSERT_STOCK: &str = "INSERT INTO stock (product_id, location_id, stock_id, total, reserved, \
     unattributed, minimum, version, due_at, updated_at, event_count, last_event, created_at) \
     VALUES (?1, ?2, ?12, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?13)";

const UPDATE_STOCK: &str = "UPDATE stock SET total = ?3, reserved = ?4, unattributed = ?5, \
     minimum = ?6, version = ?7, due_at = ?8, updated_at = ?9, event_count = ?10, \
     last_event = ?11 \
     WHERE product_id = ?1 AND location_id = ?2";

/// The writer: one connection, used by one thread.
pub struct SqliteLane {
    file: PathBuf,
    connection: Connection,
    /// None once the lane is closed.
    checkpointer: Option<Checkpointer>,
    next_stock_id: i64,
    log_end: LogEnd,
    components: HashMap<Digest, i64>,
    _lock: Arc<FileLock>,
}

impl SqliteLane {
    pub(super) fn open(file: PathBuf, lock: Arc<FileLock>) -> Result<Self, StoreFailure> {
        let doing = "opening the writing connection";
        let mut connection = connection::writable(&file).map_err(failed(doing))?;
        let checkpointer = Checkpointer::start(&file)?;
        checkpointer.watch(&mut connection).map_err(failed(doing))?;
        let mut lane = Self {
            file,
            connection,
            checkpointer: Some(checkpointer),
            next_stock_id: 1,
            log_end: LogEnd::default(),
            components: HashMap::new(),
            _lock: lock,
        };
        lane.remember().map_err(failed("reading the end of the log"))?;
        Ok(lane)
    }

    /// What the lane keeps in memory, read anew.
    fn remember(&mut self) -> rusqlite::Result<()> {
        let last = "SELECT coalesce(max(stock_id), 0) FROM stock";
        self.next_stock_id = self.connection.query_row(last, [], |row| row.get::<_, i64>(0))? + 1;
        let last = "SELECT sequence, at FROM event ORDER BY sequence DESC LIMIT 1";
        self.log_end = self
            .connection
            .query_row(last, [], |row| {
                Ok(LogEnd { sequence: unsigned(row, 0)?, at: unsigned(row, 1)? })
            })
            .optional()?
            .unwrap_or_default();
        self.components = self
            .connection
            .prepare("SELECT digest, component_id FROM component")?
            .query_map([], |row| Ok((Digest(row.get(0)?), row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(())
    }

    /// Gives a component that is new to the log its number.
    fn know_component(&mut self, digest: Digest) -> rusqlite::Result<()> {
        if !self.components.contains_key(&digest) {
            self.connection.execute("INSERT INTO component (digest) VALUES (?1)", [&digest.0])?;
            self.components.insert(digest, self.connection.last_insert_rowid());
        }
        Ok(())
    }

    /// Writes everything, and returns the new handle of each stock and each reservation, in
    /// order.
    fn write(
        &mut self,
        batch: &Batch<'_, '_>,
    ) -> rusqlite::Result<(Vec<Handle>, Vec<ReservationHandle>)> {
        let Batch { stocks, reservations, log, answers, now } = batch;
        let mut handles: Map<_, _> = stocks
            .iter()
            .map(|write| (write.key, write.handle.unwrap_or_else(|| self.new_handle())))
            .collect();
        let ends = reservations
            .iter()
            .map(|write| (write.id, write.stored.and_then(|stored| stored.handle.last_event)));
        let mut ends: Map<_, _> = ends.collect();
        // Mostly one.
        for decided in log.chunk_by(|a, b| a.component == b.component) {
            if let Some(first) = decided.first() {
                self.know_component(first.component)?;
            }
        }
        let mut appender = Appender::new(&self.connection)?;
        let mut component = (Digest([0; 32]), 0);
        for entry in *log {
            if component.0 != entry.component {
                let known = self.components.get(&entry.component);
                let id = known.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
                component = (entry.component, *id);
            }
            let (handle, reservation) = match &entry.event {
                Event::Stock(event) => {
                    (handles.get_mut(&event.key), event.reservation_id.as_deref())
                }
                Event::Reservation(event) => (None, Some(event.reservation_id.as_str())),
            };
            let end = reservation.and_then(|id| ends.get_mut(id));
            appender.append(entry, component.1, handle, end)?;
        }
        let stock_id = |key: &StockKey| handles.get(key).map(|handle: &Handle| handle.stock_id);
        let mut reservation_handles = Vec::with_capacity(reservations.len());
        for write in *reservations {
            let last_event = ends.get(write.id).copied().flatten();
            let handle = reservations::write(&self.connection, write, last_event, &stock_id)?;
            reservation_handles.push(handle);
        }
        for (key, answered) in *answers {
            answers::write(&self.connection, key, answered, *now)?;
        }
        let mut update = self.connection.prepare_cached(UPDATE_STOCK)?;
        let handles: rusqlite::Result<Vec<_>> = stocks
            .iter()
            .map(|write| {
                let handle = handles.get(write.key).ok_or(rusqlite::Error::QueryReturnedNoRows)?;
                self.write_stock(&mut update, write, handle).map(|()| *handle)
            })
            .collect();
        Ok((handles?, reservation_handles))
    }

    fn new_handle(&mut self) -> Handle {
        let stock_id = self.next_stock_id;
        self.next_stock_id += 1;
        Handle { stock_id, event_count: 0, last_event: 0 }
    }

    fn write_stock(
        &self,
        update: &mut Statement<'_>,
        write: &StockWrite<'_>,
        handle: &Handle,
    ) -> rusqlite::Result<()> {
        let StockWrite { key, handle: known, stock } = write;
        let level = &stock.level;
        let (product, location) = (key.product_id.as_str(), key.location_id.as_str());
        let (total, reserved) = (Unsigned(level.total), Unsigned(level.reserved));
        let (unattributed, minimum) = (Unsigned(level.unattributed), Unsigned(level.minimum));
        let (version, due_at) = (Unsigned(level.version), stock.due_at.map(Unsigned));
        let updated_at = Unsigned(stock.updated_at);
        let (count, last) = (Unsigned(handle.event_count), Unsigned(handle.last_event));
        if known.is_some() {
            let changed = update.execute(params![
                product,
                location,
                total,
                reserved,
                unattributed,
                minimum,
                version,
                due_at,
                updated_at,
                count,
                last
            ])?;
            return if changed == 1 { Ok(()) } else { Err(rusqlite::Error::QueryReturnedNoRows) };
        }
        let (stock_id, created_at) = (handle.stock_id, Unsigned(stock.created_at));
        self.connection.prepare_cached(INSERT_STOCK)?.execute(params![
            product,
            location,
            total,
            reserved,
            unattributed,
            minimum,
            version,
            due_at,
            updated_at,
            count,
            last,
            stock_id,
            created_at
        ])?;
        Ok(())
    }

    fn run(&self, statement: &'static str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(statement)?.execute([]).map(|_| ())
    }

    /// Drops a transaction that failed; SQLite may have done so already.
    fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // The first error is the one to tell; `recover` sees to the rest.
            let _ = self.run("ROLLBACK");
        }
    }
}

impl Snapshot for SqliteLane {
    /// The one writer reads within its batch: nobody else changes what it sees.
    fn begin(&mut self) -> Result<(), StoreFailure> {
        Ok(())
    }

    fn end(&mut self) {}

    fn stock(&mut self, key: &StockKey) -> Result<Option<Stored>, StoreFailure> {
        snapshot::stock(&self.connection, key)
    }

    fn scan_stocks(&mut self, scan: &StockScan) -> Result<Vec<(StockKey, Stock)>, StoreFailure> {
        snapshot::scan_stocks(&self.connection, scan)
    }

    fn scan_deficits(
        &mut self,
        scan: &DeficitScan,
    ) -> Result<Vec<(StockKey, Stock)>, StoreFailure> {
        snapshot::scan_deficits(&self.connection, scan)
    }

    fn reservation(&mut self, id: &str) -> Result<Option<StoredReservation>, StoreFailure> {
        reservations::find(&self.connection, id)
    }

    fn due_holds(
        &mut self,
        key: Option<&StockKey>,
        until: Timestamp,
        limit: u32,
    ) -> Result<StoredDue, StoreFailure> {
        reservations::due(&self.connection, key, until, limit)
    }

    fn first_due(&mut self, limit: u32) -> Result<Vec<(String, Timestamp)>, StoreFailure> {
        reservations::first_due(&self.connection, limit)
    }

    fn scan_reservations(
        &mut self,
        scan: &ReservationScan,
    ) -> Result<ReservationPage, StoreFailure> {
        reservations::scan(&self.connection, scan)
    }
}

impl Lane for SqliteLane {
    /// One transaction for reading and writing: its reads need no locks of their own.
    fn begin_batch(&mut self) -> Result<(), StoreFailure> {
        if let Some(checkpointer) = &self.checkpointer {
            checkpointer.finish(&self.connection);
        }
        self.run("BEGIN IMMEDIATE").map_err(failed("beginning a batch"))
    }

    fn log_end(&mut self) -> Result<LogEnd, StoreFailure> {
        Ok(self.log_end)
    }

    fn commit(&mut self, batch: Batch<'_, '_>) -> Result<Vec<ReservationHandle>, StoreFailure> {
        let before = self.next_stock_id;
        let written = self.write(&batch).and_then(|handles| {
            self.run("COMMIT")?;
            Ok(handles)
        });
        match written {
            Ok((handles, reservation_handles)) => {
                for (write, handle) in batch.stocks.iter_mut().zip(handles) {
                    *write.handle = Some(handle);
                }
                if let Some(last) = batch.log.last() {
                    self.log_end = LogEnd { sequence: last.sequence, at: last.at };
                }
                Ok(reservation_handles)
            }
            Err(error) => {
                self.roll_back();
                self.next_stock_id = before;
                self.components.clear();
                Err(StoreFailure::new("committing a batch", error))
            }
        }
    }

    fn answered(
        &mut self,
        key: &RequestKey,
        since: Timestamp,
    ) -> Result<Option<Answered>, StoreFailure> {
        answers::find(&self.connection, key, since)
    }

    fn forget_answers(&mut self, before: Timestamp, limit: u32) -> Result<usize, StoreFailure> {
        answers::forget(&self.connection, before, limit)
    }

    /// A new connection, since an I/O error can leave the old one in any state; then a real
    /// write, since reading proves nothing about a full disk.
    fn recover(&mut self) -> Result<(), StoreFailure> {
        let doing = "recovering the writing connection";
        self.connection = connection::writable(&self.file).map_err(failed(doing))?;
        if let Some(checkpointer) = &self.checkpointer {
            checkpointer.watch(&mut self.connection).map_err(failed(doing))?;
        }
        self.remember().map_err(failed(doing))?;
        let version = super::migrations::LATEST_VERSION;
        self.connection.pragma_update(None, "user_version", version).map_err(failed(doing))
    }

    fn close(&mut self) -> Result<(), StoreFailure> {
        self.checkpointer = None;
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .map_err(failed("checkpointing the database"))
    }
}

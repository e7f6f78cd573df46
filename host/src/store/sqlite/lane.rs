use super::{
    Held,
    answers::{self, Answers},
    append::{Appender, EntryComponents},
    chain, checkpoint,
    checkpointer::Checkpointer,
    connection::{self, failed},
    due::{self, DueIndex, DueSums},
    durability, installed,
    lagging::{self, Change, Due, Lagging, Rounds},
    listing::{self, Indexing},
    mark::{self, Alone},
    recorded, reservations,
    rows::unsigned,
    snapshot,
    stocks::StockRows,
};
use crate::{
    model::{
        DeficitScan, Digest, Event, Installed, Level, LogEntry, Map, ReservationPage,
        ReservationScan, StockKey, StockScan, StoreFailure, Timestamp,
    },
    store::{
        Ahead, Answered, Batch, Handle, Lane, LargeAnswers, LogEnd, RequestKey, ReservationHandle,
        Snapshot, StockWrite, Stored, StoredReservation,
    },
};
use rusqlite::{Connection, OptionalExtension};
use std::{sync::Arc, time::Duration};

/// A stock of a batch.
struct Touched {
    handle: Handle,
    /// When its last event happened, and what it was then.
    last: Option<(Timestamp, Level)>,
}

/// What writing a batch has done, to be remembered once it is committed.
struct Written {
    handles: Vec<Handle>,
    reservation_handles: Vec<ReservationHandle>,
    changes: Vec<Change>,
    due_changes: Vec<due::Change>,
    indexing: Indexing,
    due: Due,
}

/// The writer: one connection, used by one thread.
pub struct SqliteLane {
    held: Arc<Held>,
    connection: Connection,
    /// None once the lane is closed.
    checkpointer: Option<Checkpointer>,
    next_stock_id: i64,
    log_end: LogEnd,
    components: Map<Digest, i64>,
    /// Whether there are recorded commands.
    has_recorded: bool,
    answers: Answers,
    lagging: Arc<Lagging>,
    rounds: Rounds,
    due: DueIndex,
    /// Whether the database can be written, as far as is known.
    writable: bool,
}

impl SqliteLane {
    pub(super) fn open(
        held: Arc<Held>,
        lagging: Arc<Lagging>,
        idle: Duration,
    ) -> Result<Self, StoreFailure> {
        let doing = "opening the writing connection";
        let mut connection = connection::writable(&held.file).map_err(failed(doing))?;
        let writable = held.writable;
        if writable {
            // So that the first commit begins a new log. If its sync fails, that of the new log's
            // header comes first, and the commit is certainly not in the log. If this fails, the
            // outcome of such a commit is unknown.
            let _ = checkpoint::moved_all(&connection);
        }
        let checkpointer = Checkpointer::start(&held.file, idle, !writable)?;
        checkpointer.watch(&mut connection).map_err(failed(doing))?;
        let mut lane = Self {
            held,
            connection,
            checkpointer: Some(checkpointer),
            next_stock_id: 1,
            log_end: LogEnd::default(),
            components: Map::default(),
            has_recorded: false,
            answers: Answers::default(),
            rounds: Rounds::new(lagging.sequence()),
            lagging,
            due: DueIndex::default(),
            writable,
        };
        lane.remember().map_err(failed("reading the end of the log"))?;
        Ok(lane)
    }

    #[cfg(test)]
    pub(super) fn answers(&self) -> &Answers {
        &self.answers
    }

    /// What the lane keeps in memory, read anew.
    fn remember(&mut self) -> rusqlite::Result<()> {
        let last = "SELECT coalesce(max(stock_id), 0) FROM stock";
        self.next_stock_id = self.connection.query_row(last, [], |row| row.get::<_, i64>(0))? + 1;
        let last = "SELECT sequence, at FROM event_row ORDER BY sequence DESC LIMIT 1";
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
        self.has_recorded = recorded::any(&self.connection)?;
        self.answers.read(&self.connection)
    }

    /// Writes everything.
    fn write(&mut self, batch: &Batch<'_, '_>) -> rusqlite::Result<Written> {
        let Batch { stocks, reservations, log, answers, answer_bounds, now, .. } = batch;
        let mut touched: Map<_, _> = stocks
            .iter()
            .map(|write| {
                let handle = write.handle.unwrap_or_else(|| self.new_handle());
                (write.key, Touched { handle, last: None })
            })
            .collect();
        let ends = reservations
            .iter()
            .map(|write| (write.id, write.stored.and_then(|stored| stored.handle.last_event)));
        let mut ends: Map<_, _> = ends.collect();
        self.write_log(log, &mut touched, &mut ends)?;
        let stock_id = |key: &StockKey| touched.get(key).map(|it| it.handle.stock_id);
        let known_or_stored =
            |key: &StockKey| reservations::stock_id(&self.connection, key, &stock_id);
        let mut reservation_handles = Vec::with_capacity(reservations.len());
        let mut due_changes = Vec::new();
        let (mut indexing, recent) = (Indexing::default(), self.lagging.recent());
        for write in *reservations {
            let last_event = ends.get(write.id).copied().flatten();
            let handle = reservations::write(&self.connection, write, last_event, &stock_id)?;
            let before = write.stored.map(|stored| &stored.reservation);
            let (id, after) = (write.id, Some(write.reservation));
            let changes = &mut due_changes;
            self.due.note(id, handle.number, before, after, &known_or_stored, changes)?;
            indexing.note(&self.connection, &recent, handle.number, before, write.reservation)?;
            if let Some(sequence) = last_event
                && chain::makes_anchor(
                    before.map_or(0, |before| before.status.version),
                    write.reservation.status.version,
                )
            {
                chain::write_anchor(&self.connection, handle.number, sequence)?;
            }
            reservation_handles.push(handle);
        }
        self.answers.write(&self.connection, answers, *answer_bounds, *now)?;
        self.write_decisions(batch)?;
        // Readers tell commits by their sequence.
        if !log.is_empty() {
            indexing.write_run(&self.connection, &recent)?;
        }
        let due = self.rounds.due(&self.lagging, log.len() as u64);
        let (handles, changes) = self.write_stocks(stocks, &touched, &due)?;
        Ok(Written { handles, reservation_handles, changes, due_changes, indexing, due })
    }

    /// Writes the log, and moves the ends of the chains that its entries are part of.
    fn write_log(
        &mut self,
        log: &[LogEntry],
        touched: &mut Map<&StockKey, Touched>,
        ends: &mut Map<&str, Option<u64>>,
    ) -> rusqlite::Result<()> {
        let mut appender = Appender::new(&self.connection)?;
        for entry in log {
            let mut number = |digest| component_id(&self.connection, &mut self.components, digest);
            let by = number(entry.component)?;
            let from = match &entry.event {
                Event::Domain(event) => Some(number(event.from)?),
                _ => None,
            };
            let (stock, reservation) = match &entry.event {
                Event::Stock(event) => {
                    let stock = touched.get_mut(&event.key).map(|stock| {
                        stock.last = Some((entry.at, event.to));
                        &mut stock.handle
                    });
                    (stock, event.reservation_id.as_deref())
                }
                Event::Reservation(event) => (None, Some(event.reservation_id.as_str())),
                Event::Domain(_) => (None, None),
            };
            let end = reservation.and_then(|id| ends.get_mut(id));
            appender.append(entry, EntryComponents { by, from }, stock, end)?;
        }
        Ok(())
    }

    /// Writes who decides, and what was decided.
    fn write_decisions(&mut self, batch: &Batch<'_, '_>) -> rusqlite::Result<()> {
        let mut number = |digest| component_id(&self.connection, &mut self.components, digest);
        if let Some(installed) = &batch.installed {
            installed::write(&self.connection, installed, &mut number)?;
        }
        if batch.recorded_max > 0 && !batch.recorded.is_empty() {
            recorded::write(&self.connection, batch.recorded, batch.recorded_max, &mut number)?;
            self.has_recorded = true;
        } else if self.has_recorded && batch.recorded_max == 0 && !batch.log.is_empty() {
            recorded::forget(&self.connection)?;
            self.has_recorded = false;
        }
        Ok(())
    }

    /// Writes the rows that may not lag, and those that have lagged long enough. Returns the new
    /// handle of each stock of the batch, in order, and what became of which row.
    fn write_stocks(
        &self,
        stocks: &[StockWrite<'_>],
        touched: &Map<&StockKey, Touched>,
        due: &Due,
    ) -> rusqlite::Result<(Vec<Handle>, Vec<Change>)> {
        let mut rows = StockRows::new(&self.connection)?;
        let mut handles = Vec::with_capacity(stocks.len());
        let mut changes = Vec::with_capacity(stocks.len() + due.rows.len());
        for write in stocks {
            let known = touched.get(write.key).ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            let (key, handle) = (Arc::new(write.key.clone()), known.handle);
            handles.push(handle);
            if write.handle.is_none() {
                rows.insert(&key, &handle, write.stock)?;
            } else if lagging::may_lag(write, known.last) && !due.includes(&key) {
                changes.push(Change::Lags(key, Stored { handle, stock: *write.stock }));
            } else {
                rows.update(&key, &handle, write.stock)?;
                changes.push(Change::Written(key));
            }
        }
        for (key, stored) in &due.rows {
            if !touched.contains_key(&**key) {
                rows.update(key, &stored.handle, &stored.stock)?;
                changes.push(Change::Written(Arc::clone(key)));
            }
        }
        if let Some(sequence) = due.current_to {
            lagging::note_current(&self.connection, sequence)?;
        }
        Ok((handles, changes))
    }

    /// One step of reading ahead; the first begins with what is due already.
    fn read_ahead(&mut self, now: Timestamp) -> rusqlite::Result<due::Step> {
        if self.due.known_before() == 0 {
            self.lagging.publish_due(DueSums::folded(now));
        }
        let step = self.due.read_ahead(&self.connection, now)?;
        self.lagging.extend_due(&step);
        self.note_first_due();
        Ok(step)
    }

    /// Everything that is known to come due, read again.
    fn read_due_anew(&self) -> rusqlite::Result<(DueIndex, DueSums)> {
        let now = self.due.known_before().saturating_sub(due::HORIZON_MS);
        let (mut index, mut sums) = (DueIndex::default(), DueSums::folded(now));
        loop {
            let step = index.read_ahead(&self.connection, now)?;
            sums.extend(&step);
            if !step.more {
                return Ok((index, sums));
            }
        }
    }

    /// Lets readers know when the first hold comes due.
    fn note_first_due(&self) {
        let first = reservations::first_due(&self.connection, 1);
        let at = match first.as_deref() {
            Ok([]) => Timestamp::MAX,
            Ok([(_, at), ..]) => *at,
            // Readers look for themselves.
            Err(_) => 0,
        };
        self.lagging.note_first_due(at);
    }

    fn new_handle(&mut self) -> Handle {
        let stock_id = self.next_stock_id;
        self.next_stock_id += 1;
        Handle { stock_id, event_count: 0, last_event: 0 }
    }

    fn run(&self, statement: &'static str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(statement)?.execute([]).map(|_| ())
    }

    /// Writes a batch and a mark, up to its commit.
    fn write_marked(&mut self, batch: &Batch<'_, '_>) -> rusqlite::Result<Written> {
        let written = self.write(batch)?;
        if let Some(checkpointer) = &self.checkpointer {
            checkpointer.mark(&self.connection)?;
        }
        Ok(written)
    }

    /// Opens a new connection, since an I/O error can leave the old one in any state, and commits
    /// a new mark. The new mark overwrites the first frame of the failed commit, so that once it is
    /// on disk nothing of that commit can come back. Reading would prove nothing about a full disk.
    fn replace_failed(&mut self) -> rusqlite::Result<()> {
        self.connection = connection::writable(&self.held.file)?;
        if let Some(checkpointer) = &self.checkpointer {
            checkpointer.watch(&mut self.connection)?;
        }
        let transaction = self.connection.transaction()?;
        mark::renew(&transaction, Alone::NeedsLog)?;
        transaction.commit()
    }

    /// After a commit that failed: whether it may be there after a restart. Where the failure
    /// leaves that open, tries to make sure that it is not.
    fn may_have_lasted(&mut self, error: &rusqlite::Error) -> bool {
        if durability::wrote_nothing(error)
            || !durability::log_may_have_more(&self.connection, &self.held.file)
        {
            return false;
        }
        match self.replace_failed() {
            Ok(()) => false,
            Err(error) => {
                tracing::warn!(%error, "a failed commit could not be taken back for certain");
                true
            }
        }
    }

    /// Drops a transaction that failed; SQLite may have done so already.
    fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // The first error is the one to tell; `recover` sees to the rest.
            let _ = self.run("ROLLBACK");
        }
    }
}

/// The number of a component, which it gets with its first event.
fn component_id(
    connection: &Connection,
    known: &mut Map<Digest, i64>,
    digest: Digest,
) -> rusqlite::Result<i64> {
    if let Some(id) = known.get(&digest) {
        return Ok(*id);
    }
    connection.execute("INSERT INTO component (digest) VALUES (?1)", [&digest.0])?;
    let id = connection.last_insert_rowid();
    known.insert(digest, id);
    Ok(id)
}

impl Snapshot for SqliteLane {
    /// The one writer reads within its batch: nobody else changes what it sees.
    fn begin(&mut self) -> Result<(), StoreFailure> {
        Ok(())
    }

    fn end(&mut self) {}

    fn stock(&mut self, key: &StockKey) -> Result<Option<Stored>, StoreFailure> {
        snapshot::latest_stock(&self.connection, &self.lagging, key)
    }

    fn scan_stocks(&mut self, scan: &StockScan) -> Result<Vec<(StockKey, Stored)>, StoreFailure> {
        snapshot::scan_stocks(&self.connection, &self.lagging.latest(), scan)
    }

    fn scan_deficits(
        &mut self,
        scan: &DeficitScan,
    ) -> Result<Vec<(StockKey, Stored)>, StoreFailure> {
        snapshot::scan_deficits(&self.connection, &self.lagging.latest(), scan)
    }

    fn reservation(&mut self, id: &str) -> Result<Option<StoredReservation>, StoreFailure> {
        reservations::find(&self.connection, id)
    }

    fn nothing_due(&self, until: Timestamp) -> bool {
        self.lagging.nothing_due(until)
    }

    fn due_units(&self, _: &StockKey, stored: &Stored, until: Timestamp) -> u64 {
        self.lagging.latest().due_units(stored, until)
    }

    fn exact_until(&self) -> Timestamp {
        self.lagging.exact_until()
    }

    fn scan_reservations(
        &mut self,
        scan: &ReservationScan,
    ) -> Result<ReservationPage, StoreFailure> {
        reservations::scan(&self.connection, &self.lagging.latest(), scan)
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

    fn first_due(&mut self, limit: u32) -> Result<Vec<(String, Timestamp)>, StoreFailure> {
        reservations::first_due(&self.connection, limit)
    }

    fn due_on(
        &mut self,
        _: &StockKey,
        handle: &Handle,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<String>, StoreFailure> {
        self.due
            .due_on(&self.connection, handle.stock_id, until, limit)
            .map_err(failed("looking for holds that are due on a stock"))
    }

    fn look_ahead(&mut self, now: Timestamp) -> Result<Ahead, StoreFailure> {
        let known_before = self.due.known_before();
        if known_before > now.saturating_add(due::HORIZON_MS / 2) {
            return Ok(Ahead::Known(known_before));
        }
        let step = self.read_ahead(now).map_err(failed("reading ahead what comes due"))?;
        Ok(if step.more { Ahead::More(step.known_before) } else { Ahead::Known(step.known_before) })
    }

    fn log_end(&mut self) -> Result<LogEnd, StoreFailure> {
        Ok(self.log_end)
    }

    fn installed(&mut self) -> Result<Option<Installed>, StoreFailure> {
        installed::find(&self.connection).map_err(failed("reading which component decides"))
    }

    fn commit(&mut self, batch: Batch<'_, '_>) -> Result<Vec<ReservationHandle>, StoreFailure> {
        let before = self.next_stock_id;
        let mut committing = false;
        let written = self.write_marked(&batch).and_then(|written| {
            committing = true;
            self.run("COMMIT")?;
            Ok(written)
        });
        match written {
            Ok(Written { handles, reservation_handles, changes, due_changes, indexing, due }) => {
                for (write, handle) in batch.stocks.iter_mut().zip(handles) {
                    *write.handle = Some(handle);
                }
                if let Some(last) = batch.log.last() {
                    self.log_end = LogEnd { sequence: last.sequence, at: last.at };
                }
                self.lagging.begin_round(due.then.began_at());
                self.lagging.publish(self.log_end.sequence, changes, &due_changes, indexing);
                if !due_changes.is_empty() {
                    self.due.apply(&due_changes);
                    self.note_first_due();
                }
                self.rounds = due.then;
                self.answers.commit();
                Ok(reservation_handles)
            }
            Err(error) => {
                self.roll_back();
                self.next_stock_id = before;
                self.components.clear();
                self.answers.roll_back();
                if let Some(checkpointer) = &self.checkpointer {
                    checkpointer.unmark();
                }
                let outcome_unknown = committing && self.may_have_lasted(&error);
                let failure = StoreFailure::new("committing a batch", error);
                Err(StoreFailure { outcome_unknown, ..failure })
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

    fn forget_answers(&mut self, before: Timestamp, limit: u32) -> Result<bool, StoreFailure> {
        self.answers.forget(&self.connection, before, limit)
    }

    fn large_answers(&self) -> LargeAnswers {
        self.answers.figures()
    }

    fn writable(&self) -> bool {
        self.writable
    }

    fn recover(&mut self) -> Result<(), StoreFailure> {
        let doing = "recovering the writing connection";
        self.replace_failed().map_err(failed(doing))?;
        self.remember().map_err(failed(doing))?;
        // Where opening could not bring the rows up to date, that is done now. Where a commit
        // was answered with "outcome unknown", the log may know more than we do.
        if !self.writable || self.log_end.sequence != self.lagging.sequence() {
            let end = lagging::catch_up(&mut self.connection).map_err(failed(doing))?;
            let (index, sums) = self.read_due_anew().map_err(failed(doing))?;
            let recent = listing::catch_up(&mut self.connection).map_err(failed(doing))?;
            // At once, so that no reader meets sums of another commit.
            self.lagging.reset(end, sums, recent);
            (self.due, self.rounds) = (index, Rounds::new(end));
            self.note_first_due();
        }
        self.writable = true;
        Ok(())
    }

    fn close(&mut self) -> Result<(), StoreFailure> {
        self.checkpointer = None;
        lagging::catch_up(&mut self.connection).map_err(failed("writing the rows that lag"))?;
        checkpoint::settle(&mut self.connection).map_err(failed("checkpointing the database"))
    }
}

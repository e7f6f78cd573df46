//! Writing one batch, and what is remembered of it once it is committed.

use super::{Batch, SqliteLane};
use crate::{
    model::{Digest, Event, Level, Map, StockKey, Timestamp},
    store::{
        LogEnd, NewEntry,
        sqlite::{
            append::{Appender, EntryComponents},
            catch_up, chain, due,
            handles::{ReservationHandle, StockHandle, StockWrite, Stored},
            installed,
            listing::IndexUpdate,
            published::RowChange,
            recorded, reservations,
            stocks::StockRows,
            write_back::{self, RowsToWrite},
        },
    },
};
use rusqlite::Connection;
use std::sync::Arc;

/// A stock of a batch.
struct BatchStock {
    handle: StockHandle,
    /// When its last event happened, and what it was then.
    last: Option<(Timestamp, Level)>,
}

/// What writing a batch has done, to be remembered once it is committed.
pub(super) struct WrittenBatch {
    handles: Vec<StockHandle>,
    reservation_handles: Vec<ReservationHandle>,
    changes: Vec<RowChange>,
    due_changes: Vec<due::DueChange>,
    indexing: IndexUpdate,
    due: RowsToWrite,
}

impl SqliteLane {
    /// Writes a batch and a mark, up to its commit.
    pub(super) fn write_marked(&mut self, batch: &Batch<'_, '_>) -> rusqlite::Result<WrittenBatch> {
        let written = self.write(batch)?;
        if let Some(checkpointer) = &self.checkpointer {
            checkpointer.renew_mark(&self.connection)?;
        }
        Ok(written)
    }

    /// Remembers a batch that was committed, and publishes it to the readers. Returns the handle of
    /// each of its reservations, in order.
    pub(super) fn committed(
        &mut self,
        batch: &mut Batch<'_, '_>,
        written: WrittenBatch,
    ) -> Vec<ReservationHandle> {
        let WrittenBatch { handles, reservation_handles, changes, due_changes, indexing, due } =
            written;
        for (write, handle) in batch.stocks.iter_mut().zip(handles) {
            *write.handle = Some(handle);
        }
        if let Some(last) = batch.log.last() {
            let sequence = self.log_end.sequence + batch.log.len() as u64;
            self.log_end = LogEnd { sequence, at: last.at };
        }
        self.published.begin_round(due.then.began_at());
        self.published.publish(self.log_end.sequence, changes, &due_changes, indexing);
        if !due_changes.is_empty() {
            self.due.apply(&due_changes);
            self.note_first_due();
        }
        self.write_back = due.then;
        self.idempotency.commit();
        reservation_handles
    }

    /// Writes everything.
    fn write(&mut self, batch: &Batch<'_, '_>) -> rusqlite::Result<WrittenBatch> {
        let Batch {
            stocks, reservations, log, idempotency_records, idempotency_bounds, now, ..
        } = batch;
        let mut touched: Map<_, _> = stocks
            .iter()
            .map(|write| {
                let handle = write.handle.unwrap_or_else(|| self.new_handle());
                (write.key, BatchStock { handle, last: None })
            })
            .collect();
        let chain_ends = reservations
            .iter()
            .map(|write| (write.id, write.stored.and_then(|stored| stored.handle.last_event)));
        let mut chain_ends: Map<_, _> = chain_ends.collect();
        self.write_log(log, &mut touched, &mut chain_ends)?;
        let stock_id = |key: &StockKey| touched.get(key).map(|it| it.handle.stock_id);
        let known_or_stored =
            |key: &StockKey| reservations::stock_id(&self.connection, key, &stock_id);
        let mut reservation_handles = Vec::with_capacity(reservations.len());
        let mut due_changes = Vec::new();
        let (mut indexing, recent) = (IndexUpdate::default(), self.published.recent());
        for write in *reservations {
            let last_event = chain_ends.get(write.id).copied().flatten();
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
        self.idempotency.write(&self.connection, idempotency_records, *idempotency_bounds, *now)?;
        self.write_decisions(batch)?;
        // Readers tell commits by their sequence.
        if !log.is_empty() {
            indexing.write_run(&self.connection, &recent)?;
        }
        let due = self.write_back.due(&self.published, log.len() as u64);
        let (handles, changes) = self.write_stocks(stocks, &touched, &due)?;
        Ok(WrittenBatch { handles, reservation_handles, changes, due_changes, indexing, due })
    }

    /// Writes the log, and moves the chain_ends of the chains that its entries are part of.
    fn write_log(
        &mut self,
        log: &[NewEntry],
        touched: &mut Map<&StockKey, BatchStock>,
        chain_ends: &mut Map<&str, Option<u64>>,
    ) -> rusqlite::Result<()> {
        let mut appender = Appender::new(&self.connection)?;
        for (sequence, entry) in (self.log_end.sequence + 1..).zip(log) {
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
            let end = reservation.and_then(|id| chain_ends.get_mut(id));
            appender.append(sequence, entry, EntryComponents { by, from }, stock, end)?;
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
        touched: &Map<&StockKey, BatchStock>,
        due: &RowsToWrite,
    ) -> rusqlite::Result<(Vec<StockHandle>, Vec<RowChange>)> {
        let mut rows = StockRows::new(&self.connection)?;
        let mut handles = Vec::with_capacity(stocks.len());
        let mut changes = Vec::with_capacity(stocks.len() + due.rows.len());
        for write in stocks {
            let known = touched.get(write.key).ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            let (key, handle) = (Arc::new(write.key.clone()), known.handle);
            handles.push(handle);
            if write.handle.is_none() {
                rows.insert(&key, &handle, write.stock)?;
            } else if write_back::may_lag(write, known.last) && !due.includes(&key) {
                changes.push(RowChange::Lags(key, Stored { handle, stock: *write.stock }));
            } else {
                rows.update(&key, &handle, write.stock)?;
                changes.push(RowChange::Written(key));
            }
        }
        for (key, stored) in &due.rows {
            if !touched.contains_key(&**key) {
                rows.update(key, &stored.handle, &stored.stock)?;
                changes.push(RowChange::Written(Arc::clone(key)));
            }
        }
        if let Some(sequence) = due.current_to {
            catch_up::note_current(&self.connection, sequence)?;
        }
        Ok((handles, changes))
    }

    fn new_handle(&mut self) -> StockHandle {
        let stock_id = self.next_stock_id;
        self.next_stock_id += 1;
        StockHandle { stock_id, event_count: 0, last_event: 0 }
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

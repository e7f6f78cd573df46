//! Writes one batch, and updates the lane's state once the batch is committed.

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

/// The state of a stock while its batch is written.
struct BatchStock {
    handle: StockHandle,
    /// The time of the stock's last event in the batch, and the level after it.
    last: Option<(Timestamp, Level)>,
}

/// The results of writing a batch, which update the lane's state once the batch is committed.
pub(super) struct WrittenBatch {
    handles: Vec<StockHandle>,
    reservation_handles: Vec<ReservationHandle>,
    row_changes: Vec<RowChange>,
    due_changes: Vec<due::DueChange>,
    index_update: IndexUpdate,
    lagging: RowsToWrite,
}

impl SqliteLane {
    /// Writes a batch, and renews the mark if necessary. The caller commits.
    pub(super) fn write_marked(&mut self, batch: &Batch<'_, '_>) -> rusqlite::Result<WrittenBatch> {
        let written = self.write(batch)?;
        if let Some(checkpointer) = &self.checkpointer {
            checkpointer.renew_mark(&self.connection)?;
        }
        Ok(written)
    }

    /// Updates the lane's state after the commit of a batch, and publishes the commit to the
    /// readers. Returns the handle of each of its reservations, in the order of the batch.
    pub(super) fn committed(
        &mut self,
        batch: &mut Batch<'_, '_>,
        written: WrittenBatch,
    ) -> Vec<ReservationHandle> {
        let WrittenBatch {
            handles,
            reservation_handles,
            row_changes,
            due_changes,
            index_update,
            lagging,
        } = written;
        for (write, handle) in batch.stocks.iter_mut().zip(handles) {
            *write.handle = Some(handle);
        }
        if let Some(last) = batch.log.last() {
            let sequence = self.log_end.sequence + batch.log.len() as u64;
            self.log_end = LogEnd { sequence, at: last.at };
        }
        self.published.begin_round(lagging.after_commit.began_at());
        self.published.publish(self.log_end.sequence, row_changes, &due_changes, index_update);
        if !due_changes.is_empty() {
            self.due.apply(&due_changes);
            self.publish_first_due();
        }
        self.write_back = lagging.after_commit;
        self.idempotency.commit();
        reservation_handles
    }

    /// Writes all rows of a batch.
    fn write(&mut self, batch: &Batch<'_, '_>) -> rusqlite::Result<WrittenBatch> {
        let Batch {
            stocks, reservations, log, idempotency_records, idempotency_bounds, now, ..
        } = batch;
        let mut batch_stocks: Map<_, _> = stocks
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
        self.write_log(log, &mut batch_stocks, &mut chain_ends)?;
        let stock_id = |key: &StockKey| batch_stocks.get(key).map(|it| it.handle.stock_id);
        let known_or_stored =
            |key: &StockKey| reservations::stock_id(&self.connection, key, &stock_id);
        let mut reservation_handles = Vec::with_capacity(reservations.len());
        let mut due_changes = Vec::new();
        let (mut index_update, recent) = (IndexUpdate::default(), self.published.recent());
        for write in *reservations {
            let last_event = chain_ends.get(write.id).copied().flatten();
            let handle = reservations::write(&self.connection, write, last_event, &stock_id)?;
            let before = write.stored.map(|stored| &stored.reservation);
            let (id, after) = (write.id, Some(write.reservation));
            let changes = &mut due_changes;
            self.due.collect_changes(
                id,
                handle.number,
                before,
                after,
                &known_or_stored,
                changes,
            )?;
            index_update.add(
                &self.connection,
                &recent,
                handle.number,
                before,
                write.reservation,
            )?;
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
        // Not in a commit without events, because readers recognise a commit by its last sequence.
        if !log.is_empty() {
            index_update.write_run(&self.connection, &recent)?;
        }
        let lagging = self.write_back.next_rows(&self.published, log.len() as u64);
        let (handles, row_changes) = self.write_stocks(stocks, &batch_stocks, &lagging)?;
        Ok(WrittenBatch {
            handles,
            reservation_handles,
            row_changes,
            due_changes,
            index_update,
            lagging,
        })
    }

    /// Writes the log, and moves the ends of the chains that its entries belong to.
    fn write_log(
        &mut self,
        log: &[NewEntry],
        batch_stocks: &mut Map<&StockKey, BatchStock>,
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
                    let stock = batch_stocks.get_mut(&event.key).map(|stock| {
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

    /// Writes the installed component and the recorded commands of a batch.
    fn write_decisions(&mut self, batch: &Batch<'_, '_>) -> rusqlite::Result<()> {
        let mut number = |digest| component_id(&self.connection, &mut self.components, digest);
        if let Some(installed) = &batch.installed {
            installed::write(&self.connection, installed, &mut number)?;
        }
        if batch.recorded_max > 0 && !batch.recorded.is_empty() {
            recorded::write(&self.connection, batch.recorded, batch.recorded_max, &mut number)?;
            self.has_recorded = true;
        } else if self.has_recorded && batch.recorded_max == 0 && !batch.log.is_empty() {
            recorded::delete_all(&self.connection)?;
            self.has_recorded = false;
        }
        Ok(())
    }

    /// Writes the rows of the batch's stocks that must not lag, and the lagging rows `lagging`.
    /// Returns the new handle of each stock of the batch, in the order of the batch, and the
    /// changes of rows.
    fn write_stocks(
        &self,
        stocks: &[StockWrite<'_>],
        batch_stocks: &Map<&StockKey, BatchStock>,
        lagging: &RowsToWrite,
    ) -> rusqlite::Result<(Vec<StockHandle>, Vec<RowChange>)> {
        let mut rows = StockRows::new(&self.connection)?;
        let mut handles = Vec::with_capacity(stocks.len());
        let mut changes = Vec::with_capacity(stocks.len() + lagging.rows.len());
        for write in stocks {
            let known = batch_stocks.get(write.key).ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            let (key, handle) = (Arc::new(write.key.clone()), known.handle);
            handles.push(handle);
            if write.handle.is_none() {
                rows.insert(&key, &handle, write.stock)?;
            } else if write_back::may_lag(write, known.last) && !lagging.includes(&key) {
                changes.push(RowChange::Lags(key, Stored { handle, stock: *write.stock }));
            } else {
                rows.update(&key, &handle, write.stock)?;
                changes.push(RowChange::Written(key));
            }
        }
        for (key, stored) in &lagging.rows {
            if !batch_stocks.contains_key(&**key) {
                rows.update(key, &stored.handle, &stored.stock)?;
                changes.push(RowChange::Written(Arc::clone(key)));
            }
        }
        if let Some(sequence) = lagging.current_to {
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

/// The number of a component. A component gets its number with its first event.
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

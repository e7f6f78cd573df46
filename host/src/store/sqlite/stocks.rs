//! Writing the rows of stocks.

use super::rows::Unsigned;
use crate::{
    model::{Stock, StockKey},
    store::Handle,
};
use rusqlite::{CachedStatement, Connection, params};

const INSERT: &str = "INSERT INTO stock (product_id, location_id, stock_id, total, reserved, \
     unattributed, minimum, version, due_at, updated_at, event_count, last_event, created_at) \
     VALUES (?1, ?2, ?12, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?13)";

const UPDATE: &str = "UPDATE stock SET total = ?3, reserved = ?4, unattributed = ?5, \
     minimum = ?6, version = ?7, due_at = ?8, updated_at = ?9, event_count = ?10, \
     last_event = ?11 \
     WHERE product_id = ?1 AND location_id = ?2";

/// Writes rows of stocks.
pub(super) struct StockRows<'c> {
    connection: &'c Connection,
    update: CachedStatement<'c>,
}

impl<'c> StockRows<'c> {
    pub(super) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self { connection, update: connection.prepare_cached(UPDATE)? })
    }

    pub(super) fn update(
        &mut self,
        key: &StockKey,
        handle: &Handle,
        stock: &Stock,
    ) -> rusqlite::Result<()> {
        let level = &stock.level;
        let changed = self.update.execute(params![
            key.product_id.as_str(),
            key.location_id.as_str(),
            Unsigned(level.total),
            Unsigned(level.reserved),
            Unsigned(level.unattributed),
            Unsigned(level.minimum),
            Unsigned(level.version),
            stock.due_at.map(Unsigned),
            Unsigned(stock.updated_at),
            Unsigned(handle.event_count),
            Unsigned(handle.last_event),
        ])?;
        if changed == 1 { Ok(()) } else { Err(rusqlite::Error::QueryReturnedNoRows) }
    }

    pub(super) fn insert(
        &self,
        key: &StockKey,
        handle: &Handle,
        stock: &Stock,
    ) -> rusqlite::Result<()> {
        let level = &stock.level;
        self.connection.prepare_cached(INSERT)?.execute(params![
            key.product_id.as_str(),
            key.location_id.as_str(),
            Unsigned(level.total),
            Unsigned(level.reserved),
            Unsigned(level.unattributed),
            Unsigned(level.minimum),
            Unsigned(level.version),
            stock.due_at.map(Unsigned),
            Unsigned(stock.updated_at),
            Unsigned(handle.event_count),
            Unsigned(handle.last_event),
            handle.stock_id,
            Unsigned(stock.created_at),
        ])?;
        Ok(())
    }
}

//! The rows of stocks: look-ups of single rows, and writes.

use super::{
    connection::failed,
    handles::{StockHandle, Stored},
    published::Published,
    rows::{self, STORED_COLUMNS, Unsigned},
};
use crate::model::{Stock, StockKey, StoreFailure};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Statement, params};
use std::sync::LazyLock;

const INSERT: &str = "INSERT INTO stock (product_id, location_id, stock_id, total, reserved, \
     unattributed, minimum, version, updated_at, event_count, last_event, created_at) \
     VALUES (?1, ?2, ?11, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?12)";

const UPDATE: &str = "UPDATE stock SET total = ?3, reserved = ?4, unattributed = ?5, \
     minimum = ?6, version = ?7, updated_at = ?8, event_count = ?9, last_event = ?10 \
     WHERE product_id = ?1 AND location_id = ?2";

static STOCK: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {STORED_COLUMNS} FROM stock WHERE product_id = ?1 AND location_id = ?2")
});

/// A stock as of the latest commit, also where its row lags behind the log.
pub(super) fn latest(
    connection: &Connection,
    published: &Published,
    key: &StockKey,
) -> Result<Option<Stored>, StoreFailure> {
    published.get(key).map_or_else(|| find(connection, key), |stored| Ok(Some(stored)))
}

/// A stock as its row has it. The row may lag behind the log.
pub(super) fn find(
    connection: &Connection,
    key: &StockKey,
) -> Result<Option<Stored>, StoreFailure> {
    connection
        .prepare_cached(&STOCK)
        .and_then(|mut statement| {
            let key = params![key.product_id.as_str(), key.location_id.as_str()];
            statement.query_row(key, |row| rows::stored(row, 0)).optional()
        })
        .map_err(failed("reading a stock"))
}

/// A writer of rows of stocks, with a prepared statement for updates.
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
        handle: &StockHandle,
        stock: &Stock,
    ) -> rusqlite::Result<()> {
        bind(&mut self.update, key, handle, stock)?;
        let changed = self.update.raw_execute()?;
        if changed == 1 { Ok(()) } else { Err(rusqlite::Error::QueryReturnedNoRows) }
    }

    pub(super) fn insert(
        &self,
        key: &StockKey,
        handle: &StockHandle,
        stock: &Stock,
    ) -> rusqlite::Result<()> {
        let mut insert = self.connection.prepare_cached(INSERT)?;
        bind(&mut insert, key, handle, stock)?;
        insert.raw_bind_parameter(11, handle.stock_id)?;
        insert.raw_bind_parameter(12, Unsigned(stock.created_at))?;
        insert.raw_execute().map(|_| ())
    }
}

/// Binds the parameters that [`INSERT`] and [`UPDATE`] have in common.
fn bind(
    statement: &mut Statement<'_>,
    key: &StockKey,
    handle: &StockHandle,
    stock: &Stock,
) -> rusqlite::Result<()> {
    statement.raw_bind_parameter(1, key.product_id.as_str())?;
    statement.raw_bind_parameter(2, key.location_id.as_str())?;
    let level = &stock.level;
    let numbers = [level.total, level.reserved, level.unattributed, level.minimum, level.version];
    for (column, number) in (3..).zip(numbers) {
        statement.raw_bind_parameter(column, Unsigned(number))?;
    }
    statement.raw_bind_parameter(8, Unsigned(stock.updated_at))?;
    statement.raw_bind_parameter(9, Unsigned(handle.event_count))?;
    statement.raw_bind_parameter(10, Unsigned(handle.last_event))
}

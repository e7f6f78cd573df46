use super::{
    connection::{self, failed},
    rows::{self, LOG_COLUMNS, Unsigned},
    snapshot,
};
use crate::{
    model::{LogEntry, StockKey, StoreFailure},
    store::{Log, Order, StockId},
};
use rusqlite::{Connection, params};
use std::{path::Path, sync::LazyLock};

static NEWEST_FIRST: LazyLock<String> = LazyLock::new(|| statement("<", "DESC"));
static OLDEST_FIRST: LazyLock<String> = LazyLock::new(|| statement(">", "ASC"));

fn statement(behind: &str, direction: &str) -> String {
    format!(
        "SELECT {LOG_COLUMNS} FROM event JOIN component USING (component_id) \
         WHERE stock_id = ?1 AND sequence {behind} ?2 ORDER BY sequence {direction} LIMIT ?3"
    )
}

/// A reader of the event log.
pub struct SqliteLog {
    connection: Connection,
}

impl SqliteLog {
    pub(super) fn open(file: &Path) -> Result<Self, StoreFailure> {
        let connection =
            connection::readable(file).map_err(failed("opening a reading connection"))?;
        Ok(Self { connection })
    }
}

impl Log for SqliteLog {
    fn stock_events(
        &mut self,
        key: &StockKey,
        order: Order,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Option<Vec<LogEntry>>, StoreFailure> {
        let Some(stored) = snapshot::stock(&self.connection, key)? else { return Ok(None) };
        let StockId(id) = stored.id;
        let (statement, start) = match order {
            Order::NewestFirst => (&NEWEST_FIRST, i64::MAX.unsigned_abs()),
            Order::OldestFirst => (&OLDEST_FIRST, 0),
        };
        let after = Unsigned(after.unwrap_or(start).min(i64::MAX.unsigned_abs()));
        self.connection
            .prepare_cached(statement)
            .and_then(|mut statement| {
                statement
                    .query_map(params![id, after, limit], |row| {
                        rows::log_entry(row, Some(key.clone()))
                    })?
                    .collect::<rusqlite::Result<Vec<_>>>()
            })
            .map(Some)
            .map_err(failed("reading the event log"))
    }
}

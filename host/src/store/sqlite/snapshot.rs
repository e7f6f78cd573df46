use super::{
    connection::{self, failed},
    reservations,
    rows::{self, STOCK_COLUMNS, Unsigned},
};
use crate::{
    model::{
        DeficitScan, ReservationPage, ReservationScan, Stock, StockKey, StockScan, StoreFailure,
        Timestamp,
    },
    store::{Handle, Snapshot, Stored, StoredDue, StoredReservation},
};
use rusqlite::{Connection, OptionalExtension, ToSql, params};
use std::{path::Path, sync::LazyLock};

/// The largest character: behind every id that starts with a prefix.
const AFTER_ANY_ID: char = '\u{10ffff}';

static STOCK: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT stock_id, event_count, last_event, {STOCK_COLUMNS} FROM stock WHERE product_id = ?1 AND location_id = ?2"
    )
});

/// A reader of committed stocks.
pub struct SqliteSnapshot {
    connection: Connection,
}

impl SqliteSnapshot {
    pub(super) fn open(file: &Path) -> Result<Self, StoreFailure> {
        let connection =
            connection::readable(file).map_err(failed("opening a reading connection"))?;
        Ok(Self { connection })
    }
}

impl Snapshot for SqliteSnapshot {
    fn begin(&mut self) -> Result<(), StoreFailure> {
        self.connection
            .prepare_cached("BEGIN")
            .and_then(|mut begin| begin.execute([]))
            .map(|_| ())
            .map_err(failed("beginning a snapshot"))
    }

    fn end(&mut self) {
        let ended =
            self.connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
        if let Err(error) = ended {
            tracing::warn!(%error, "a snapshot could not be ended");
        }
    }

    fn stock(&mut self, key: &StockKey) -> Result<Option<Stored>, StoreFailure> {
        stock(&self.connection, key)
    }

    fn scan_stocks(&mut self, scan: &StockScan) -> Result<Vec<(StockKey, Stock)>, StoreFailure> {
        scan_stocks(&self.connection, scan)
    }

    fn scan_deficits(
        &mut self,
        scan: &DeficitScan,
    ) -> Result<Vec<(StockKey, Stock)>, StoreFailure> {
        scan_deficits(&self.connection, scan)
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

pub(super) fn stock(
    connection: &Connection,
    key: &StockKey,
) -> Result<Option<Stored>, StoreFailure> {
    connection
        .prepare_cached(&STOCK)
        .and_then(|mut statement| {
            let key = params![key.product_id.as_str(), key.location_id.as_str()];
            statement
                .query_row(key, |row| {
                    let handle = Handle {
                        stock_id: row.get(0)?,
                        event_count: rows::unsigned(row, 1)?,
                        last_event: rows::unsigned(row, 2)?,
                    };
                    Ok(Stored { handle, stock: rows::stock(row, 3)? })
                })
                .optional()
        })
        .map_err(failed("reading a stock"))
}

/// Each condition only where it is asked for, so that the planner sees which index serves.
pub(super) fn scan_stocks(
    connection: &Connection,
    scan: &StockScan,
) -> Result<Vec<(StockKey, Stock)>, StoreFailure> {
    let mut scanner = Scanner::default();
    if let Some(location) = &scan.location_id {
        scanner.require("location_id = ?", [location as &dyn ToSql]);
    }
    let end = scan.product_prefix.as_ref().map(|prefix| format!("{prefix}{AFTER_ANY_ID}"));
    if let (Some(prefix), Some(end)) = (&scan.product_prefix, &end) {
        scanner.require("product_id >= ? AND product_id < ?", [prefix as &dyn ToSql, end]);
    }
    if scan.below_minimum {
        scanner.require("minimum > total - reserved", []);
    }
    let after = scan.after.as_ref().map(|key| (key.product_id.as_str(), key.location_id.as_str()));
    if let Some((product, location)) = &after {
        scanner.require("(product_id, location_id) > (?, ?)", [product as &dyn ToSql, location]);
    }
    scanner.run(connection, "product_id, location_id", &scan.limit)
}

pub(super) fn scan_deficits(
    connection: &Connection,
    scan: &DeficitScan,
) -> Result<Vec<(StockKey, Stock)>, StoreFailure> {
    let mut scanner = Scanner::default();
    scanner.require("minimum > total - reserved", []);
    if let Some(location) = &scan.location_id {
        scanner.require("location_id = ?", [location as &dyn ToSql]);
    }
    let after = scan.after.as_ref().map(|after| {
        let key = (after.key.product_id.as_str(), after.key.location_id.as_str());
        (Unsigned(after.deficit), key)
    });
    if let Some((deficit, (product, location))) = &after {
        scanner.require(
            "minimum - total + reserved <= ? AND (minimum - total + reserved < ? \
             OR (product_id, location_id) > (?, ?))",
            [deficit as &dyn ToSql, deficit, product, location],
        );
    }
    scanner.run(connection, "minimum - total + reserved DESC, product_id, location_id", &scan.limit)
}

/// Conditions and their parameters, collected into one statement.
#[derive(Default)]
struct Scanner<'a> {
    conditions: Vec<&'static str>,
    parameters: Vec<&'a dyn ToSql>,
}

impl<'a> Scanner<'a> {
    fn require<const N: usize>(&mut self, condition: &'static str, parameters: [&'a dyn ToSql; N]) {
        self.conditions.push(condition);
        self.parameters.extend(parameters);
    }

    fn run(
        mut self,
        connection: &Connection,
        order: &str,
        limit: &'a u32,
    ) -> Result<Vec<(StockKey, Stock)>, StoreFailure> {
        let filter = match self.conditions.as_slice() {
            [] => String::new(),
            conditions => format!("WHERE {} ", conditions.join(" AND ")),
        };
        self.parameters.push(limit);
        let statement = format!(
            "SELECT product_id, location_id, {STOCK_COLUMNS} FROM stock {filter}ORDER BY {order} \
             LIMIT ?"
        );
        connection
            .prepare_cached(&statement)
            .and_then(|mut statement| {
                statement
                    .query_map(self.parameters.as_slice(), |row| {
                        Ok((rows::key(row, 0)?, rows::stock(row, 2)?))
                    })?
                    .collect()
            })
            .map_err(failed("scanning stocks"))
    }
}

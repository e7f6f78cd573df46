use super::{
    connection::{self, failed},
    events,
    lagging::{AsOf, Lagging},
    reservations,
    rows::{self, STORED_COLUMNS, Unsigned},
};
use crate::{
    model::{
        DeficitScan, Patience, ReservationPage, ReservationScan, StockKey, StockScan, StoreFailure,
        Timestamp,
    },
    store::{Snapshot, Stored, StoredReservation},
};
use rusqlite::{Connection, OptionalExtension, ToSql, params};
use std::{
    path::Path,
    sync::{Arc, LazyLock},
    time::Duration,
};

/// The largest character: behind every id that starts with a prefix.
const AFTER_ANY_ID: char = '\u{10ffff}';

static STOCK: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {STORED_COLUMNS} FROM stock WHERE product_id = ?1 AND location_id = ?2")
});

/// A reader of committed stocks.
pub struct SqliteSnapshot {
    connection: Connection,
    lagging: Arc<Lagging>,
    /// Within one commit: the rows that lag as of it.
    bound: Option<AsOf>,
    patience: Option<Patience>,
}

impl SqliteSnapshot {
    pub(super) fn open(file: &Path, lagging: Arc<Lagging>) -> Result<Self, StoreFailure> {
        let connection =
            connection::readable(file).map_err(failed("opening a reading connection"))?;
        Ok(Self { connection, lagging, bound: None, patience: None })
    }

    /// The rows that lag, as of what is read.
    fn as_of(&self) -> AsOf {
        self.bound.clone().unwrap_or_else(|| self.lagging.latest())
    }

    /// Begins a transaction and says which commit it sees.
    fn begin_at(&self) -> rusqlite::Result<u64> {
        self.connection.prepare_cached("BEGIN")?.execute([])?;
        events::last_sequence(&self.connection)
    }
}

/// How often a snapshot is begun again because it met a commit between its being visible and its
/// being published, which takes the writer microseconds, unless it has lost its core meanwhile.
const BEGINNINGS_MAX: u32 = 10_000;

/// The pause before it is: none at first.
const BEGINNINGS_AT_ONCE: u32 = 16;
const PAUSE: Duration = Duration::from_micros(100);

impl Snapshot for SqliteSnapshot {
    fn begin(&mut self) -> Result<(), StoreFailure> {
        for attempt in 0..BEGINNINGS_MAX {
            let begun = self.begin_at();
            self.bound = begun.as_ref().ok().and_then(|sequence| self.lagging.as_of(*sequence));
            if self.bound.is_some() {
                return Ok(());
            }
            // Not to be met by the next attempt, or the next query.
            if !self.connection.is_autocommit() {
                self.end();
            }
            begun.map_err(failed("beginning a snapshot"))?;
            if attempt < BEGINNINGS_AT_ONCE {
                std::thread::yield_now();
            } else {
                std::thread::sleep(PAUSE);
            }
        }
        let cause = std::io::Error::other("the writer did not publish its commit in a second");
        Err(StoreFailure::new("beginning a snapshot", cause))
    }

    fn end(&mut self) {
        self.bound = None;
        // Not to be stopped.
        connection::limit(&mut self.connection, None);
        let ended =
            self.connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
        if let Err(error) = ended {
            tracing::warn!(%error, "a snapshot could not be ended");
        }
        connection::limit(&mut self.connection, self.patience.as_ref());
    }

    fn limit(&mut self, patience: Option<&Patience>) {
        connection::limit(&mut self.connection, patience);
        self.patience = patience.cloned();
    }

    fn stock(&mut self, key: &StockKey) -> Result<Option<Stored>, StoreFailure> {
        let Some(bound) = &self.bound else {
            return latest_stock(&self.connection, &self.lagging, key);
        };
        bound.get(key).map_or_else(|| stock(&self.connection, key), |stored| Ok(Some(stored)))
    }

    fn scan_stocks(&mut self, scan: &StockScan) -> Result<Vec<(StockKey, Stored)>, StoreFailure> {
        scan_stocks(&self.connection, &self.as_of(), scan)
    }

    fn scan_deficits(
        &mut self,
        scan: &DeficitScan,
    ) -> Result<Vec<(StockKey, Stored)>, StoreFailure> {
        scan_deficits(&self.connection, &self.as_of(), scan)
    }

    fn reservation(&mut self, id: &str) -> Result<Option<StoredReservation>, StoreFailure> {
        reservations::find(&self.connection, id)
    }

    fn nothing_due(&self, until: Timestamp) -> bool {
        self.lagging.nothing_due(until)
    }

    fn due_units(&self, _: &StockKey, stored: &Stored, until: Timestamp) -> u64 {
        self.bound.as_ref().map_or(0, |bound| bound.due_units(stored, until))
    }

    fn exact_until(&self) -> Timestamp {
        self.lagging.exact_until()
    }

    fn scan_reservations(
        &mut self,
        scan: &ReservationScan,
    ) -> Result<ReservationPage, StoreFailure> {
        reservations::scan(&self.connection, &self.as_of(), scan)
    }
}

/// A stock as of the latest commit, whether its row lags or not.
pub(super) fn latest_stock(
    connection: &Connection,
    lagging: &Lagging,
    key: &StockKey,
) -> Result<Option<Stored>, StoreFailure> {
    lagging.get(key).map_or_else(|| stock(connection, key), |stored| Ok(Some(stored)))
}

/// What the row says.
fn stock(connection: &Connection, key: &StockKey) -> Result<Option<Stored>, StoreFailure> {
    connection
        .prepare_cached(&STOCK)
        .and_then(|mut statement| {
            let key = params![key.product_id.as_str(), key.location_id.as_str()];
            statement.query_row(key, |row| rows::stored(row, 0)).optional()
        })
        .map_err(failed("reading a stock"))
}

/// Each condition only where it is asked for, and one lower bound only, so that the planner finds
/// the place in the index where the page begins, however deep.
pub(super) fn scan_stocks(
    connection: &Connection,
    lagging: &AsOf,
    scan: &StockScan,
) -> Result<Vec<(StockKey, Stored)>, StoreFailure> {
    let mut scanner = Scanner::default();
    let location = scan.location_id.as_deref();
    if let Some(location) = &location {
        scanner.require("location_id = ?", [location as &dyn ToSql]);
    }
    let end = scan.product_prefix.as_ref().map(|prefix| format!("{prefix}{AFTER_ANY_ID}"));
    let after = scan.after.as_ref().map(|key| (key.product_id.as_str(), key.location_id.as_str()));
    let behind = after.filter(|(product, _)| {
        scan.product_prefix.as_deref().is_none_or(|prefix| *product >= prefix)
    });
    match (&behind, &scan.product_prefix) {
        (Some((product, after)), _) => match location {
            None => {
                let place = [product as &dyn ToSql, after];
                scanner.require("(product_id, location_id) > (?, ?)", place);
            }
            Some(location) if location > *after => {
                scanner.require("product_id >= ?", [product as &dyn ToSql]);
            }
            Some(_) => scanner.require("product_id > ?", [product as &dyn ToSql]),
        },
        (None, Some(prefix)) => scanner.require("product_id >= ?", [prefix as &dyn ToSql]),
        (None, None) => {}
    }
    if let Some(end) = &end {
        scanner.require("product_id < ?", [end as &dyn ToSql]);
    }
    if scan.below_minimum {
        scanner.require("minimum > total - reserved", []);
    }
    scanner.run(connection, lagging, "product_id, location_id", &scan.limit)
}

/// First those with the deficit of the place where the page begins, then those with a smaller one:
/// each is one range of the index.
pub(super) fn scan_deficits(
    connection: &Connection,
    lagging: &AsOf,
    scan: &DeficitScan,
) -> Result<Vec<(StockKey, Stored)>, StoreFailure> {
    let base = || {
        let mut scanner = Scanner::default();
        scanner.require("minimum > total - reserved", []);
        if let Some(location) = &scan.location_id {
            scanner.require("location_id = ?", [location as &dyn ToSql]);
        }
        scanner
    };
    const ORDER: &str = "minimum - total + reserved DESC, product_id, location_id";
    let Some(after) = &scan.after else {
        return base().run(connection, lagging, ORDER, &scan.limit);
    };
    let deficit = Unsigned(after.deficit);
    let (product, location) = (after.key.product_id.as_str(), after.key.location_id.as_str());
    let mut equal = base();
    equal.require("minimum - total + reserved = ?", [&deficit as &dyn ToSql]);
    equal.require("(product_id, location_id) > (?, ?)", [&product as &dyn ToSql, &location]);
    let mut found = equal.run(connection, lagging, "product_id, location_id", &scan.limit)?;
    let left = scan.limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
    if left > 0 {
        let mut smaller = base();
        smaller.require("minimum - total + reserved < ?", [&deficit as &dyn ToSql]);
        found.extend(smaller.run(connection, lagging, ORDER, &left)?);
    }
    Ok(found)
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

    /// What is found, lagging rows corrected.
    fn run(
        mut self,
        connection: &Connection,
        lagging: &AsOf,
        order: &str,
        limit: &'a u32,
    ) -> Result<Vec<(StockKey, Stored)>, StoreFailure> {
        let filter = match self.conditions.as_slice() {
            [] => String::new(),
            conditions => format!("WHERE {} ", conditions.join(" AND ")),
        };
        self.parameters.push(limit);
        let statement = format!(
            "SELECT product_id, location_id, {STORED_COLUMNS} FROM stock {filter}ORDER BY {order} \
             LIMIT ?"
        );
        let mut found: Vec<_> = connection
            .prepare_cached(&statement)
            .and_then(|mut statement| {
                statement
                    .query_map(self.parameters.as_slice(), |row| {
                        Ok((rows::key(row, 0)?, rows::stored(row, 2)?))
                    })?
                    .collect()
            })
            .map_err(failed("scanning stocks"))?;
        lagging.correct(&mut found);
        Ok(found)
    }
}

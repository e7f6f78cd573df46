//! Scans of stocks: by key and by deficit.

use super::{
    connection::failed,
    handles::FoundStocks,
    published::Overlay,
    rows::{self, STORED_COLUMNS, Unsigned},
};
use crate::model::{DeficitScan, StockScan, StoreFailure};
use rusqlite::{Connection, ToSql};

/// The largest character. A prefix followed by it sorts after every id with the prefix.
const AFTER_ANY_ID: char = '\u{10ffff}';

/// The stocks that match the scan, in key order. The statement has only the conditions that the
/// scan asks for, and one lower bound, so that SQLite's planner seeks to the beginning of the page
/// in an index, however deep the page is.
pub(super) fn by_key(
    connection: &Connection,
    at: &Overlay,
    scan: &StockScan,
) -> Result<FoundStocks, StoreFailure> {
    let mut query = ScanQuery::default();
    let location = scan.location_id.as_deref();
    if let Some(location) = &location {
        query.require("location_id = ?", [location as &dyn ToSql]);
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
                query.require("(product_id, location_id) > (?, ?)", place);
            }
            Some(location) if location > *after => {
                query.require("product_id >= ?", [product as &dyn ToSql]);
            }
            Some(_) => query.require("product_id > ?", [product as &dyn ToSql]),
        },
        (None, Some(prefix)) => query.require("product_id >= ?", [prefix as &dyn ToSql]),
        (None, None) => {}
    }
    if let Some(end) = &end {
        query.require("product_id < ?", [end as &dyn ToSql]);
    }
    if scan.below_minimum {
        query.require("minimum > total - reserved", []);
    }
    query.run(connection, at, "product_id, location_id", &scan.limit)
}

/// The stocks below their minimum that match the scan, the largest deficit first. After a position,
/// two statements read the stocks with the deficit of that position and then those with a smaller
/// one, because each of these is one range of the index.
pub(super) fn by_deficit(
    connection: &Connection,
    at: &Overlay,
    scan: &DeficitScan,
) -> Result<FoundStocks, StoreFailure> {
    let base = || {
        let mut query = ScanQuery::default();
        query.require("minimum > total - reserved", []);
        if let Some(location) = &scan.location_id {
            query.require("location_id = ?", [location as &dyn ToSql]);
        }
        query
    };
    const ORDER: &str = "minimum - total + reserved DESC, product_id, location_id";
    let Some(after) = &scan.after else {
        return base().run(connection, at, ORDER, &scan.limit);
    };
    let deficit = Unsigned(after.deficit);
    let (product, location) = (after.key.product_id.as_str(), after.key.location_id.as_str());
    let mut equal = base();
    equal.require("minimum - total + reserved = ?", [&deficit as &dyn ToSql]);
    equal.require("(product_id, location_id) > (?, ?)", [&product as &dyn ToSql, &location]);
    let mut found = equal.run(connection, at, "product_id, location_id", &scan.limit)?;
    let left = scan.limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
    if left > 0 {
        let mut smaller = base();
        smaller.require("minimum - total + reserved < ?", [&deficit as &dyn ToSql]);
        found.extend(smaller.run(connection, at, ORDER, &left)?);
    }
    Ok(found)
}

/// A query for stocks: conditions and their parameters, from which one statement is built.
#[derive(Default)]
struct ScanQuery<'a> {
    conditions: Vec<&'static str>,
    parameters: Vec<&'a dyn ToSql>,
}

impl<'a> ScanQuery<'a> {
    fn require<const N: usize>(&mut self, condition: &'static str, parameters: [&'a dyn ToSql; N]) {
        self.conditions.push(condition);
        self.parameters.extend(parameters);
    }

    /// Runs the query. Stocks whose rows lag are replaced from the overlay.
    fn run(
        mut self,
        connection: &Connection,
        at: &Overlay,
        order: &str,
        limit: &'a u32,
    ) -> Result<FoundStocks, StoreFailure> {
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
        at.correct(&mut found);
        Ok(found)
    }
}

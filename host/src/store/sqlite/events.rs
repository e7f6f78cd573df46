//! The whole log, read in order.

use super::rows::{self, LOG_COLUMNS, Unsigned};
use crate::store::{EventPage, EventScan};
use rusqlite::{Connection, ToSql};

/// The most entries that one page looks at: a filter that lets little through gives short
/// pages rather than slow ones.
const EXAMINED_MAX: u32 = 20_000;

/// The events that name a reservation, from the latest back.
pub(super) const OF_RESERVATION: &str = "WITH RECURSIVE chain (link) AS \
     (SELECT last_event FROM reservation WHERE reservation_id = ? UNION ALL \
     SELECT reservation_previous FROM event JOIN chain ON sequence = link \
     WHERE reservation_previous IS NOT NULL) SELECT link FROM chain";

/// The sequence of the last event; 0: there is none.
pub(super) fn last_sequence(connection: &Connection) -> rusqlite::Result<u64> {
    connection
        .prepare_cached("SELECT coalesce(max(sequence), 0) FROM event")?
        .query_row([], |row| rows::unsigned(row, 0))
}

pub(super) fn scan(connection: &Connection, scan: &EventScan) -> rusqlite::Result<EventPage> {
    let after = Unsigned(scan.after);
    let mut conditions = vec!["sequence > ?".to_owned()];
    let mut parameters: Vec<&dyn ToSql> = vec![&after];
    // These two are found directly; the rest by looking.
    let indexed = scan.reservation_id.is_some() || scan.reference.is_some();
    if let Some(id) = &scan.reservation_id {
        conditions.push(format!("sequence IN ({OF_RESERVATION})"));
        parameters.push(id);
    }
    if let Some(reference) = &scan.reference {
        conditions.push("reference = ?".to_owned());
        parameters.push(reference);
    }
    let last = Unsigned(scan.after.saturating_add(EXAMINED_MAX.into()));
    let selective = scan.product_id.is_some() || !scan.kinds.is_empty();
    if selective && !indexed {
        conditions.push("sequence <= ?".to_owned());
        parameters.push(&last);
    }
    let product = scan.product_id.as_ref().map(|id| id.as_str());
    if let Some(product) = &product {
        conditions.push("stock.product_id = ?".to_owned());
        parameters.push(product);
    }
    let kinds: Vec<_> = scan.kinds.iter().filter_map(|kind| rows::kind_number(*kind)).collect();
    if !kinds.is_empty() {
        let marks = vec!["?"; kinds.len()].join(", ");
        conditions.push(format!("kind IN ({marks})"));
        parameters.extend(kinds.iter().map(|kind| kind as &dyn ToSql));
    }
    // One more than the page tells whether there is a next one.
    let limit = scan.limit.saturating_add(1);
    parameters.push(&limit);
    let statement = format!(
        "SELECT {LOG_COLUMNS}, stock.product_id, stock.location_id FROM event \
         JOIN component USING (component_id) LEFT JOIN stock USING (stock_id) \
         WHERE {} ORDER BY sequence LIMIT ?",
        conditions.join(" AND ")
    );
    let mut statement = connection.prepare_cached(&statement)?;
    let found = statement.query_map(parameters.as_slice(), |row| {
        let about_stock: Option<String> = row.get("product_id")?;
        let key = match about_stock {
            Some(_) => Some(rows::key(row, rows::LOG_COLUMNS_COUNT)?),
            None => None,
        };
        rows::log_entry(row, key)
    })?;
    let mut items = found.collect::<rusqlite::Result<Vec<_>>>()?;
    let most = usize::try_from(scan.limit).unwrap_or(usize::MAX);
    let next = if items.len() > most {
        items.truncate(most);
        items.last().map(|entry| entry.sequence)
    } else if selective && !indexed {
        let more = "SELECT EXISTS (SELECT 1 FROM event WHERE sequence > ?1)";
        let more: bool = connection.query_row(more, [&last], |row| row.get(0))?;
        more.then_some(last.0)
    } else {
        None
    };
    Ok(EventPage { items, next })
}

//! Pages of the whole log, in the order of sequences.

use super::{
    chain::{self, EventSequences},
    handles::StockHandle,
    log_end::last_sequence,
    published::Published,
    rows::{self, LOG_COLUMNS, LOG_TABLES, Unsigned},
    stocks,
};
use crate::{
    model::{LogEntry, ProductId, StockKey, StoreFailure},
    store::{EventPage, EventScan},
};
use rusqlite::{Connection, OptionalExtension, ToSql, params};
use std::sync::LazyLock;

/// The most events that one page examines in a scan of the log. A filter that few events pass
/// therefore yields short pages, not slow ones.
const EXAMINED_MAX: u32 = 20_000;

/// The most events that one page looks up one by one.
const LOOKED_UP_MAX: usize = 5_000;

/// The most ledgers that a page by product merges. For a product at more locations the log is
/// scanned.
const LEDGERS_MAX: u32 = 64;

static ENTRY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {LOG_COLUMNS}, stock.product_id, stock.location_id FROM {LOG_TABLES} \
         LEFT JOIN stock ON stock.stock_id = event.stock_id WHERE event.sequence = ?1"
    )
});

const OF_REFERENCE: &str = "SELECT sequence FROM event_row WHERE reference = ?1 AND sequence >= \
     coalesce((SELECT max(sequence) FROM event_row WHERE reference = ?1 AND sequence <= ?2), ?2) \
     ORDER BY sequence";

const SAME_COMMAND: &str = "SELECT 1 FROM event_row WHERE sequence = ?1 AND origin = ?2";

/// A page of the events that match a scan.
pub(super) fn scan(
    connection: &Connection,
    published: &Published,
    scan: &EventScan,
) -> Result<EventPage, StoreFailure> {
    let failed = super::connection::failed("reading the event log");
    let filters = usize::from(scan.reservation_id.is_some())
        + usize::from(scan.reference.is_some())
        + usize::from(scan.product_id.is_some())
        + usize::from(!scan.kinds.is_empty());
    let limit = usize::try_from(scan.limit).unwrap_or(usize::MAX);
    // One more event than the page shows whether there is a next page.
    let most = if filters <= 1 { limit.saturating_add(1) } else { LOOKED_UP_MAX };
    let found = if let Some(id) = &scan.reservation_id {
        chain::of_reservation(connection, id, scan.after, most)
    } else if let Some(reference) = &scan.reference {
        with_reference(connection, reference, scan.after, most)
    } else {
        let ledgers = match &scan.product_id {
            Some(product) => ledgers(connection, published, product)?,
            None => None,
        };
        match ledgers {
            Some((ledgers, end)) => merged(connection, &ledgers, scan.after, end, most),
            None => return scan_all(connection, scan).map_err(failed),
        }
    };
    found.and_then(|found| entries(connection, scan, found, limit)).map_err(failed)
}

/// A page of those events found by an index that match the whole scan.
fn entries(
    connection: &Connection,
    scan: &EventScan,
    found: EventSequences,
    limit: usize,
) -> rusqlite::Result<EventPage> {
    let mut statement = connection.prepare_cached(&ENTRY)?;
    let mut page = EventPage::default();
    let mut last = None;
    for sequence in found.sequences {
        if page.items.len() == limit {
            page.next = last;
            return Ok(page);
        }
        last = Some(sequence);
        let entry = statement.query_row([Unsigned(sequence)], with_key)?;
        if scan.matches(&entry) {
            page.items.push(entry);
        }
    }
    page.next = last.filter(|_| found.more);
    Ok(page)
}

/// A log entry with its stock's key, from the columns that follow [`LOG_COLUMNS`].
fn with_key(row: &rusqlite::Row<'_>) -> rusqlite::Result<LogEntry> {
    let about_stock: Option<String> = row.get("product_id")?;
    let key = match about_stock {
        Some(_) => Some(rows::key(row, rows::LOG_COLUMNS_COUNT)?),
        None => None,
    };
    rows::log_entry(row, key)
}

/// The events of commands with a reference. The reference is stored with the first event of a
/// command; the command's other events follow it without a gap.
fn with_reference(
    connection: &Connection,
    reference: &str,
    after: u64,
    most: usize,
) -> rusqlite::Result<EventSequences> {
    let mut found = EventSequences::default();
    let mut same_command = connection.prepare_cached(SAME_COMMAND)?;
    let mut firsts = connection.prepare_cached(OF_REFERENCE)?;
    let mut firsts = firsts.query(params![reference, Unsigned(after)])?;
    while let Some(row) = firsts.next()? {
        let first = rows::unsigned(row, 0)?;
        let mut sequence = first;
        loop {
            if found.sequences.len() == most {
                found.more = true;
                return Ok(found);
            }
            if sequence > after {
                found.sequences.push(sequence);
            }
            sequence += 1;
            let same = params![Unsigned(sequence), Unsigned(first)];
            if same_command.query_row(same, |_| Ok(())).optional()?.is_none() {
                break;
            }
        }
    }
    Ok(found)
}

/// The ledgers of a product's stocks, and the sequence up to which all of them are known. Returns
/// `None` where there are more than [`LEDGERS_MAX`].
fn ledgers(
    connection: &Connection,
    published: &Published,
    product: &ProductId,
) -> Result<Option<(Vec<StockHandle>, u64)>, StoreFailure> {
    // Read before the ledgers: events that are published later can be missing from some of them.
    let end = published.sequence();
    let keys = "SELECT product_id, location_id FROM stock WHERE product_id = ?1 LIMIT ?2";
    let most = LEDGERS_MAX + 1;
    let keys: Vec<StockKey> = connection
        .prepare_cached(keys)
        .and_then(|mut statement| {
            statement
                .query_map(params![product.as_str(), most], |row| rows::key(row, 0))?
                .collect::<rusqlite::Result<_>>()
        })
        .map_err(super::connection::failed("looking for the stocks of a product"))?;
    if u32::try_from(keys.len()).is_ok_and(|count| count == most) {
        return Ok(None);
    }
    let mut handles = Vec::with_capacity(keys.len());
    for key in keys {
        let stored = stocks::latest(connection, published, &key)?;
        handles.extend(stored.map(|stored| stored.handle));
    }
    Ok(Some((handles, end)))
}

/// The events of several ledgers after the sequence `after` and up to the sequence `end`, merged.
fn merged(
    connection: &Connection,
    ledgers: &[StockHandle],
    after: u64,
    end: u64,
    most: usize,
) -> rusqlite::Result<EventSequences> {
    let mut all = Vec::new();
    let each = most.min(LOOKED_UP_MAX / ledgers.len().max(1));
    // After this sequence, events of some ledger may be missing.
    let mut known_to = end;
    for handle in ledgers {
        let EventSequences { mut sequences, more } =
            chain::of_stock(connection, handle, after, each)?;
        if let Some(last) = sequences.last().filter(|_| more) {
            known_to = known_to.min(*last);
        }
        all.append(&mut sequences);
    }
    all.sort_unstable();
    let known = all.partition_point(|sequence| *sequence <= known_to);
    let more = known < all.len() || known_to < end || known > most;
    all.truncate(known.min(most));
    Ok(EventSequences { sequences: all, more })
}

/// Scans all events after a sequence.
fn scan_all(connection: &Connection, scan: &EventScan) -> rusqlite::Result<EventPage> {
    let after = Unsigned(scan.after);
    let mut conditions = vec!["event.sequence > ?".to_owned()];
    let mut parameters: Vec<&dyn ToSql> = vec![&after];
    let last = Unsigned(scan.after.saturating_add(EXAMINED_MAX.into()));
    let selective = scan.product_id.is_some() || !scan.kinds.is_empty();
    if selective {
        conditions.push("event.sequence <= ?".to_owned());
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
        conditions.push(format!("event.kind IN ({marks})"));
        parameters.extend(kinds.iter().map(|kind| kind as &dyn ToSql));
    }
    // One more event than the page shows whether there is a next page.
    let limit = scan.limit.saturating_add(1);
    parameters.push(&limit);
    let statement = format!(
        "SELECT {LOG_COLUMNS}, stock.product_id, stock.location_id FROM {LOG_TABLES} \
         LEFT JOIN stock ON stock.stock_id = event.stock_id \
         WHERE {} ORDER BY event.sequence LIMIT ?",
        conditions.join(" AND ")
    );
    // Read before the page: events that are committed meanwhile do not count as examined.
    let end = last_sequence(connection)?;
    let mut statement = connection.prepare_cached(&statement)?;
    let found = statement.query_map(parameters.as_slice(), with_key)?;
    let mut items = found.collect::<rusqlite::Result<Vec<_>>>()?;
    let most = usize::try_from(scan.limit).unwrap_or(usize::MAX);
    let next = if items.len() > most {
        items.truncate(most);
        items.last().map(|entry| entry.sequence)
    } else if selective {
        (end > last.0).then_some(last.0)
    } else {
        None
    };
    Ok(EventPage { items, next })
}

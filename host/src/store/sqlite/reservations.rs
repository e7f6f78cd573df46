//! Reservations and their lines.

use super::{
    chain,
    connection::failed,
    lagging::AsOf,
    rows::{self, RESERVATION_COLUMNS, Unsigned},
};
use crate::{
    model::{ReservationLine, ReservationPage, ReservationScan, StockKey, StoreFailure, Timestamp},
    store::{Handle, ReservationHandle, ReservationWrite, StoredReservation},
};
use rusqlite::{Connection, OptionalExtension, ToSql, params};
use std::sync::LazyLock;

/// The most reservations that one scan looks at: a filter that lets little through gives
/// short pages rather than slow ones.
const EXAMINED_MAX: u32 = 2_000;

/// A page ends with the reservation that reaches this many lines: a call of the component is
/// bounded in lines.
const LINES_PER_PAGE: usize = 2_000;

static BY_ID: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {RESERVATION_COLUMNS} FROM reservation WHERE reservation_id = ?1")
});

static BY_NUMBER: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {RESERVATION_COLUMNS} FROM reservation WHERE reservation_no = ?1")
});

const FIRST_DUE: &str = "SELECT reservation_id, expires_at FROM reservation \
     WHERE state = 1 AND expires_at IS NOT NULL ORDER BY expires_at, reservation_id LIMIT ?1";

const LINES: &str = "SELECT product_id, location_id, quantity, fulfilled, released, expired \
     FROM reservation_line JOIN stock USING (stock_id) WHERE reservation_no = ?1 ORDER BY line";

const INSERT: &str = "INSERT INTO reservation (reservation_id, state, expires_at, ttl_seconds, \
     reference, version, created_at, updated_at, last_event) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

const UPDATE: &str = "UPDATE reservation SET state = ?2, expires_at = ?3, version = ?4, \
     updated_at = ?5, last_event = ?6 WHERE reservation_no = ?1";

const INSERT_LINE: &str = "INSERT INTO reservation_line (reservation_no, line, stock_id, \
     quantity, fulfilled, released, expired) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

const UPDATE_LINE: &str = "UPDATE reservation_line SET fulfilled = ?3, released = ?4, \
     expired = ?5 WHERE reservation_no = ?1 AND line = ?2";

const DELETE_LINES: &str = "DELETE FROM reservation_line WHERE reservation_no = ?1";

const STOCKS_OF_PRODUCT: &str = "SELECT stock_id, event_count, last_event, product_id, \
     location_id FROM stock WHERE product_id = ?1 AND (?2 IS NULL OR location_id = ?2)";

const LEDGER_ENTRY: &str =
    "SELECT kind = 2, reservation_id, previous FROM event WHERE sequence = ?1";

/// A reservation, and the latest event by which it reserved something of a product.
const LATEST_RESERVED: &str = "SELECT reservation_no, (WITH RECURSIVE chain (place) AS \
     (SELECT reservation.last_event UNION ALL \
     SELECT reservation_previous FROM event JOIN chain ON sequence = place \
     WHERE reservation_previous IS NOT NULL) \
     SELECT max(place) FROM chain JOIN event ON sequence = place JOIN stock USING (stock_id) \
     WHERE kind = 2 AND product_id = ?2 AND (?3 IS NULL OR location_id = ?3)) \
     FROM reservation WHERE reservation_id = ?1";

const STOCK_ID: &str = "SELECT stock_id FROM stock WHERE product_id = ?1 AND location_id = ?2";

type Found = (String, StoredReservation);

fn with_lines(connection: &Connection, (id, mut found): Found) -> rusqlite::Result<Found> {
    let mut lines = connection.prepare_cached(LINES)?;
    found.reservation.lines =
        lines.query_map([found.handle.number], rows::line)?.collect::<rusqlite::Result<_>>()?;
    Ok((id, found))
}

pub(super) fn find(
    connection: &Connection,
    id: &str,
) -> Result<Option<StoredReservation>, StoreFailure> {
    connection
        .prepare_cached(&BY_ID)
        .and_then(|mut statement| statement.query_row([id], rows::reservation).optional())
        .and_then(|found| found.map(|found| with_lines(connection, found)).transpose())
        .map(|found| found.map(|(_, stored)| stored))
        .map_err(failed("reading a reservation"))
}

pub(super) fn first_due(
    connection: &Connection,
    limit: u32,
) -> Result<Vec<(String, Timestamp)>, StoreFailure> {
    connection
        .prepare_cached(FIRST_DUE)
        .and_then(|mut statement| {
            statement
                .query_map([limit], |row| Ok((row.get(0)?, rows::unsigned(row, 1)?)))?
                .collect()
        })
        .map_err(failed("looking for the next due hold"))
}

pub(super) fn scan(
    connection: &Connection,
    lagging: &AsOf,
    scan: &ReservationScan,
) -> Result<ReservationPage, StoreFailure> {
    scan_within(connection, lagging, scan).map_err(failed("scanning reservations"))
}

fn scan_within(
    connection: &Connection,
    lagging: &AsOf,
    scan: &ReservationScan,
) -> rusqlite::Result<ReservationPage> {
    let Candidates { found: candidates, more_behind } = candidates(connection, lagging, scan)?;
    let most = usize::try_from(scan.limit).unwrap_or(usize::MAX);
    let (mut items, mut lines) = (Vec::new(), 0);
    let mut next = None;
    let mut last = None;
    for (position, number) in candidates {
        if items.len() == most || lines >= LINES_PER_PAGE {
            next = last;
            break;
        }
        last = Some(position);
        let found =
            connection.prepare_cached(&BY_NUMBER)?.query_row([number], rows::reservation)?;
        let (id, StoredReservation { reservation, .. }) = with_lines(connection, found)?;
        if scan.filter.matches(&reservation) {
            lines += reservation.lines.len();
            items.push((id, reservation));
        }
    }
    let next = next.or(more_behind);
    Ok(ReservationPage { items, next: next.and_then(|position| u64::try_from(position).ok()) })
}

/// A place in the order of a scan, and the number of the reservation there.
type Candidate = (i64, i64);

/// Reservations that may match.
#[derive(Default)]
struct Candidates {
    /// The newest first.
    found: Vec<Candidate>,
    /// Where the search stopped before its end.
    more_behind: Option<i64>,
}

/// Found in the most telling way; the filter has the last word.
fn candidates(
    connection: &Connection,
    lagging: &AsOf,
    scan: &ReservationScan,
) -> rusqlite::Result<Candidates> {
    let after = scan.after.and_then(|after| i64::try_from(after).ok()).unwrap_or(i64::MAX);
    let filter = &scan.filter;
    let all_match = filter.product_id.is_none()
        && filter.location_id.is_none()
        && filter.state.is_none()
        && filter.expires_before.is_none();
    let most = if all_match { scan.limit.saturating_add(1) } else { EXAMINED_MAX };
    let numbers = if let Some(reference) = &scan.filter.reference {
        let select = "SELECT reservation_no FROM reservation WHERE reference = ?1 \
             AND reservation_no < ?2 ORDER BY reservation_no DESC LIMIT ?3";
        numbers(connection, select, &[reference, &after, &most])?
    } else if let Some(product) = &scan.filter.product_id {
        let location = scan.filter.location_id.as_ref().map(|id| id.as_str());
        return of_product(connection, lagging, product.as_str(), location, after);
    } else {
        let select = "SELECT reservation_no FROM reservation WHERE reservation_no < ?1 \
             ORDER BY reservation_no DESC LIMIT ?2";
        numbers(connection, select, &[&after, &most])?
    };
    let cut = u32::try_from(numbers.len()).is_ok_and(|count| count >= most);
    let more_behind = if cut { numbers.last().copied() } else { None };
    let found = numbers.into_iter().map(|number| (number, number)).collect();
    Ok(Candidates { found, more_behind })
}

/// By the ledgers of the product's stocks: each reservation at the latest event by which it
/// reserved something of the product.
fn of_product(
    connection: &Connection,
    lagging: &AsOf,
    product: &str,
    location: Option<&str>,
    after: i64,
) -> rusqlite::Result<Candidates> {
    let until = u64::try_from(after.saturating_sub(1)).unwrap_or(0);
    let stocks: Vec<Handle> = connection
        .prepare_cached(STOCKS_OF_PRODUCT)?
        .query_map(params![product, location], |row| {
            let lags = lagging.get(&rows::key(row, 3)?).map(|stored| stored.handle);
            Ok(lags.unwrap_or(Handle {
                stock_id: row.get(0)?,
                event_count: rows::unsigned(row, 1)?,
                last_event: rows::unsigned(row, 2)?,
            }))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut all = Candidates::default();
    for handle in stocks {
        let Some((_, last)) = chain::first_and_last_until(connection, &handle, until)? else {
            continue;
        };
        let Ok(last) = i64::try_from(last) else { continue };
        let one = of_ledger(connection, product, location, last)?;
        all.found.extend(one.found);
        all.more_behind = all.more_behind.max(one.more_behind);
    }
    // Behind the place where one of the searches stopped, the order is not known yet.
    let known = all.more_behind.unwrap_or(0);
    all.found.retain(|(place, _)| *place >= known);
    all.found.sort_unstable_by(|a, b| b.cmp(a));
    Ok(all)
}

/// One ledger, from an event back.
fn of_ledger(
    connection: &Connection,
    product: &str,
    location: Option<&str>,
    from: i64,
) -> rusqlite::Result<Candidates> {
    let mut entry = connection.prepare_cached(LEDGER_ENTRY)?;
    let mut latest = connection.prepare_cached(LATEST_RESERVED)?;
    let mut found = Vec::new();
    let (mut place, mut next) = (from, Some(from));
    for _ in 0..EXAMINED_MAX {
        let Some(sequence) = next else { return Ok(Candidates { found, more_behind: None }) };
        place = sequence;
        let (reserved, id, previous): (bool, Option<String>, Option<i64>) =
            entry.query_row([sequence], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        next = previous;
        let Some(id) = id.filter(|_| reserved) else { continue };
        let (number, at): (i64, Option<i64>) = latest
            .query_row(params![id, product, location], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if at == Some(sequence) {
            found.push((sequence, number));
        }
    }
    Ok(Candidates { found, more_behind: next.map(|_| place) })
}

fn numbers(
    connection: &Connection,
    select: &str,
    parameters: &[&dyn ToSql],
) -> rusqlite::Result<Vec<i64>> {
    connection.prepare_cached(select)?.query_map(parameters, |row| row.get(0))?.collect()
}

/// Writes a reservation; `stock_id` knows the stocks that the batch has touched.
pub(super) fn write(
    connection: &Connection,
    write: &ReservationWrite<'_>,
    last_event: Option<u64>,
    stock_id: &dyn Fn(&StockKey) -> Option<i64>,
) -> rusqlite::Result<ReservationHandle> {
    let it = write.reservation;
    let (state, expires_at) =
        (rows::state_number(it.status.state), it.status.expires_at.map(Unsigned));
    let (version, updated_at) = (Unsigned(it.status.version), Unsigned(it.updated_at));
    let found_again = |number| ReservationHandle { number, last_event };
    let last_event = last_event.map(Unsigned);
    let Some(StoredReservation { handle, reservation: before }) = write.stored else {
        let created_at = Unsigned(it.created_at);
        connection.prepare_cached(INSERT)?.execute(params![
            write.id,
            state,
            expires_at,
            it.ttl_seconds,
            it.reference,
            version,
            created_at,
            updated_at,
            last_event
        ])?;
        let number = connection.last_insert_rowid();
        insert_lines(connection, number, &it.lines, stock_id)?;
        return Ok(found_again(number));
    };
    let number = handle.number;
    connection
        .prepare_cached(UPDATE)?
        .execute(params![number, state, expires_at, version, updated_at, last_event])?;
    let same =
        |(a, b): (&ReservationLine, &ReservationLine)| (&a.key, a.quantity) == (&b.key, b.quantity);
    if it.lines.len() != before.lines.len() || !it.lines.iter().zip(&before.lines).all(same) {
        connection.prepare_cached(DELETE_LINES)?.execute([number])?;
        insert_lines(connection, number, &it.lines, stock_id)?;
        return Ok(found_again(number));
    }
    for (index, (line, before)) in (0_i64..).zip(it.lines.iter().zip(&before.lines)) {
        if line != before {
            let [fulfilled, released, expired] =
                [line.fulfilled, line.released, line.expired].map(Unsigned);
            connection
                .prepare_cached(UPDATE_LINE)?
                .execute(params![number, index, fulfilled, released, expired])?;
        }
    }
    Ok(found_again(number))
}

/// The store's number of a stock: of one that the batch has touched, or of a stored one.
pub(super) fn stock_id(
    connection: &Connection,
    key: &StockKey,
    touched: &dyn Fn(&StockKey) -> Option<i64>,
) -> rusqlite::Result<i64> {
    if let Some(id) = touched(key) {
        return Ok(id);
    }
    let key = [key.product_id.as_str(), key.location_id.as_str()];
    connection.prepare_cached(STOCK_ID)?.query_row(key, |row| row.get(0))
}

fn insert_lines(
    connection: &Connection,
    number: i64,
    lines: &[ReservationLine],
    stock_id: &dyn Fn(&StockKey) -> Option<i64>,
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(INSERT_LINE)?;
    for (index, line) in (0_i64..).zip(lines) {
        let stock_id = self::stock_id(connection, &line.key, stock_id)?;
        let [quantity, fulfilled, released, expired] =
            [line.quantity, line.fulfilled, line.released, line.expired].map(Unsigned);
        insert.execute(params![number, index, stock_id, quantity, fulfilled, released, expired])?;
    }
    Ok(())
}

//! Reservations and their lines.

use super::{
    connection::failed,
    rows::{self, RESERVATION_COLUMNS, Unsigned},
};
use crate::{
    model::{
        DueHolds, Reservation, ReservationLine, ReservationPage, ReservationScan, StockKey,
        StoreFailure, Timestamp,
    },
    store::{ReservationWrite, StoredReservation},
};
use rusqlite::{Connection, OptionalExtension, ToSql, params};
use std::sync::LazyLock;

/// The most reservations that one scan looks at: a filter that lets little through gives
/// short pages rather than slow ones.
const EXAMINED_MAX: u32 = 2_000;

static BY_ID: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {RESERVATION_COLUMNS} FROM reservation WHERE reservation_id = ?1")
});

static BY_NUMBER: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {RESERVATION_COLUMNS} FROM reservation WHERE reservation_no = ?1")
});

static DUE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {RESERVATION_COLUMNS} FROM reservation \
         WHERE state = 1 AND expires_at <= ?1 ORDER BY expires_at, reservation_id LIMIT ?2"
    )
});

static DUE_ON_STOCK: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {RESERVATION_COLUMNS} FROM reservation AS due \
         WHERE state = 1 AND expires_at <= ?1 AND EXISTS (SELECT 1 FROM reservation_line \
         WHERE reservation_no = due.reservation_no AND quantity > fulfilled + released + expired \
         AND stock_id = (SELECT stock_id FROM stock WHERE product_id = ?3 AND location_id = ?4)) \
         ORDER BY expires_at, reservation_id LIMIT ?2"
    )
});

const NEXT_DUE: &str =
    "SELECT min(expires_at) FROM reservation WHERE state = 1 AND expires_at > ?1";

const LINES: &str = "SELECT product_id, location_id, quantity, fulfilled, released, expired \
     FROM reservation_line JOIN stock USING (stock_id) WHERE reservation_no = ?1 ORDER BY line";

const INSERT: &str = "INSERT INTO reservation (reservation_id, state, expires_at, ttl_seconds, \
     reference, version, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

const UPDATE: &str = "UPDATE reservation SET state = ?2, expires_at = ?3, version = ?4, \
     updated_at = ?5 WHERE reservation_no = ?1";

const INSERT_LINE: &str = "INSERT INTO reservation_line (reservation_no, line, stock_id, \
     quantity, fulfilled, released, expired) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

const UPDATE_LINE: &str = "UPDATE reservation_line SET fulfilled = ?3, released = ?4, \
     expired = ?5 WHERE reservation_no = ?1 AND line = ?2";

const DELETE_LINES: &str = "DELETE FROM reservation_line WHERE reservation_no = ?1";

const STOCK_ID: &str = "SELECT stock_id FROM stock WHERE product_id = ?1 AND location_id = ?2";

type Found = (i64, String, Reservation);

fn with_lines(connection: &Connection, mut found: Found) -> rusqlite::Result<Found> {
    let mut lines = connection.prepare_cached(LINES)?;
    found.2.lines = lines.query_map([found.0], rows::line)?.collect::<rusqlite::Result<_>>()?;
    Ok(found)
}

fn select(
    connection: &Connection,
    statement: &str,
    parameters: &[&dyn ToSql],
) -> rusqlite::Result<Vec<Found>> {
    let mut statement = connection.prepare_cached(statement)?;
    statement
        .query_map(parameters, rows::reservation)?
        .map(|found| found.and_then(|found| with_lines(connection, found)))
        .collect()
}

pub(super) fn find(
    connection: &Connection,
    id: &str,
) -> Result<Option<StoredReservation>, StoreFailure> {
    connection
        .prepare_cached(&BY_ID)
        .and_then(|mut statement| statement.query_row([id], rows::reservation).optional())
        .and_then(|found| found.map(|found| with_lines(connection, found)).transpose())
        .map(|found| {
            found.map(|(number, _, reservation)| StoredReservation { number, reservation })
        })
        .map_err(failed("reading a reservation"))
}

pub(super) fn due(
    connection: &Connection,
    key: Option<&StockKey>,
    until: Timestamp,
    limit: u32,
) -> Result<DueHolds, StoreFailure> {
    due_within(connection, key, until, limit).map_err(failed("looking for due holds"))
}

fn due_within(
    connection: &Connection,
    key: Option<&StockKey>,
    until: Timestamp,
    limit: u32,
) -> rusqlite::Result<DueHolds> {
    let at = Unsigned(until);
    let found = match key {
        None => select(connection, &DUE, &[&at, &limit])?,
        Some(key) => {
            let (product, location) = (key.product_id.as_str(), key.location_id.as_str());
            select(connection, &DUE_ON_STOCK, &[&at, &limit, &product, &location])?
        }
    };
    let cut = u32::try_from(found.len()).is_ok_and(|count| count >= limit);
    let next_due = if cut {
        found.last().map_or(Some(0), |(_, _, last)| last.status.expires_at)
    } else {
        let next: Option<Unsigned> =
            connection.prepare_cached(NEXT_DUE)?.query_row([&at], |row| row.get(0))?;
        next.map(|next| next.0)
    };
    let items = found.into_iter().map(|(_, id, reservation)| (id, reservation)).collect();
    Ok(DueHolds { items, next_due })
}

pub(super) fn scan(
    connection: &Connection,
    scan: &ReservationScan,
) -> Result<ReservationPage, StoreFailure> {
    scan_within(connection, scan).map_err(failed("scanning reservations"))
}

fn scan_within(
    connection: &Connection,
    scan: &ReservationScan,
) -> rusqlite::Result<ReservationPage> {
    let candidates = candidates(connection, scan)?;
    let cut = u32::try_from(candidates.len()).is_ok_and(|count| count >= EXAMINED_MAX);
    let most = usize::try_from(scan.limit).unwrap_or(usize::MAX);
    let mut items = Vec::new();
    let mut next = None;
    let mut last = None;
    for number in candidates {
        if items.len() == most {
            next = last;
            break;
        }
        last = Some(number);
        let found =
            connection.prepare_cached(&BY_NUMBER)?.query_row([number], rows::reservation)?;
        let (_, id, reservation) = with_lines(connection, found)?;
        if scan.filter.matches(&reservation) {
            items.push((id, reservation));
        }
    }
    if next.is_none() && cut {
        next = last;
    }
    Ok(ReservationPage { items, next: next.and_then(|number| u64::try_from(number).ok()) })
}

/// The numbers of reservations that may match, the newest first, found by the most telling
/// index. The filter has the last word.
fn candidates(connection: &Connection, scan: &ReservationScan) -> rusqlite::Result<Vec<i64>> {
    let after = scan.after.and_then(|after| i64::try_from(after).ok()).unwrap_or(i64::MAX);
    if let Some(reference) = &scan.filter.reference {
        let select = "SELECT reservation_no FROM reservation WHERE reference = ?1 \
             AND reservation_no < ?2 ORDER BY reservation_no DESC LIMIT ?3";
        return numbers(connection, select, &[reference, &after, &EXAMINED_MAX]);
    }
    let Some(product) = &scan.filter.product_id else {
        let select = "SELECT reservation_no FROM reservation WHERE reservation_no < ?1 \
             ORDER BY reservation_no DESC LIMIT ?2";
        return numbers(connection, select, &[&after, &EXAMINED_MAX]);
    };
    let (product, location) =
        (product.as_str(), scan.filter.location_id.as_ref().map(|id| id.as_str()));
    let stocks = "SELECT stock_id FROM stock WHERE product_id = ?1 \
         AND (?2 IS NULL OR location_id = ?2)";
    let mut merged = Vec::new();
    for stock_id in numbers(connection, stocks, &[&product, &location])? {
        let select = "SELECT DISTINCT reservation_no FROM reservation_line WHERE stock_id = ?1 \
             AND reservation_no < ?2 ORDER BY reservation_no DESC LIMIT ?3";
        merged.extend(numbers(connection, select, &[&stock_id, &after, &EXAMINED_MAX])?);
    }
    merged.sort_unstable_by(|a, b| b.cmp(a));
    merged.dedup();
    merged.truncate(usize::try_from(EXAMINED_MAX).unwrap_or(usize::MAX));
    Ok(merged)
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
    stock_id: &dyn Fn(&StockKey) -> Option<i64>,
) -> rusqlite::Result<()> {
    let it = write.reservation;
    let (state, expires_at) =
        (rows::state_number(it.status.state), it.status.expires_at.map(Unsigned));
    let (version, updated_at) = (Unsigned(it.status.version), Unsigned(it.updated_at));
    let Some(StoredReservation { number, reservation: before }) = write.stored else {
        let created_at = Unsigned(it.created_at);
        connection.prepare_cached(INSERT)?.execute(params![
            write.id,
            state,
            expires_at,
            it.ttl_seconds,
            it.reference,
            version,
            created_at,
            updated_at
        ])?;
        return insert_lines(connection, connection.last_insert_rowid(), &it.lines, stock_id);
    };
    connection
        .prepare_cached(UPDATE)?
        .execute(params![number, state, expires_at, version, updated_at])?;
    let same =
        |(a, b): (&ReservationLine, &ReservationLine)| (&a.key, a.quantity) == (&b.key, b.quantity);
    if it.lines.len() != before.lines.len() || !it.lines.iter().zip(&before.lines).all(same) {
        connection.prepare_cached(DELETE_LINES)?.execute([number])?;
        return insert_lines(connection, *number, &it.lines, stock_id);
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
    Ok(())
}

fn insert_lines(
    connection: &Connection,
    number: i64,
    lines: &[ReservationLine],
    stock_id: &dyn Fn(&StockKey) -> Option<i64>,
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(INSERT_LINE)?;
    for (index, line) in (0_i64..).zip(lines) {
        let stock_id = match stock_id(&line.key) {
            Some(id) => id,
            None => {
                let key = [line.key.product_id.as_str(), line.key.location_id.as_str()];
                connection.prepare_cached(STOCK_ID)?.query_row(key, |row| row.get(0))?
            }
        };
        let [quantity, fulfilled, released, expired] =
            [line.quantity, line.fulfilled, line.released, line.expired].map(Unsigned);
        insert.execute(params![number, index, stock_id, quantity, fulfilled, released, expired])?;
    }
    Ok(())
}

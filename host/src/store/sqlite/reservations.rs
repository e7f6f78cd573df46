//! The rows of reservations and of their lines: look-ups, scans and writes.

use super::{
    connection::failed,
    handles::{ReservationHandle, ReservationWrite, StoredReservation},
    listing::{self, Candidates},
    published::Overlay,
    rows::{self, RESERVATION_COLUMNS, Unsigned},
};
use crate::model::{
    ReservationFilter, ReservationLine, ReservationPage, ReservationScan, StockKey, StoreFailure,
    Timestamp,
};
use rusqlite::{Connection, OptionalExtension, ToSql, params};
use std::sync::LazyLock;

/// The most reservations that one scan examines. A filter that few reservations pass therefore
/// yields short pages, not slow ones.
const EXAMINED_MAX: u32 = 5_000;

/// The most lines that one scan reads to test the filter's product and location.
const LINES_EXAMINED_MAX: usize = 10_000;

/// The number of lines with which a page is full. The component gets a page in one call, and a call
/// is bounded in lines.
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

const WITH_REFERENCE: &str = "SELECT reservation_no FROM reservation WHERE reference = ?1 \
     AND reservation_no < ?2 ORDER BY reservation_no DESC LIMIT ?3";

const ANY: &str = "SELECT reservation_no FROM reservation WHERE reservation_no < ?1 \
     ORDER BY reservation_no DESC LIMIT ?2";

const STOCK_ID: &str = "SELECT stock_id FROM stock WHERE product_id = ?1 AND location_id = ?2";

/// A reservation with its id.
type WithId = (String, StoredReservation);

/// Adds the lines to a reservation that was read without them.
fn with_lines(connection: &Connection, (id, mut found): WithId) -> rusqlite::Result<WithId> {
    let mut lines = connection.prepare_cached(LINES)?;
    found.reservation.lines =
        lines.query_map([found.handle.number], rows::line)?.collect::<rusqlite::Result<_>>()?;
    Ok((id, found))
}

/// The reservation with this id; `None` where it does not exist.
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

/// The ids of up to `limit` held reservations that expire first, with the time of each expiry.
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

/// A page of reservations, the newest first.
pub(super) fn scan(
    connection: &Connection,
    at: &Overlay,
    scan: &ReservationScan,
) -> Result<ReservationPage, StoreFailure> {
    scan_within(connection, at, scan).map_err(failed("scanning reservations"))
}

fn scan_within(
    connection: &Connection,
    at: &Overlay,
    scan: &ReservationScan,
) -> rusqlite::Result<ReservationPage> {
    let Candidates { numbers, more_below } = candidates(connection, at, scan)?;
    let most = usize::try_from(scan.limit).unwrap_or(usize::MAX);
    let (mut items, mut shown, mut examined) = (Vec::new(), 0, 0);
    let (mut stopped_at, mut last) = (None, None);
    let mut by_number = connection.prepare_cached(&BY_NUMBER)?;
    for number in numbers {
        if items.len() == most || shown >= LINES_PER_PAGE || examined >= LINES_EXAMINED_MAX {
            stopped_at = last;
            break;
        }
        last = Some(number);
        // The index in memory may name a reservation of a later commit than the pinned one.
        let found = by_number.query_row([number], rows::reservation).optional()?;
        let matching =
            found.filter(|(_, it)| scan.filter.matches_but_for_lines(&it.reservation, scan.now));
        let Some(found) = matching else { continue };
        let (id, StoredReservation { reservation, .. }) = with_lines(connection, found)?;
        examined += reservation.lines.len();
        if scan.filter.matches_lines(&reservation) {
            shown += reservation.lines.len();
            items.push((id, reservation));
        }
    }
    let next = stopped_at.or(more_below);
    Ok(ReservationPage { items, next: next.and_then(|number| u64::try_from(number).ok()) })
}

/// The numbers of reservations that may match, by the most selective index. The caller applies the
/// whole filter to each of them.
fn candidates(
    connection: &Connection,
    at: &Overlay,
    scan: &ReservationScan,
) -> rusqlite::Result<Candidates> {
    let before = scan.after.and_then(|after| i64::try_from(after).ok()).unwrap_or(i64::MAX);
    let filter = &scan.filter;
    let term = listing::term_of(filter);
    let by = usize::from(term.is_some()) + usize::from(filter.reference.is_some());
    // Every condition is named, so that a new one has to be added to `all_match`.
    let ReservationFilter { product_id: _, location_id: _, reference: _, state, expires_before } =
        filter;
    let all_match = by <= 1 && state.is_none() && expires_before.is_none();
    let most = if all_match { scan.limit.saturating_add(1) } else { EXAMINED_MAX };
    let numbers = match (&filter.reference, term) {
        (Some(reference), _) => numbers(connection, WITH_REFERENCE, &[reference, &before, &most])?,
        (None, Some(term)) => {
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            return listing::find(connection, at.recent(), term, before, most);
        }
        (None, None) => numbers(connection, ANY, &[&before, &most])?,
    };
    let cut = u32::try_from(numbers.len()).is_ok_and(|count| count >= most);
    let more_below = if cut { numbers.last().copied() } else { None };
    Ok(Candidates { numbers, more_below })
}

fn numbers(
    connection: &Connection,
    select: &str,
    parameters: &[&dyn ToSql],
) -> rusqlite::Result<Vec<i64>> {
    connection.prepare_cached(select)?.query_map(parameters, |row| row.get(0))?.collect()
}

/// Writes a reservation and its lines. `stock_id` returns the numbers of the stocks that the batch
/// writes.
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
    let new_handle = |number| ReservationHandle { number, last_event };
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
        return Ok(new_handle(number));
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
        return Ok(new_handle(number));
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
    Ok(new_handle(number))
}

/// The row id of a stock: from the batch if `touched` knows the stock, else from the table.
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

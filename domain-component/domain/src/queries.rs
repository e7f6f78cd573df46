//! The queries, one function each. A query changes nothing and publishes nothing.

use crate::{
    arguments::{Arguments, RawKey},
    id::check_id,
    key::StockKey,
    low_stock::{deficit, is_low},
    quantity::Quantity,
    rejection::Rejection,
    reservation::Reservation,
    status::State,
    stock::Stock,
    units::Timestamp,
    world::{DeficitPosition, DeficitScan, ReservationScan, StockScan, World},
};
use alloc::{string::String, vec::Vec};

/// The largest number of items on a page.
pub const PAGE_ITEMS_MAX: u32 = 500;

/// A selection of stocks. A filter that is `None` selects everything.
#[derive(Clone, Debug, Default)]
pub struct StockFilter {
    /// Selects the stocks at this location.
    pub location_id: Option<String>,
    /// Selects the products whose id starts with this text.
    pub product_prefix: Option<String>,
    /// `Some(true)` selects the stocks that are low now, `Some(false)` those that are not.
    pub low: Option<bool>,
}

/// Returns one stock.
///
/// # Errors
/// [`Rejection::InvalidRequest`], [`Rejection::ProductNotFound`].
pub fn get_stock(world: &mut dyn World, key: RawKey) -> Result<Stock, Rejection> {
    let mut arguments = Arguments::default();
    let Some(key) = arguments.key(key) else {
        return Err(arguments.rejection());
    };
    world.stock(&key).ok_or(Rejection::ProductNotFound { key })
}

/// Returns a page of stocks sorted by key, and the key to continue behind; that key is `None` at
/// the end. `limit` is 1 to [`PAGE_ITEMS_MAX`]. A page may be shorter than the limit before the
/// end, because the filter `low` applies to the stocks of the page.
///
/// # Errors
/// [`Rejection::InvalidRequest`].
pub fn list_stocks(
    world: &mut dyn World,
    filter: StockFilter,
    after: Option<RawKey>,
    limit: u32,
) -> Result<(Vec<Stock>, Option<StockKey>), Rejection> {
    let mut arguments = Arguments::default();
    let location = optional_id(&mut arguments, "location_id", filter.location_id);
    let prefix = optional_id(&mut arguments, "product_prefix", filter.product_prefix);
    let after = after.map(|key| arguments.key(key).ok_or(())).transpose();
    let valid_limit = page_limit(&mut arguments, limit);
    let (Some(location_id), Some(product_prefix), Ok(after), Some(())) =
        (location, prefix, after, valid_limit)
    else {
        return Err(arguments.rejection());
    };
    let below_minimum = filter.low == Some(true);
    let scan = StockScan { location_id, product_prefix, below_minimum, after, limit: limit + 1 };
    let (mut stocks, last) = page(world.scan_stocks(scan), limit);
    if let Some(low) = filter.low {
        stocks.retain(|stock| is_low(&stock.visible()) == low);
    }
    Ok((stocks, last.map(|stock| stock.key)))
}

/// Returns a page of the stocks that are low now, the largest recorded deficit first, and the
/// place to continue behind; that place is `None` at the end. `limit` is 1 to [`PAGE_ITEMS_MAX`].
///
/// A stock that only looks low because of holds that are due is left out, so that a page may be
/// shorter than the limit before the end.
///
/// # Errors
/// [`Rejection::InvalidRequest`].
pub fn low_stock(
    world: &mut dyn World,
    location_id: Option<String>,
    after: Option<(u64, RawKey)>,
    limit: u32,
) -> Result<(Vec<Stock>, Option<DeficitPosition>), Rejection> {
    let mut arguments = Arguments::default();
    let location = optional_id(&mut arguments, "location_id", location_id);
    let after = after
        .map(|(units, key)| {
            let deficit = arguments.check(Quantity::parse("deficit", units, 0));
            let key = arguments.key(key);
            deficit.zip(key).map(|(deficit, key)| DeficitPosition { deficit, key }).ok_or(())
        })
        .transpose();
    let valid_limit = page_limit(&mut arguments, limit);
    let (Some(location_id), Ok(after), Some(())) = (location, after, valid_limit) else {
        return Err(arguments.rejection());
    };
    let scan = DeficitScan { location_id, after, limit: limit + 1 };
    let (mut stocks, last) = page(world.scan_deficits(scan), limit);
    stocks.retain(|stock| is_low(&stock.visible()));
    let next =
        last.map(|stock| DeficitPosition { deficit: deficit(&stock.level()), key: stock.key });
    Ok((stocks, next))
}

/// Returns one reservation as it is at the time `now`: a hold that is due is shown as expired.
///
/// # Errors
/// [`Rejection::InvalidRequest`], [`Rejection::ReservationNotFound`].
pub fn get_reservation(
    world: &mut dyn World,
    now: Timestamp,
    id: String,
) -> Result<Reservation, Rejection> {
    let mut arguments = Arguments::default();
    let Some(id) = arguments.reservation_id(id) else {
        return Err(arguments.rejection());
    };
    let found = world.reservation(&id).ok_or(Rejection::ReservationNotFound { id })?;
    Ok(found.visible(now))
}

/// Returns a page of reservations as they are at the time `now`, the newest first, and the
/// position to continue behind; that position is `None` at the end. The limit of the scan is 1 to
/// [`PAGE_ITEMS_MAX`].
///
/// A hold that is due is shown as expired, and left out where the scan selects held reservations,
/// so that a page may be shorter than the limit before the end.
///
/// # Errors
/// [`Rejection::InvalidRequest`].
pub fn list_reservations(
    world: &mut dyn World,
    now: Timestamp,
    mut scan: ReservationScan,
) -> Result<(Vec<Reservation>, Option<u64>), Rejection> {
    let mut arguments = Arguments::default();
    let product = optional_id(&mut arguments, "product_id", scan.product_id.take());
    let location = optional_id(&mut arguments, "location_id", scan.location_id.take());
    let valid_limit = page_limit(&mut arguments, scan.limit);
    let (Some(product_id), Some(location_id), Some(())) = (product, location, valid_limit) else {
        return Err(arguments.rejection());
    };
    let held_only = scan.state == Some(State::Held);
    let (found, next) =
        world.scan_reservations(ReservationScan { product_id, location_id, ..scan });
    let mut found: Vec<_> = found.into_iter().map(|found| found.visible(now)).collect();
    if held_only {
        found.retain(|reservation| reservation.status.state == State::Held);
    }
    Ok((found, next))
}

/// Cuts a scan for `limit + 1` stocks to a page. The extra stock shows that there is a next page;
/// then the last stock of this page is returned as well, as the place to continue behind.
fn page(mut scanned: Vec<Stock>, limit: u32) -> (Vec<Stock>, Option<Stock>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = scanned.len() > limit;
    scanned.truncate(limit);
    let last = if more { scanned.last().cloned() } else { None };
    (scanned, last)
}

/// Checks the number of items on a page: 1 to [`PAGE_ITEMS_MAX`].
fn page_limit(arguments: &mut Arguments, limit: u32) -> Option<()> {
    arguments.range("limit", limit.into(), PAGE_ITEMS_MAX.into())
}

/// Checks an optional filter that is an id or the start of one.
fn optional_id(
    arguments: &mut Arguments,
    name: &'static str,
    filter: Option<String>,
) -> Option<Option<String>> {
    arguments.check(filter.map(|text| check_id(name, &text).map(|()| text)).transpose())
}

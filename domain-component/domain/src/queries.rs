//! One function per query. Queries write nothing.

use crate::{
    DeficitPosition, DeficitScan, InvalidArgument, PAGE_ITEMS_MAX, Quantity, RawKey, Rejection,
    Reservation, ReservationScan, Stock, StockKey, StockScan, Timestamp, World,
    arguments::Arguments, check_id, deficit, is_low, reservation::State,
};
use alloc::{string::String, vec::Vec};

/// Which stocks to list.
#[derive(Clone, Debug, Default)]
pub struct StockFilter {
    /// Only at this location.
    pub location_id: Option<String>,
    /// Only products whose id starts with this.
    pub product_prefix: Option<String>,
    /// Only stocks that are low, or only those that are not.
    pub low: Option<bool>,
}

/// One stock.
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

/// A page of stocks in key order, and the key to read on from.
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
    let location = check_filter(&mut arguments, "location_id", filter.location_id);
    let prefix = check_filter(&mut arguments, "product_prefix", filter.product_prefix);
    let after = after.map(|key| arguments.key(key).ok_or(())).transpose();
    let limit = arguments.check(check_limit(limit));
    let (Some(location_id), Some(product_prefix), Ok(after), Some(limit)) =
        (location, prefix, after, limit)
    else {
        return Err(arguments.rejection());
    };
    let below_minimum = filter.low == Some(true);
    // One more than the page tells whether there is a next one.
    let scan = StockScan { location_id, product_prefix, below_minimum, after, limit: limit + 1 };
    let (mut stocks, next) = page(world.scan_stocks(scan), limit);
    if let Some(low) = filter.low {
        stocks.retain(|stock| is_low(&stock.visible()) == low);
    }
    Ok((stocks, next.map(|stock| stock.key)))
}

/// A page of low stocks, the largest deficit first, and the place to read on from.
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
    let location = check_filter(&mut arguments, "location_id", location_id);
    let after = after
        .map(|(units, key)| {
            let deficit = arguments.check(Quantity::parse("deficit", units, 0));
            let key = arguments.key(key);
            deficit.zip(key).map(|(deficit, key)| DeficitPosition { deficit, key }).ok_or(())
        })
        .transpose();
    let limit = arguments.check(check_limit(limit));
    let (Some(location_id), Ok(after), Some(limit)) = (location, after, limit) else {
        return Err(arguments.rejection());
    };
    let scan = DeficitScan { location_id, after, limit: limit + 1 };
    let (mut stocks, next) = page(world.scan_deficits(scan), limit);
    // What is due counts as free, so that a stock can be less low than it is stored.
    stocks.retain(|stock| is_low(&stock.visible()));
    let next =
        next.map(|stock| DeficitPosition { deficit: deficit(&stock.level()), key: stock.key });
    Ok((stocks, next))
}

/// One reservation.
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

/// A page of reservations, the newest first, and the position to read on from.
///
/// # Errors
/// [`Rejection::InvalidRequest`].
pub fn list_reservations(
    world: &mut dyn World,
    now: Timestamp,
    mut scan: ReservationScan,
) -> Result<(Vec<Reservation>, Option<u64>), Rejection> {
    let mut arguments = Arguments::default();
    let product = check_filter(&mut arguments, "product_id", scan.product_id.take());
    let location = check_filter(&mut arguments, "location_id", scan.location_id.take());
    let limit = arguments.check(check_limit(scan.limit));
    let (Some(product_id), Some(location_id), Some(limit)) = (product, location, limit) else {
        return Err(arguments.rejection());
    };
    let state = scan.state;
    let (found, next) =
        world.scan_reservations(ReservationScan { product_id, location_id, limit, ..scan });
    let mut found: Vec<_> = found.into_iter().map(|it| it.visible(now)).collect();
    // What is stored as held may have come due.
    if state == Some(State::Held) {
        found.retain(|reservation| reservation.status.state == State::Held);
    }
    Ok((found, next))
}

/// Cuts a scan to the page; where there is more, the page's last stock is the place
/// to read on from.
fn page(mut scanned: Vec<Stock>, limit: u32) -> (Vec<Stock>, Option<Stock>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = scanned.len() > limit;
    scanned.truncate(limit);
    let next = if more { scanned.last().cloned() } else { None };
    (scanned, next)
}

fn check_limit(limit: u32) -> Result<u32, InvalidArgument> {
    if (1..=PAGE_ITEMS_MAX).contains(&limit) {
        return Ok(limit);
    }
    Err(InvalidArgument::out_of_range("limit", 1, PAGE_ITEMS_MAX.into(), limit.into()))
}

/// An optional filter that must look like an id, or the start of one.
fn check_filter(
    arguments: &mut Arguments,
    name: &'static str,
    filter: Option<String>,
) -> Option<Option<String>> {
    arguments.check(filter.map(|text| check_id(name, &text).map(|()| text)).transpose())
}

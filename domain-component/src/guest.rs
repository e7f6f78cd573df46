//! The contract's exports: each converts its arguments, calls the handler of the crate `domain` and
//! converts the result.

use crate::{
    contract::{
        exports::holdfast::inventory::inventory::{self as exported, Guest},
        holdfast::inventory::{storage, types},
    },
    convert::{
        rejection::{precondition_from_wit, rejection_to_wit},
        reservation, stock,
    },
    imports::Imports,
};
use alloc::{string::String, vec::Vec};
use domain::{
    Context, Rejection, ReservationScan, commands,
    queries::{self, StockFilter},
};

/// The type that implements the exports.
struct Component;

#[allow(unsafe_code, reason = "generated from the contract")]
mod export {
    use super::Component;
    use crate::contract;

    contract::export!(Component with_types_in contract);
}

/// Converts the context of a command. The host keeps the caller and the reason for itself.
fn context(context: types::Context) -> Context {
    Context {
        now: context.now,
        reference: context.reference,
        precondition: context.precondition.map(precondition_from_wit),
    }
}

/// The result of an export that is a command on one stock.
type StockOutcome = Result<exported::StockOutcome, types::Rejection>;

/// Converts the result of a command on one stock. It is not inlined, because four exports use it.
#[inline(never)]
fn stock_outcome(result: Result<commands::StockOutcome, Rejection>) -> StockOutcome {
    result
        .map(|outcome| exported::StockOutcome {
            view: stock::view_to_wit(&outcome.stock),
            created: outcome.created,
        })
        .map_err(rejection_to_wit)
}

/// The result of an export that is a command on one reservation.
type ReservationOutcome = Result<exported::ReservationOutcome, types::Rejection>;

/// Converts the result of a command on one reservation. It is not inlined, because seven exports
/// use it.
#[inline(never)]
fn reservation_outcome(
    result: Result<commands::ReservationOutcome, Rejection>,
) -> ReservationOutcome {
    result
        .map(|outcome| exported::ReservationOutcome {
            reservation: reservation::entry_to_wit(outcome.reservation),
            created: outcome.created,
        })
        .map_err(rejection_to_wit)
}

impl Guest for Component {
    fn adjust_set(
        given: types::Context,
        key: types::StockKey,
        total: u64,
        minimum: Option<u64>,
    ) -> StockOutcome {
        let key = stock::key_from_wit(key);
        stock_outcome(commands::adjust_set(&mut Imports, &context(given), key, total, minimum))
    }

    fn adjust_by(given: types::Context, key: types::StockKey, delta: i64) -> StockOutcome {
        let key = stock::key_from_wit(key);
        stock_outcome(commands::adjust_by(&mut Imports, &context(given), key, delta))
    }

    fn reserve(given: types::Context, key: types::StockKey, quantity: u64) -> StockOutcome {
        let key = stock::key_from_wit(key);
        stock_outcome(commands::reserve(&mut Imports, &context(given), key, quantity))
    }

    fn release(given: types::Context, key: types::StockKey, quantity: u64) -> StockOutcome {
        let key = stock::key_from_wit(key);
        stock_outcome(commands::release(&mut Imports, &context(given), key, quantity))
    }

    fn transfer(
        given: types::Context,
        product_id: String,
        from: String,
        to: String,
        quantity: u64,
    ) -> Result<exported::TransferOutcome, types::Rejection> {
        commands::transfer(&mut Imports, &context(given), product_id, from, to, quantity)
            .map(|outcome| exported::TransferOutcome {
                source: stock::view_to_wit(&outcome.source),
                target: stock::view_to_wit(&outcome.target),
            })
            .map_err(rejection_to_wit)
    }

    fn hold(
        given: types::Context,
        id: String,
        lines: Vec<types::LineRequest>,
        ttl_seconds: Option<u32>,
    ) -> ReservationOutcome {
        let lines = reservation::lines_from_wit(lines);
        reservation_outcome(commands::hold(&mut Imports, &context(given), id, lines, ttl_seconds))
    }

    fn replace(
        given: types::Context,
        id: String,
        lines: Vec<types::LineRequest>,
    ) -> ReservationOutcome {
        let lines = reservation::lines_from_wit(lines);
        reservation_outcome(commands::replace(&mut Imports, &context(given), id, lines))
    }

    fn extend(given: types::Context, id: String, ttl_seconds: u32) -> ReservationOutcome {
        reservation_outcome(commands::extend(&mut Imports, &context(given), id, ttl_seconds))
    }

    fn confirm(given: types::Context, id: String) -> ReservationOutcome {
        reservation_outcome(commands::confirm(&mut Imports, &context(given), id))
    }

    fn fulfill(
        given: types::Context,
        id: String,
        lines: Option<Vec<types::LineRequest>>,
    ) -> ReservationOutcome {
        let lines = lines.map(reservation::lines_from_wit);
        reservation_outcome(commands::fulfill(&mut Imports, &context(given), id, lines))
    }

    fn cancel(
        given: types::Context,
        id: String,
        lines: Option<Vec<types::LineRequest>>,
    ) -> ReservationOutcome {
        let lines = lines.map(reservation::lines_from_wit);
        reservation_outcome(commands::cancel(&mut Imports, &context(given), id, lines))
    }

    fn expire(given: types::Context, id: String) -> ReservationOutcome {
        reservation_outcome(commands::expire(&mut Imports, &context(given), id))
    }

    fn get_reservation(
        given: types::QueryContext,
        id: String,
    ) -> Result<types::ReservationEntry, types::Rejection> {
        queries::get_reservation(&mut Imports, given.now, id)
            .map(reservation::entry_to_wit)
            .map_err(rejection_to_wit)
    }

    fn list_reservations(
        given: types::QueryContext,
        filter: exported::ReservationFilter,
        after: Option<u64>,
        limit: u32,
    ) -> Result<exported::ReservationPage, types::Rejection> {
        let scan = ReservationScan {
            product_id: filter.product_id,
            location_id: filter.location_id,
            state: filter.state.map(reservation::state_from_wit),
            reference: filter.reference,
            expires_before: filter.expires_before,
            after,
            limit,
        };
        queries::list_reservations(&mut Imports, given.now, scan)
            .map(|(found, next)| exported::ReservationPage {
                items: found.into_iter().map(reservation::entry_to_wit).collect(),
                next,
            })
            .map_err(rejection_to_wit)
    }

    fn get_stock(
        _: types::QueryContext,
        key: types::StockKey,
    ) -> Result<types::StockView, types::Rejection> {
        queries::get_stock(&mut Imports, stock::key_from_wit(key))
            .map(|found| stock::view_to_wit(&found))
            .map_err(rejection_to_wit)
    }

    fn list_stocks(
        _: types::QueryContext,
        filter: exported::StockFilter,
        after: Option<types::StockKey>,
        limit: u32,
    ) -> Result<exported::StockPage, types::Rejection> {
        let filter = StockFilter {
            location_id: filter.location_id,
            product_prefix: filter.product_prefix,
            low: filter.low,
        };
        let after = after.map(stock::key_from_wit);
        queries::list_stocks(&mut Imports, filter, after, limit)
            .map(|(stocks, next)| exported::StockPage {
                items: stocks.into_iter().map(stock::item_to_wit).collect(),
                next: next.map(stock::key_to_wit),
            })
            .map_err(rejection_to_wit)
    }

    fn low_stock(
        _: types::QueryContext,
        location_id: Option<String>,
        after: Option<storage::DeficitPosition>,
        limit: u32,
    ) -> Result<exported::LowStockPage, types::Rejection> {
        let after = after.map(|place| (place.deficit, stock::key_from_wit(place.key)));
        queries::low_stock(&mut Imports, location_id, after, limit)
            .map(|(stocks, next)| exported::LowStockPage {
                items: stocks.into_iter().map(stock::item_to_wit).collect(),
                next: next.map(stock::position_to_wit),
            })
            .map_err(rejection_to_wit)
    }
}
